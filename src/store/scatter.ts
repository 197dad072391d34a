import { assert } from "../base/assert.ts";

/** Copies `bytes` into `targets`, one after the other, which together are as long. */
export function scatter(bytes: Uint8Array, targets: readonly Uint8Array[]): void {
  let position = 0;
  for (const target of targets) {
    target.set(bytes.subarray(position, position + target.length));
    position += target.length;
  }
  assert(position === bytes.length, "targets as long as what was read");
}

import { describe, expect, test } from "bun:test";
import {
  packedBytes,
  packPublishes,
  unpackPublishes,
} from "../../../../src/runtime/node/task-messages.ts";

const plain = Uint8Array.of(9, 1, 2, 3, 9).subarray(1, 4);
const other = Uint8Array.of(7, 8);

function sharedBytes(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(new SharedArrayBuffer(values.length));
  bytes.set(values);
  return bytes;
}

function publishOf(...batches: readonly Uint8Array[]) {
  const run = { topic: "t", partition: 0, fromOffset: 5, batches };
  return { publishedAt: 1, runs: [run], created: [{ topic: "t", partition: 1 }] };
}

describe("packPublishes", () => {
  test("copies what is not shared and points to what is; unpacked it is the same", () => {
    const shared = sharedBytes(0, 4, 5, 6);
    const given = [publishOf(plain, shared.subarray(1, 3)), publishOf(shared.subarray(3), other)];
    expect(packedBytes(given)).toBe(5);
    const buffer = new ArrayBuffer(16);
    const packed = structuredClone({ ...packPublishes(given, buffer), buffer });
    expect(packed.shared).toHaveLength(1);
    const values = (publishes: readonly ReturnType<typeof publishOf>[]) =>
      publishes.map((each) => ({
        ...each,
        runs: each.runs.map((run) => ({ ...run, batches: run.batches.map((b) => [...b]) })),
      }));
    expect(values(unpackPublishes(packed) as typeof given)).toEqual(values(given));
  });

  test("leaves shared bytes where they are: a change shows on the other side", () => {
    const shared = sharedBytes(1, 2);
    const buffer = new ArrayBuffer(0);
    const [publish] = unpackPublishes({ ...packPublishes([publishOf(shared)], buffer), buffer });
    shared[0] = 3;
    expect([...(publish?.runs[0]?.batches[0] ?? [])]).toEqual([3, 2]);
  });
});

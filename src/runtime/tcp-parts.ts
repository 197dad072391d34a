/**
 * How chunks become socket writes. A write costs about 5 µs plus the kernel's copy, a copy of our
 * own about as much per 64 KB: neighbours that fit into 64 KB together are assembled, larger ones
 * go as the views they are.
 */
import type { CurrentBytes } from "../base/lent-bytes.ts";

const assembledBytesMax = 64 * 1024;

/** The same bytes in fewer parts. Empty chunks vanish; a lone one passes through, lent or not. */
export function tcpParts(chunks: readonly Uint8Array[], lent?: CurrentBytes): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  let runBytes = 0;
  const closeRun = () => {
    const [first] = run;
    if (first === undefined) return;
    parts.push(run.length === 1 ? first : assemble(run, runBytes, lent));
    run = [];
    runBytes = 0;
  };
  for (const chunk of chunks) {
    if (chunk.length === 0) continue;
    if (runBytes + chunk.length > assembledBytesMax) closeRun();
    run.push(chunk);
    runBytes += chunk.length;
  }
  closeRun();
  return parts;
}

function assemble(
  chunks: readonly Uint8Array[],
  bytes: number,
  lent: CurrentBytes | undefined,
): Uint8Array {
  const whole = new Uint8Array(bytes);
  let position = 0;
  for (const chunk of chunks) {
    whole.set(lent?.current(chunk) ?? chunk, position);
    position += chunk.length;
  }
  return whole;
}

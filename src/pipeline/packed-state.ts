/**
 * State on its way from a task to its checkpoint and back, packed where it is made: a large one
 * would hold up the event loop of the worker.
 *
 *   0  u32 LE  length of the state
 *   4  bytes   the state, zstd
 */
import type { Codecs } from "../base/codecs.ts";
import { freeBytes } from "../base/free-bytes.ts";
import { StreamError } from "../base/stream-error.ts";

const headBytes = 4;

/** One fresh buffer; takes the state, which is good for nothing then. */
export function packState(state: Uint8Array, codecs: Codecs): Uint8Array {
  // Of groups and values the usual effort makes hardly less, in twice the time.
  const packed = codecs.compress("zstd", state, "little");
  const bytes = new Uint8Array(headBytes + packed.length);
  new DataView(bytes.buffer).setUint32(0, state.length, true);
  bytes.set(packed, headBytes);
  freeBytes(packed);
  freeBytes(state);
  return bytes;
}

/** @throws StreamError `corrupt_state`, and as `decompress` does. */
export function unpackState(bytes: Uint8Array, codecs: Codecs): Uint8Array {
  if (bytes.length < headBytes) {
    throw new StreamError("corrupt_state", "Cannot read a query's state: it is cut");
  }
  const sizeMax = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return codecs.decompress("zstd", bytes.subarray(headBytes), { sizeMax });
}

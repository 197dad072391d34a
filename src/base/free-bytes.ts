/**
 * Gives memory back at once, by detaching its buffer: what waits for a collection of garbage counts
 * for an isolate as what is in use does, and V8 lets 64 MB of buffers wait before it collects.
 */

/** Far above the size of what runtimes share between small buffers. */
const freedBytesMin = 64 * 1024;

/**
 * Nobody reads `bytes` or writes to them any more. Frees them where they are a buffer of their own
 * and worth it; what is left is the garbage collector's.
 */
export function freeBytes({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < freedBytesMin || byteLength !== buffer.byteLength) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

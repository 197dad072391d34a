/**
 * The Crc32c port on the WASM kernel `wasm/crc32c.ts`. Synchronous, since instantiating a compiled
 * module is; the runtime compiles it.
 */
import { assert } from "./assert.ts";
import type { Crc32c } from "./crc32c.ts";

/** The kernel's tables and scratch: the first 64 KiB of its memory. */
const kernelBytes = 64 * 1024;

/** Bytes that lie elsewhere are copied here, a window at a time. */
const windowPosition = kernelBytes;
const windowBytes = 128 * 1024;

/**
 * Bytes at the start of the memory that belong to the kernel and its window. An embedding that
 * passes its own memory puts its data behind them.
 */
export const crc32cReservedBytes = kernelBytes + windowBytes;

/** Up to here, asking where bytes lie costs more than to copy them. */
const copyAnywayBytes = 512;

export interface Crc32cKernel extends Crc32c {
  /** The kernel's memory: what lies in it is summed without a copy. May grow at any time. */
  readonly memory: WebAssembly.Memory;
  /** CRC of `length` bytes at `position` of the memory; `previous` continues an earlier result. */
  ofMemory(range: { position: number; length: number }, previous?: number): number;
}

interface KernelExports {
  init(): void;
  crc32c(previous: number, position: number, length: number): number;
}

/**
 * Makes a Crc32c of the compiled kernel. `memory`: the embedding's own, of which the kernel takes
 * the first `crc32cReservedBytes`; absent: one of just that size.
 */
export function createCrc32c(options: {
  readonly module: WebAssembly.Module;
  readonly memory?: WebAssembly.Memory;
}): Crc32cKernel {
  const pages = crc32cReservedBytes / 65536;
  const memory = options.memory ?? new WebAssembly.Memory({ initial: pages });
  assert(memory.buffer.byteLength >= crc32cReservedBytes, "the memory holds the reserved bytes");
  const instance = new WebAssembly.Instance(options.module, { env: { memory } });
  const kernel = instance.exports as unknown as KernelExports;
  kernel.init();
  let window = new Uint8Array(memory.buffer, windowPosition, windowBytes);

  function ofCopy(bytes: Uint8Array, previous: number): number {
    // Growth of the memory detaches its views.
    if (window.length === 0) window = new Uint8Array(memory.buffer, windowPosition, windowBytes);
    if (bytes.length <= windowBytes) {
      window.set(bytes);
      return kernel.crc32c(previous, windowPosition, bytes.length) >>> 0;
    }
    let crc = previous;
    for (let start = 0; start < bytes.length; start += windowBytes) {
      const part = bytes.subarray(start, start + windowBytes);
      window.set(part);
      crc = kernel.crc32c(crc, windowPosition, part.length);
    }
    return crc >>> 0;
  }

  return {
    memory,
    of(bytes, previous = 0) {
      if (bytes.length > copyAnywayBytes && bytes.buffer === memory.buffer) {
        return kernel.crc32c(previous, bytes.byteOffset, bytes.length) >>> 0;
      }
      return ofCopy(bytes, previous);
    },
    ofMemory({ position, length }, previous = 0) {
      assert(
        position >= crc32cReservedBytes && position + length <= memory.buffer.byteLength,
        "the range lies in the embedding's part of the memory",
      );
      return kernel.crc32c(previous, position, length) >>> 0;
    },
  };
}

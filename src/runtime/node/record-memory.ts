/**
 * The memory of records, old and new: requests that bring them, the ring of segments and the blocks
 * read back. All lie in the memory of the checksum kernel as far as that goes, so that they are
 * summed in place.
 */
import { crc32cReservedBytes } from "../../base/crc32c-kernel.ts";
import type { FlushPolicy } from "../../log/flush-policy.ts";

/** So much tail serves nobody. */
const ringBytesMax = 2 * 1024 * 1024 * 1024;
/** WebAssembly memory ends at 4 GiB: what is left beside the largest ring. */
const kernelBlocksBytesMax = 4 * 1024 * 1024 * 1024 - ringBytesMax - 64 * 1024 * 1024;
/** Six Java producers with all their requests on the way. */
const framesBytesMax = 32 * 1024 * 1024;
/** Blocks beyond that lie in buffers of this size, and their sums cost a copy. */
const furtherBlocksBytes = 1024 * 1024 * 1024;
const wasmPageBytes = 65_536;

export interface RecordMemory {
  /** For createPlatform. */
  readonly memory: WebAssembly.Memory;
  readonly ring: Uint8Array;
  readonly blocks: readonly Uint8Array[];
  /** For requests while they are worked on; part of what `--queue-bytes` bounds. */
  readonly frames: Uint8Array;
}

/**
 * Three quarters of the cache are ring, a quarter blocks; pages are taken when they are used.
 * `shared` is for runtimes whose file calls copy between plain WebAssembly memory and buffers of
 * their own.
 */
export function recordMemory(
  cacheBytes: number,
  options: {
    readonly policy: FlushPolicy;
    readonly shared: boolean;
    readonly queueBytes: number;
  },
): RecordMemory {
  const { policy, shared, queueBytes } = options;
  // All flights, the segment that fills and the one that waits must fit.
  const needed = policy.flushBytes * (policy.flightsMax + 2);
  const ringBytes = wholePages(Math.min(ringBytesMax, Math.max(needed, (cacheBytes * 3) / 4)));
  const blocksBytes = wholePages(Math.max(cacheBytes - ringBytes, cacheBytes / 4));
  const inKernelBytes = Math.min(blocksBytes, kernelBlocksBytesMax);
  const framesBytes = wholePages(Math.min(framesBytesMax, queueBytes / 4));
  const framesPosition = crc32cReservedBytes + ringBytes + inKernelBytes;
  const pages = (framesPosition + framesBytes) / wasmPageBytes;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  const ring = new Uint8Array(memory.buffer, crc32cReservedBytes, ringBytes);
  const blocks = [new Uint8Array(memory.buffer, crc32cReservedBytes + ringBytes, inKernelBytes)];
  for (let left = blocksBytes - inKernelBytes; left > 0; left -= furtherBlocksBytes) {
    blocks.push(new Uint8Array(Math.min(left, furtherBlocksBytes)));
  }
  const frames = new Uint8Array(memory.buffer, framesPosition, framesBytes);
  return { memory, ring, blocks, frames };
}

function wholePages(bytes: number): number {
  return Math.ceil(bytes / wasmPageBytes) * wasmPageBytes;
}

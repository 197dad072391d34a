/** Which partition a record goes to when its sender did not say: Kafka's rules. */
import { assert } from "../base/assert.ts";
import type { Random } from "../base/platform.ts";
import { murmur2 } from "./murmur2.ts";

/** The partition of `key` among `partitionCount`, as Kafka's Java client chooses it. */
export function partitionForKey(key: Uint8Array, partitionCount: number): number {
  assert(partitionCount > 0, "a topic has a partition");
  return (murmur2(key) & 0x7fffffff) % partitionCount;
}

/** Kafka's default `batch.size`, after which its producer moves on (KIP-794). */
const defaultStickyBytes = 16384;

/**
 * Partitions for the keyless records of one topic: a random one is kept until it was given
 * `stickyBytes`, so that records gather in few large batches and spread evenly over time.
 */
export class StickyPartitioner {
  readonly #random: Random;
  readonly #stickyBytes: number;
  #partition = -1;
  #givenBytes = 0;

  constructor(random: Random, options: { readonly stickyBytes?: number } = {}) {
    this.#random = random;
    this.#stickyBytes = options.stickyBytes ?? defaultStickyBytes;
  }

  /** The partition for the next `bytes` bytes of keyless records, which stay together. */
  next({ partitionCount, bytes }: { partitionCount: number; bytes: number }): number {
    assert(partitionCount > 0, "a topic has a partition");
    const isFull = this.#givenBytes >= this.#stickyBytes;
    if (this.#partition < 0 || this.#partition >= partitionCount || isFull) {
      this.#partition = Math.floor(this.#random.uniform() * partitionCount);
      this.#givenBytes = 0;
    }
    this.#givenBytes += bytes;
    return this.#partition;
  }
}

/**
 * The newest part of the log in memory: what this worker wrote and still holds in its ring. Runs
 * are indexed by partition; a run leaves when the ring overwrites its segment. What is read is
 * copied or lent in one synchronous step, so no reader keeps the ring from moving on.
 */
import { stampBatch } from "../record/batch.ts";
import type { PartitionSlot } from "./partition-slot.ts";
import type { RingSlot } from "./segment-ring.ts";

/** Batches of one partition with contiguous offsets, lying end to end in one slot. */
export interface CachedRun {
  readonly slot: RingSlot;
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly leaderEpoch: number;
  /** First offset of each batch, ascending. */
  readonly batchOffsets: readonly number[];
  /** Position of each batch in the slot; one more closes the last. */
  readonly batchPositions: readonly number[];
}

/** A stretch of whole batches found in the cache, as views that are valid until the next await. */
export interface CachedRange {
  readonly views: CachedView[];
  bytes: number;
  /** One past the last offset found. */
  nextOffset: number;
}

export interface CachedView {
  readonly bytes: Uint8Array;
  readonly slot: RingSlot;
}

export class TailCache {
  readonly #partitions = new Map<PartitionSlot, CachedRun[]>();

  /**
   * Stamps the run's batches in place with their offsets and epoch, and serves them from then on.
   * Runs of a partition are added in offset order.
   */
  add(key: PartitionSlot, run: CachedRun): void {
    const { batchOffsets, batchPositions, leaderEpoch, slot } = run;
    for (let index = 0; index < batchOffsets.length; index++) {
      stampBatch(slot.bytes, batchPositions[index] as number, {
        baseOffset: batchOffsets[index] as number,
        leaderEpoch,
      });
    }
    const runs = this.#partitions.get(key);
    if (runs === undefined) this.#partitions.set(key, [run]);
    else runs.push(run);
    slot.onEvict(() => this.#remove(key, run));
  }

  /** Whether the batch that holds `offset` is here. */
  holds(key: PartitionSlot, offset: number): boolean {
    const runs = this.#partitions.get(key);
    return runs !== undefined && runIndexOf(runs, offset) >= 0;
  }

  /**
   * Whole batches from the one that holds `offset`, up to `bytesMax` but at least one where
   * `atLeastOne` says so; undefined when that offset is not cached.
   */
  read(
    key: PartitionSlot,
    options: { readonly offset: number; readonly bytesMax: number; readonly atLeastOne: boolean },
  ): CachedRange | undefined {
    const runs = this.#partitions.get(key);
    if (runs === undefined) return undefined;
    let index = runIndexOf(runs, options.offset);
    if (index < 0) return undefined;
    const range: CachedRange = { views: [], bytes: 0, nextOffset: options.offset };
    for (let run = runs[index]; run !== undefined; run = runs[++index]) {
      if (range.bytes > 0 && run.baseOffset !== range.nextOffset) break;
      if (!takeBatches(range, run, options)) break;
    }
    return range;
  }

  /** Forgets what is of leader epochs before this one: the log was cut, nobody knows where. */
  forgetBefore(key: PartitionSlot, leaderEpoch: number): void {
    const runs = this.#partitions.get(key);
    if (runs === undefined) return;
    const kept = runs.filter((run) => run.leaderEpoch >= leaderEpoch);
    if (kept.length === runs.length) return;
    if (kept.length > 0) this.#partitions.set(key, kept);
    else this.#partitions.delete(key);
  }

  #remove(key: PartitionSlot, run: CachedRun): void {
    const runs = this.#partitions.get(key);
    if (runs === undefined) return;
    const index = runs[0] === run ? 0 : runs.indexOf(run);
    if (index >= 0) runs.splice(index, 1);
    if (runs.length === 0) this.#partitions.delete(key);
  }
}

/** Adds batches of `run` from `range.nextOffset` on; false when the limit was met. */
function takeBatches(
  range: CachedRange,
  run: CachedRun,
  { bytesMax, atLeastOne }: { readonly bytesMax: number; readonly atLeastOne: boolean },
): boolean {
  const { batchOffsets, batchPositions } = run;
  const first = floorIndex(batchOffsets, range.nextOffset);
  const start = batchPositions[first] as number;
  let last = first;
  while (last < batchOffsets.length) {
    const end = batchPositions[last + 1] as number;
    const fits = range.bytes + end - start <= bytesMax;
    if (!fits && (range.bytes > 0 || last > first || !atLeastOne)) break;
    last++;
    if (!fits) break;
  }
  if (last === first) return false;
  const end = batchPositions[last] as number;
  range.views.push({ bytes: run.slot.bytes.subarray(start, end), slot: run.slot });
  range.bytes += end - start;
  const whole = last === batchOffsets.length;
  range.nextOffset = whole ? run.nextOffset : (batchOffsets[last] as number);
  return whole;
}

function runIndexOf(runs: readonly CachedRun[], offset: number): number {
  let low = 0;
  let high = runs.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const run = runs[middle] as CachedRun;
    if (offset < run.baseOffset) high = middle - 1;
    else if (offset >= run.nextOffset) low = middle + 1;
    else return middle;
  }
  return -1;
}

/** Index of the last of `values` (ascending) that is at or below `value`; 0 when none is. */
function floorIndex(values: readonly number[], value: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((values[middle] as number) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

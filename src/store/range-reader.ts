/**
 * Reads many ranges with few requests: ranges of one object that lie near each other come in one
 * read, and whoever wants what is already on its way waits for it. On the cold read path, between
 * `log/fetch` and the store: a request costs the same for one byte as for megabytes.
 */
import { assert, present } from "../base/assert.ts";
import type { ObjectLocation, ObjectStore } from "./object-store.ts";

export interface RangeReaderOptions {
  readonly store: Pick<ObjectStore, "read">;
  /** Bytes between two ranges that are read along rather than asked around. */
  readonly gapBytesMax: number;
  /** Ranges are joined up to this length; a longer single range is still read at once. */
  readonly readBytesMax: number;
}

/** One read of the store, with the indexes of the ranges that it serves. */
export interface PlannedRead extends ObjectLocation {
  readonly parts: readonly number[];
}

interface SharedRead extends ObjectLocation {
  readonly bytes: Promise<Uint8Array>;
  readonly abort: AbortController;
  waiters: number;
}

export class RangeReader {
  readonly #options: RangeReaderOptions;
  /** Reads under way, by key. */
  readonly #underWay = new Map<string, Set<SharedRead>>();

  constructor(options: RangeReaderOptions) {
    this.#options = options;
  }

  /**
   * Reads `ranges`, results in their order. They are views that may share a buffer with each other
   * and with other callers: read them, never write them, copy what is kept for long. Errors: the
   * first of the store's; `signal` ends the wait, and a read for which nobody waits any more.
   */
  async read(ranges: readonly ObjectLocation[], signal?: AbortSignal): Promise<Uint8Array[]> {
    signal?.throwIfAborted();
    const results = new Array<Uint8Array>(ranges.length);
    const plan = planReads(ranges, this.#options);
    await Promise.all(
      plan.map(async (planned) => {
        const shared = this.#join(planned);
        const bytes = await this.#wait(shared, signal);
        for (const index of planned.parts) {
          const range = present(ranges[index], "range");
          const start = range.position - shared.position;
          results[index] = bytes.subarray(start, start + range.length);
        }
      }),
    );
    return results;
  }

  /** A read under way that covers the range, or a new one. */
  #join(range: ObjectLocation): SharedRead {
    const reads = this.#underWay.get(range.key) ?? new Set<SharedRead>();
    for (const read of reads) {
      const covers =
        read.position <= range.position &&
        read.position + read.length >= range.position + range.length;
      if (covers && !read.abort.signal.aborted) return read;
    }
    const abort = new AbortController();
    const { key, position, length } = range;
    const bytes = this.#options.store.read({ key, position, length }, abort.signal);
    const read: SharedRead = { key, position, length, bytes, abort, waiters: 0 };
    this.#underWay.set(key, reads.add(read));
    const leave = () => {
      reads.delete(read);
      if (reads.size === 0 && this.#underWay.get(key) === reads) this.#underWay.delete(key);
    };
    bytes.then(leave, leave);
    return read;
  }

  async #wait(read: SharedRead, signal: AbortSignal | undefined): Promise<Uint8Array> {
    read.waiters += 1;
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([read.bytes, aborted.promise]);
    } finally {
      signal?.removeEventListener("abort", onAbort);
      read.waiters -= 1;
      if (read.waiters === 0) read.abort.abort(new Error("nobody waits for this read any more"));
    }
  }
}

/** Joins ranges into reads: near ones of one object, in order of position. */
export function planReads(
  ranges: readonly ObjectLocation[],
  limits: Pick<RangeReaderOptions, "gapBytesMax" | "readBytesMax">,
): PlannedRead[] {
  const plan: PlannedRead[] = [];
  const byKey = Map.groupBy(ranges.keys(), (index) => present(ranges[index], "range").key);
  for (const [key, indexes] of byKey) {
    const at = (index: number) => present(ranges[index], "range");
    indexes.sort((a, b) => at(a).position - at(b).position);
    let position = 0;
    let end = 0;
    let parts: number[] = [];
    for (const index of indexes) {
      const range = at(index);
      assert(range.position >= 0 && range.length >= 0, "a range is not negative");
      const joinedEnd = Math.max(end, range.position + range.length);
      const near = range.position - end <= limits.gapBytesMax;
      if (parts.length > 0 && near && joinedEnd - position <= limits.readBytesMax) {
        end = joinedEnd;
        parts.push(index);
        continue;
      }
      if (parts.length > 0) plan.push({ key, position, length: end - position, parts });
      position = range.position;
      end = range.position + range.length;
      parts = [index];
    }
    plan.push({ key, position, length: end - position, parts });
  }
  return plan;
}

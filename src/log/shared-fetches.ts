/**
 * Reads of followers that ask for the same stretch of a partition while somebody still works on it
 * get the same chunks: bytes are copied, and their sums checked, once for all queries on a topic.
 * Queries at the end of a topic wake together for each publish and so always meet here; those that
 * catch up meet while they keep pace.
 *
 * Records never change, so what is in use is as good as what would be read. Nothing is kept for
 * those who may come later: that is what the caches of the log are for.
 */
import type { FetchedPartition, FetchRequest, LogService } from "./log-types.ts";

/** Beyond these the oldest is forgotten: its chunks are the garbage collector's then. */
const sharesMax = 64;

interface Share {
  readonly name: string;
  readonly found: Promise<readonly FetchedPartition[]>;
  /** What was found, once it was. */
  items: readonly FetchedPartition[];
  users: number;
}

export class SharedFetches implements Pick<LogService, "fetch" | "release"> {
  readonly #log: Pick<LogService, "fetch" | "release">;
  /** Oldest first. */
  readonly #shares = new Map<string, Share>();
  /** By the first chunk of what was found. */
  readonly #byChunk = new Map<Uint8Array, Share>();

  constructor(log: Pick<LogService, "fetch" | "release">) {
    this.#log = log;
  }

  /** As the log's `fetch`; every call that gives chunks is to be met by one of `release`. */
  async fetch(request: FetchRequest): Promise<readonly FetchedPartition[]> {
    const name = nameOf(request);
    const share = this.#shares.get(name) ?? this.#begin(name, request);
    share.users += 1;
    return await share.found;
  }

  /** Chunks go back to the log with the last of their users. */
  release(fetched: readonly FetchedPartition[]): void {
    for (const { chunks } of fetched) {
      for (const chunk of chunks) {
        const share = this.#byChunk.get(chunk);
        if (share === undefined) continue;
        share.users -= 1;
        if (share.users > 0) continue;
        this.#drop(share);
        this.#log.release(share.items);
      }
    }
  }

  #begin(name: string, request: FetchRequest): Share {
    const share: Share = { name, users: 0, items: [], found: this.#log.fetch(request) };
    this.#shares.set(name, share);
    share.found.then(
      (items) => this.#settle(share, items),
      () => this.#drop(share),
    );
    const [oldest] = this.#shares.values();
    if (this.#shares.size > sharesMax && oldest !== undefined) this.#drop(oldest);
    return share;
  }

  #settle(share: Share, items: readonly FetchedPartition[]): void {
    if (this.#shares.get(share.name) !== share) return;
    share.items = items;
    const first = firstChunk(items);
    // Where there was nothing, whoever asks next may find more.
    if (first === undefined) this.#drop(share);
    else this.#byChunk.set(first, share);
  }

  #drop(share: Share): void {
    if (this.#shares.get(share.name) === share) this.#shares.delete(share.name);
    const first = firstChunk(share.items);
    if (first !== undefined) this.#byChunk.delete(first);
  }
}

function nameOf({ partitions, bytesMax }: FetchRequest): string {
  const asked = partitions.map(
    ({ topicId, partition, fetchOffset }) => `${topicId}/${partition}/${fetchOffset}`,
  );
  return `${asked.join()}/${bytesMax}`;
}

function firstChunk(items: readonly FetchedPartition[]): Uint8Array | undefined {
  return items.find(({ chunks }) => chunks.length > 0)?.chunks[0];
}

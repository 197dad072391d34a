/**
 * Reads of followers that ask for the same stretch of a partition while somebody still works on it
 * get the same chunks: bytes are copied, and their sums checked, once for all queries on a topic.
 * Queries at the end of a topic wake together for each publish and so always meet here; those that
 * catch up meet while they keep pace.
 *
 * What two or more of them read is also decompressed once for all, in a thread of the runtime's.
 * One that reads alone decompresses for itself: nothing goes through another thread.
 *
 * Records never change, so what is in use is as good as what would be read. Nothing is kept for
 * those who may come later: that is what the caches of the log are for.
 */
import { readBatchHeader } from "../record/batch.ts";
import type { FetchedPartition, FetchRequest, LogService } from "./log-types.ts";

/** Beyond these the oldest is found no more: who has it gives it back all the same. */
const sharesMax = 64;
/** Decompressed bytes in use at a time; what goes beyond its readers decompress for themselves. */
const inflatedBytesMax = 64 * 1024 * 1024;
/** Partitions remembered of which the last stretch had several readers. */
const popularMax = 4096;

/** Decompresses off the event loop. */
export interface Inflater {
  /**
   * The batches of the chunks, which lie in shared memory, one behind the other and decompressed;
   * in shared memory, to be given back. Null: it cannot be, or is more than `bytesMax`.
   */
  inflate(chunks: readonly Uint8Array[], bytesMax: number): Promise<Uint8Array | null>;
  giveBack(bytes: Uint8Array): void;
}

interface Share {
  readonly name: string;
  /** The partition that is asked for. */
  readonly place: string;
  readonly found: Promise<readonly FetchedPartition[]>;
  /** What was found, once it was. */
  items: readonly FetchedPartition[];
  users: number;
  /** Of all that ever asked. */
  joined: number;
  /** Of `items`, those that were decompressed here. */
  inflated: Uint8Array[];
}

export class SharedFetches implements Pick<LogService, "fetch" | "release"> {
  readonly #log: Pick<LogService, "fetch" | "release">;
  /** Oldest first. */
  readonly #shares = new Map<string, Share>();
  /** By the first chunk of what was found. */
  readonly #byChunk = new Map<Uint8Array, Share>();
  readonly #inflater: Inflater | undefined;
  /** Places whose last stretch had several readers. */
  readonly #popular = new Set<string>();
  #inflatedBytes = 0;

  constructor(log: Pick<LogService, "fetch" | "release">, inflater?: Inflater) {
    this.#log = log;
    this.#inflater = inflater;
  }

  /** As the log's `fetch`; every call that gives chunks is to be met by one of `release`. */
  async fetch(request: FetchRequest): Promise<readonly FetchedPartition[]> {
    const name = nameOf(request);
    const share = this.#shares.get(name) ?? this.#begin(name, request);
    share.users += 1;
    share.joined += 1;
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
        this.#forget(share);
        this.#byChunk.delete(chunk);
        this.#letGo(share);
      }
    }
  }

  #begin(name: string, request: FetchRequest): Share {
    const read = Promise.withResolvers<readonly FetchedPartition[]>();
    const share: Share = {
      ...{ name, place: placeOf(request), found: read.promise },
      ...{ users: 0, joined: 0, items: [], inflated: [] },
    };
    this.#shares.set(name, share);
    this.#read(share, request).then(read.resolve, read.reject);
    share.found.then(
      (items) => this.#settle(share, items),
      () => this.#forget(share),
    );
    const [oldest] = this.#shares.values();
    if (this.#shares.size > sharesMax && oldest !== undefined) this.#forget(oldest);
    return share;
  }

  async #read(share: Share, request: FetchRequest): Promise<readonly FetchedPartition[]> {
    const items = await this.#log.fetch(request);
    const inflater = this.#inflater;
    const isWanted = share.joined > 1 || this.#popular.has(share.place);
    if (inflater === undefined || !isWanted || !items.some(isPacked)) return items;
    return await Promise.all(items.map((item) => this.#inflate(share, { item, inflater })));
  }

  async #inflate(
    share: Share,
    { item, inflater }: { readonly item: FetchedPartition; readonly inflater: Inflater },
  ): Promise<FetchedPartition> {
    const { chunks } = item;
    const bytesLeft = inflatedBytesMax - this.#inflatedBytes;
    if (!isPacked(item) || bytesLeft <= 0 || !chunks.every(isShared)) return item;
    // What is under way counts as what it will be at least.
    const packedBytes = item.bytes;
    this.#inflatedBytes += packedBytes;
    const bytes = await inflater.inflate(chunks, bytesLeft);
    this.#inflatedBytes -= packedBytes;
    if (bytes === null) return item;
    this.#inflatedBytes += bytes.length;
    share.inflated.push(bytes);
    this.#log.release([item]);
    return { ...item, chunks: [bytes] };
  }

  /** Nobody uses it any more. */
  #letGo({ items, inflated, joined, place }: Share): void {
    this.#popular.delete(place);
    if (joined > 1) this.#popular.add(place);
    const [oldest] = this.#popular;
    if (this.#popular.size > popularMax && oldest !== undefined) this.#popular.delete(oldest);
    for (const bytes of inflated) {
      this.#inflatedBytes -= bytes.length;
      this.#inflater?.giveBack(bytes);
    }
    const isOurs = ({ chunks: [first] }: FetchedPartition) =>
      first !== undefined && inflated.includes(first);
    this.#log.release(items.filter((item) => !isOurs(item)));
  }

  #settle(share: Share, items: readonly FetchedPartition[]): void {
    share.items = items;
    const first = firstChunk(items);
    // Where there was nothing, whoever asks next may find more.
    if (first === undefined) this.#forget(share);
    else this.#byChunk.set(first, share);
  }

  /** Who asks for the same from now on reads it anew. */
  #forget(share: Share): void {
    if (this.#shares.get(share.name) === share) this.#shares.delete(share.name);
  }
}

function placeOf({ partitions }: FetchRequest): string {
  return partitions.map(({ topicId, partition }) => `${topicId}/${partition}`).join();
}

function isPacked({ chunks: [first] }: FetchedPartition): boolean {
  return first !== undefined && readBatchHeader(first).codec !== "none";
}

function isShared({ buffer }: Uint8Array): boolean {
  return !(buffer instanceof ArrayBuffer);
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

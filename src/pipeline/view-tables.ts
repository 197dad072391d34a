/**
 * The tables of materialized views on this worker: made when a view is first read here, kept up
 * with its topic while it is used, dropped when nobody has asked for a while. Their memory has one
 * bound together; past it those go that were not asked for longest.
 */
import type { Platform } from "../base/platform.ts";
import { isStreamError, StreamError } from "../base/stream-error.ts";
import type { Log } from "../log/log.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import type { StreamEntry } from "../sql/check/catalog.ts";
import { gone, memoryExceeded, ViewFeed } from "./view-feed.ts";
import type { Pages } from "./view-pages.ts";
import type { StartViews, ViewHost } from "./view-protocol.ts";
import type { ViewSetup, ViewStatement } from "./view-table.ts";

export interface ViewSettings {
  /** Of all tables together, and of each: 8 MiB to 2 GiB. */
  readonly memoryBytesMax: number;
  /** After so long without a reader a table goes. */
  readonly idleMs: number;
  /** Changes kept behind the end, for followers who come back. */
  readonly changesMax: number;
}

const viewSettingsDefault: ViewSettings = {
  memoryBytesMax: 512 * 1024 * 1024,
  idleMs: 10 * 60_000,
  changesMax: 65_536,
};

export interface ViewTablesParts {
  readonly platform: Platform;
  readonly log: Pick<
    Log,
    "fetch" | "release" | "status" | "follow" | "sync" | "endOffset" | "epochEnd"
  >;
  readonly startViews: StartViews;
  readonly settings?: Partial<ViewSettings>;
}

/** Followers far behind the end have tables of their own, so many at once. */
const detachedMax = 4;
/** A view that found no room is not tried again before this. */
const refusalMs = 30_000;
/** Changes are kept so long after the last follower has gone: it may come back. */
const lingerMs = 60_000;

/** A view by its catalog entry, with the topic that the entry means now. */
export interface ViewRef {
  readonly entry: StreamEntry;
  readonly topic: TopicInfo;
}

export class ViewTables {
  readonly #parts: ViewTablesParts;
  readonly #settings: ViewSettings;
  /** By topic id: a view made again is another one. */
  readonly #feeds = new Map<string, Promise<ViewFeed>>();
  readonly #live = new Set<ViewFeed>();
  readonly #refusals = new Map<string, { readonly error: StreamError; readonly until: number }>();
  #host: Promise<ViewHost> | null = null;
  #nextView = 1;
  #detachedCount = 0;
  #sweeping: { cancel(): void } | null = null;
  #isClosed = false;

  constructor(parts: ViewTablesParts) {
    this.#parts = parts;
    this.#settings = { ...viewSettingsDefault, ...parts.settings };
  }

  get platform(): Platform {
    return this.#parts.platform;
  }

  get changesMax(): number {
    return this.#settings.changesMax;
  }

  /** Views that have a table now. */
  get viewCount(): number {
    return this.#live.size;
  }

  get memoryBytes(): number {
    let bytes = 0;
    for (const { state } of this.#live) bytes += state.memoryBytes;
    return bytes;
  }

  /** Whether there is a table of the view with this topic. */
  holds({ topicId }: Pick<TopicInfo, "topicId">): boolean {
    return this.#feeds.has(topicId);
  }

  /**
   * What a statement finds in the view, everything that was published before the call being in it.
   * @throws StreamError `sql_object_unknown`, `sql_memory_exceeded`, `sql_evaluation_failed`
   */
  async read(ref: ViewRef, statement: ViewStatement, signal: AbortSignal): Promise<Pages> {
    const end = await this.endOf(ref);
    const read = async () => {
      const feed = await this.open(ref);
      await feed.reached(end, signal);
      return feed.readPages(statement, signal);
    };
    try {
      return await read();
    } catch (error) {
      // The table was dropped just then, being idle or for want of memory: another takes its place.
      if (this.#isClosed || !isStreamError(error, "shutting_down")) throw error;
      return await read();
    }
  }

  /**
   * Where the view's topic ends, with what peers published before the call. Ends of partitions that
   * are learnt one after the other may be no place at which the topic ever ended: whoever has come
   * there in publish order has all that was there at the call.
   */
  async endOf({ entry, topic }: ViewRef): Promise<number> {
    await this.#parts.log.sync();
    const end = await this.knownEnd(topic);
    if (end === undefined) throw gone(entry.name);
    return end;
  }

  /** The same, as far as it is known here; undefined when the topic is gone. */
  async knownEnd(topic: TopicInfo): Promise<number | undefined> {
    let sum = 0;
    for (let partition = 0; partition < topic.partitionCount; partition++) {
      const end = await this.#parts.log.endOffset(topic, partition);
      if (end === undefined) return undefined;
      sum += end;
    }
    return sum;
  }

  /**
   * Below which place the topic's records are those that whoever read it at these leader epochs
   * had. Of several partitions nobody can tell: none of them is then.
   */
  async keptOf({ entry, topic }: ViewRef, epochs: number): Promise<number> {
    const { log } = this.#parts;
    const partitions = Array.from({ length: topic.partitionCount }, (_, partition) => partition);
    const states = await log.status(partitions.map((partition) => ({ topic, partition })));
    let now = 0;
    for (const status of states) {
      if (status === undefined) throw gone(entry.name);
      now += status.leaderEpoch;
    }
    if (epochs >= now) return Number.MAX_SAFE_INTEGER;
    if (partitions.length > 1) return 0;
    const { endOffset } = await log.epochEnd(topic, 0, epochs);
    return Math.max(0, endOffset);
  }

  /** The view's shared table, which keeps up with the topic. */
  async open(ref: ViewRef): Promise<ViewFeed> {
    const { clock } = this.#parts.platform;
    const { topicId } = ref.topic;
    this.#refuseAgain(topicId);
    let opening = this.#feeds.get(topicId);
    if (opening === undefined) {
      opening = this.#start(ref);
      this.#feeds.set(topicId, opening);
    }
    const feed = await opening;
    feed.usedAt = clock.monotonic();
    return feed;
  }

  /** A table of the caller's own, empty, which it moves itself and closes. */
  async detached(ref: ViewRef): Promise<ViewFeed> {
    if (this.#detachedCount >= detachedMax) {
      const message =
        `Cannot go on reading "${ref.entry.name}" from so far behind: ${detachedMax} others do ` +
        "so now. Try again later, or begin with a new snapshot";
      throw new StreamError("queue_full", message, { details: { detachedMax } });
    }
    this.#detachedCount += 1;
    try {
      const feed = await this.#make(ref);
      // It is in use as long as it is there.
      feed.followerCount = 1;
      await feed.open();
      return feed;
    } catch (error) {
      this.#detachedCount -= 1;
      throw error;
    }
  }

  closeDetached(feed: ViewFeed): void {
    this.#detachedCount -= 1;
    this.#live.delete(feed);
    feed.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#sweeping?.cancel();
    for (const feed of this.#live) feed.close();
    this.#live.clear();
    const host = await this.#host?.catch(() => null);
    host?.close();
  }

  async #start(ref: ViewRef): Promise<ViewFeed> {
    const { topicId } = ref.topic;
    try {
      const feed = await this.#make(ref);
      await feed.open();
      void feed.run().then(() => this.#forget(feed));
      this.#armSweep();
      return feed;
    } catch (error) {
      this.#feeds.delete(topicId);
      throw error;
    }
  }

  async #make({ entry, topic }: ViewRef): Promise<ViewFeed> {
    const { log, startViews } = this.#parts;
    if (this.#isClosed)
      throw new StreamError("shutting_down", "Cannot read views: the worker stops");
    this.#host ??= startViews();
    let host = await this.#host;
    if (host.hasEnded) {
      this.#host = startViews();
      host = await this.#host;
    }
    const { memoryBytesMax, changesMax } = this.#settings;
    const places = entry.primaryKey.map((key) =>
      entry.columns.findIndex(({ name }) => name === key),
    );
    const setup: ViewSetup = {
      name: entry.name,
      topic: topic.name,
      columns: entry.columns.map(({ name, type, nullable }) => ({ name, type, nullable })),
      key: places,
      isUpdating: entry.changes === "update",
      ...{ memoryBytesMax, changesMax },
    };
    const view = this.#nextView++;
    const onState = (each: ViewFeed) => this.#fit(each);
    const feed = new ViewFeed({ log, platform: this.platform, host, view, topic, setup, onState });
    feed.usedAt = this.#parts.platform.clock.monotonic();
    this.#live.add(feed);
    return feed;
  }

  /** Keeps all tables together within their bound. */
  #fit(current: ViewFeed): void {
    const { memoryBytesMax } = this.#settings;
    let bytes = this.memoryBytes;
    if (bytes <= memoryBytesMax) return;
    const others = [...this.#live]
      .filter((feed) => feed !== current && feed.followerCount === 0)
      .sort((a, b) => a.usedAt - b.usedAt);
    for (const feed of others) {
      if (bytes <= memoryBytesMax) return;
      bytes -= feed.state.memoryBytes;
      this.#drop(feed);
    }
    if (bytes > memoryBytesMax) current.close(memoryExceeded(current.topic.name, memoryBytesMax));
  }

  #drop(feed: ViewFeed): void {
    feed.close();
    this.#forget(feed);
  }

  #forget(feed: ViewFeed): void {
    if (!this.#live.delete(feed)) return;
    const { topicId } = feed.topic;
    this.#feeds.delete(topicId);
    const { failure } = feed;
    if (failure?.code !== "sql_memory_exceeded") return;
    const until = this.#parts.platform.clock.monotonic() + refusalMs;
    this.#refusals.set(topicId, { error: failure, until });
  }

  #refuseAgain(topicId: string): void {
    const refusal = this.#refusals.get(topicId);
    if (refusal === undefined) return;
    if (this.#parts.platform.clock.monotonic() < refusal.until) throw refusal.error;
    this.#refusals.delete(topicId);
  }

  /** Looks now and then for what nobody uses; not while there is nothing. */
  #armSweep(): void {
    if (this.#sweeping !== null || this.#isClosed) return;
    const everyMs = Math.min(this.#settings.idleMs, lingerMs) / 2;
    this.#sweeping = this.#parts.platform.timers.after(everyMs, () => {
      this.#sweeping = null;
      this.#sweep();
      if (this.#live.size > 0) this.#armSweep();
    });
  }

  #sweep(): void {
    const now = this.#parts.platform.clock.monotonic();
    for (const feed of [...this.#live]) {
      if (feed.followerCount > 0) continue;
      const idleMs = now - feed.usedAt;
      if (idleMs >= this.#settings.idleMs) this.#drop(feed);
      else if (idleMs >= lingerMs && feed.state.changesFrom !== null) {
        feed.follow(false).catch(() => {});
      }
    }
  }
}

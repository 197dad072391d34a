/**
 * One materialized view's table and what fills it: the view's topic, read from its start in one
 * order (view-source.ts). A shared one keeps up with the topic by itself, woken by publishes;
 * one of a follower who comes back from far behind is moved by that follower.
 */
import { assert } from "../base/assert.ts";
import type { Platform } from "../base/platform.ts";
import { StreamError } from "../base/stream-error.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import { SharedTurn } from "./shared-turn.ts";
import { Pages, waitingBytesMax } from "./view-pages.ts";
import type { ViewHost, ViewReply } from "./view-protocol.ts";
import { openViewSource, type ViewSource, type ViewSourceLog } from "./view-source.ts";
import type { ViewSetup, ViewState, ViewStatement } from "./view-table.ts";

/** Others are served after so many bytes of a read's rows: some milliseconds. */
const pageBytes = 512 * 1024;

export interface ViewFeedParts {
  readonly log: ViewSourceLog;
  readonly platform: Pick<Platform, "clock" | "timers">;
  readonly host: ViewHost;
  /** Its number in the host. */
  readonly view: number;
  readonly topic: TopicInfo;
  readonly setup: ViewSetup;
  /** Hears of memory taken. */
  readonly onState: (feed: ViewFeed) => void;
}

export class ViewFeed {
  readonly #parts: ViewFeedParts;
  readonly #source: ViewSource;
  readonly #ended = new AbortController();
  readonly #waiting = new Set<() => void>();
  readonly #stillness = new SharedTurn();
  #state: ViewState = { position: 0, changesFrom: null, memoryBytes: 0 };
  /** Where the next fetch begins: what is before it was sent to the table. */
  #sentTo = 0;
  #applying: Promise<void> = Promise.resolve();
  #failure: StreamError | null = null;
  /** Who follows now. */
  followerCount = 0;
  /** By the monotonic clock of whoever keeps it. */
  usedAt = 0;

  constructor(parts: ViewFeedParts) {
    this.#parts = parts;
    this.#source = openViewSource(parts.log, parts.topic);
  }

  get topic(): TopicInfo {
    return this.#parts.topic;
  }

  /** Sum of the topic's leader epochs when reading began. */
  get epochs(): number {
    return this.#source.epochs;
  }

  get state(): ViewState {
    return this.#state;
  }

  get failure(): StreamError | null {
    return this.#failure;
  }

  /** Makes the table, without rows. @throws StreamError `sql_memory_exceeded` */
  async open(): Promise<void> {
    const { host, view, setup } = this.#parts;
    try {
      this.#sentTo = await this.#source.open();
    } catch (error) {
      throw failureOf(error, setup);
    }
    this.#note(await host.send({ kind: "open", view, setup }));
  }

  /** Keeps up with the topic until the feed is closed or fails. Never rejects. */
  async run(): Promise<void> {
    try {
      while (!this.#ended.signal.aborted) await this.#step(Number.MAX_SAFE_INTEGER);
    } catch (error) {
      this.close(failureOf(error, this.#parts.setup));
    }
  }

  /** Reads up to `offset`, no further. For a feed that does not run by itself. */
  async advance(offset: number): Promise<void> {
    while (this.#sentTo < offset && !this.#ended.signal.aborted) await this.#step(offset);
    await this.#applying;
  }

  /** Resolves when every record below `offset` is in the table. */
  async reached(offset: number, signal: AbortSignal): Promise<void> {
    while (this.#state.position < offset) {
      if (signal.aborted) return;
      await this.#moved(signal);
    }
    this.#refuseIfFailed();
  }

  async read(statement: ViewStatement): Promise<ViewReply> {
    const { host, view } = this.#parts;
    this.#refuseIfFailed();
    return this.#note(await host.send({ kind: "read", view, statement }));
  }

  /**
   * Rows of a statement, page by page, as the table is at the first one. Others are served between
   * pages, and the table stands still until the last one is here: up to 64 MiB are taken without
   * waiting for whoever uses them, and who is slower than that is waited for half a minute in all.
   */
  async readPages(statement: ViewStatement, signal: AbortSignal): Promise<Pages> {
    const { host, view } = this.#parts;
    this.#refuseIfFailed();
    const ask = async () => {
      return this.#note(await host.send({ kind: "read", view, statement, pageBytes }));
    };
    const first = await ask();
    if (first.rows?.read == null) return new Pages(first);
    // It is not over with one page: what was applied meanwhile has broken it off.
    const release = await this.#stillness.share(signal);
    const next = async (read: number) => {
      return this.#note(await host.send({ kind: "next", view, read }));
    };
    try {
      this.#refuseIfFailed();
      const second = await next(first.rows.read);
      const pages = second.rows === null ? new Pages(await ask()) : new Pages(first, second);
      void this.#takePages(pages, { next, signal }).finally(release);
      return pages;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Takes what is left of a read. Never rejects: a failure is told behind the last page. */
  async #takePages(
    pages: Pages,
    { next, signal }: { next: (read: number) => Promise<ViewReply>; signal: AbortSignal },
  ): Promise<void> {
    const { host, view, platform } = this.#parts;
    try {
      for (;;) {
        const { read } = pages;
        if (read === null) return pages.end(null);
        if (signal.aborted) {
          await host.send({ kind: "leave", view, read });
          return pages.end(null);
        }
        this.#refuseIfFailed();
        if (!(await pages.room(platform, signal))) {
          await host.send({ kind: "leave", view, read });
          throw tooSlow(this.#parts.setup.name);
        }
        if (signal.aborted) continue;
        const page = await next(read);
        assert(page.rows !== null, "a table stands still while it is read");
        pages.add(page);
      }
    } catch (error) {
      pages.end(error);
    }
  }

  /** Keeps what changes from now on, or stops keeping it. */
  async follow(isFollowed: boolean): Promise<void> {
    const { host, view } = this.#parts;
    this.#refuseIfFailed();
    const release = await this.#stillness.take();
    try {
      this.#note(await host.send({ kind: "follow", view, isFollowed }));
    } finally {
      release();
    }
  }

  /** Ends the table; whoever waits hears of `failure`. */
  close(failure: StreamError | null = null): void {
    if (this.#ended.signal.aborted) return;
    this.#failure = failure ?? closed(this.#parts.setup.name);
    this.#ended.abort();
    const { host, view } = this.#parts;
    // It may not even be open, or its thread be gone: then there is nothing to give back.
    host.send({ kind: "close", view }).catch(() => {});
    this.#wake();
  }

  /** Takes what comes next and sends it on; waits for it when there is nothing yet. */
  async #step(until: number): Promise<void> {
    const { host, view, setup } = this.#parts;
    const found = await this.#source.next(this.#sentTo, this.#ended.signal);
    // One batch is fetched while another is applied.
    await this.#applying;
    if (this.#ended.signal.aborted || found === null) {
      found?.release();
      return;
    }
    const { chunks } = found;
    const nextOffset = Math.min(until, found.nextOffset);
    this.#sentTo = nextOffset;
    const release = await this.#stillness.take();
    const applied = host.send({ kind: "apply", view, chunks, nextOffset });
    found.release();
    this.#applying = applied.finally(release).then((reply) => {
      this.#note(reply);
      this.#wake();
    });
    // It is awaited by the next step; until then a failure is nobody's.
    this.#applying.catch((error: unknown) => this.close(failureOf(error, setup)));
  }

  #note(reply: ViewReply): ViewReply {
    this.#state = reply.state;
    this.#parts.onState(this);
    return reply;
  }

  /** Resolves with the next batch applied, when the feed ends, or on abort. */
  async #moved(signal: AbortSignal): Promise<void> {
    this.#refuseIfFailed();
    await new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener("abort", done);
        this.#waiting.delete(done);
        resolve();
      };
      signal.addEventListener("abort", done, { once: true });
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }

  #refuseIfFailed(): void {
    if (this.#failure !== null) throw this.#failure;
  }
}

export function gone(view: string): StreamError {
  const message = `Cannot go on reading the view "${view}": it was dropped`;
  return new StreamError("sql_object_unknown", message, { details: { view } });
}

function tooSlow(view: string): StreamError {
  const message =
    `Cannot go on reading the view "${view}": the answer is taken too slowly, and the view waits ` +
    "for it. Take it faster, ask for less with WHERE or LIMIT, or read the view's topic";
  return new StreamError("sql_too_large", message, { details: { view, waitingBytesMax } });
}

function closed(view: string): StreamError {
  const message = `Cannot go on reading the view "${view}": its table here was closed; ask again`;
  return new StreamError("shutting_down", message, { details: { view } });
}

const cutCodes: readonly string[] = ["leader_epoch_fenced", "offset_out_of_range"];

function failureOf(error: unknown, { name, memoryBytesMax }: ViewSetup): StreamError {
  if (!(error instanceof StreamError)) {
    const message = `Cannot read the view "${name}": ${String(error)}`;
    return new StreamError("sql_evaluation_failed", message, { cause: error });
  }
  if (error.code === "topic_unknown" || error.code === "topic_id_unknown") return gone(name);
  // What a power loss took may be in the table: the next one is made of what is there.
  if (cutCodes.includes(error.code)) return closed(name);
  if (error.code !== "sql_memory_exceeded") return error;
  return memoryExceeded(name, memoryBytesMax);
}

export function memoryExceeded(name: string, memoryBytesMax: number): StreamError {
  const message =
    `Cannot hold the view "${name}": this worker may use ${memoryBytesMax} bytes for the tables ` +
    "of views. Raise the bound, or read the view's topic";
  return new StreamError("sql_memory_exceeded", message, {
    details: { view: name, memoryBytesMax },
  });
}

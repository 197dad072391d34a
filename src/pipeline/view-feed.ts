/**
 * One materialized view's table and what fills it: the view's topic, read from its start in the
 * order of its only partition. A shared one keeps up with the topic by itself, woken by publishes;
 * one of a follower who comes back from far behind is moved by that follower.
 */
import { StreamError } from "../base/stream-error.ts";
import type { LogService } from "../log/log-types.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import { batchesIn } from "../record/batch.ts";
import type { ViewHost, ViewReply } from "./view-protocol.ts";
import type { ViewSetup, ViewState, ViewStatement } from "./view-table.ts";

export interface ViewFeedParts {
  readonly log: Pick<LogService, "fetch" | "release" | "status">;
  readonly host: ViewHost;
  /** Its number in the host. */
  readonly view: number;
  readonly topic: TopicInfo;
  readonly setup: ViewSetup;
  /** Hears of memory taken. */
  readonly onState: (feed: ViewFeed) => void;
}

/** Bytes that are fetched and applied at once: more than a commit has, so that it shows as one. */
const sliceBytes = 8 * 1024 * 1024;
/** A fetch that waits is made again after this. */
const waitMsMax = 30_000;

export class ViewFeed {
  readonly #parts: ViewFeedParts;
  readonly #ended = new AbortController();
  readonly #waiting = new Set<() => void>();
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
  }

  get topic(): TopicInfo {
    return this.#parts.topic;
  }

  get state(): ViewState {
    return this.#state;
  }

  get failure(): StreamError | null {
    return this.#failure;
  }

  /** Makes the table, without rows. @throws StreamError `sql_memory_exceeded` */
  async open(): Promise<void> {
    const { log, host, view, topic, setup } = this.#parts;
    const [status] = await log.status([{ topic, partition: 0 }]);
    if (status === undefined) throw gone(setup.name);
    this.#sentTo = status.logStartOffset;
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

  /** Keeps what changes from now on, or stops keeping it. */
  async follow(isFollowed: boolean): Promise<void> {
    const { host, view } = this.#parts;
    this.#refuseIfFailed();
    this.#note(await host.send({ kind: "follow", view, isFollowed }));
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

  /** Fetches what comes next and sends it on; waits for it when there is nothing yet. */
  async #step(until: number): Promise<void> {
    const { log, host, view, topic, setup } = this.#parts;
    const [found] = await log.fetch(
      {
        partitions: [
          {
            ...{ topicId: topic.topicId, partition: 0, fetchOffset: this.#sentTo },
            ...{ partitionBytesMax: sliceBytes, currentLeaderEpoch: -1 },
          },
        ],
        ...{ bytesMin: 1, bytesMax: sliceBytes, waitMsMax },
      },
      this.#ended.signal,
    );
    if (found === undefined || found.error === "topic_id_unknown") throw gone(setup.name);
    if (found.error !== undefined) {
      const message = `Cannot read the view "${setup.name}" at offset ${this.#sentTo}`;
      throw new StreamError(found.error, message, { details: { view: setup.name } });
    }
    // One batch is fetched while another is applied.
    await this.#applying;
    if (this.#ended.signal.aborted || found.chunks.length === 0) return;
    const nextOffset = Math.min(until, endOf(found.chunks));
    this.#sentTo = nextOffset;
    const applied = host.send({ kind: "apply", view, chunks: found.chunks, nextOffset });
    log.release([found]);
    this.#applying = applied.then((reply) => {
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

function endOf(chunks: readonly Uint8Array[]): number {
  let end = 0;
  for (const { header } of batchesIn(chunks.at(-1) ?? new Uint8Array())) {
    end = header.baseOffset + header.lastOffsetDelta + 1;
  }
  return end;
}

export function gone(view: string): StreamError {
  const message = `Cannot go on reading the view "${view}": it was dropped`;
  return new StreamError("sql_object_unknown", message, { details: { view } });
}

function closed(view: string): StreamError {
  const message = `Cannot go on reading the view "${view}": its table here was closed; ask again`;
  return new StreamError("shutting_down", message, { details: { view } });
}

function failureOf(error: unknown, { name, memoryBytesMax }: ViewSetup): StreamError {
  if (!(error instanceof StreamError)) {
    const message = `Cannot read the view "${name}": ${String(error)}`;
    return new StreamError("sql_evaluation_failed", message, { cause: error });
  }
  if (error.code === "topic_unknown" || error.code === "topic_id_unknown") return gone(name);
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

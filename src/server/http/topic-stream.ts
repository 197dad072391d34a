/**
 * The events of one reader over all partitions of a topic, for an event stream, a WebSocket or one
 * answer, each with a frame of its own. It holds next offsets, and what it
 * fetched last until that is written; it fetches again only when the client has taken all of it. A
 * client that stops reading for a while is left with its offsets alone: what was fetched for it is
 * let go and fetched again when it wants it.
 *
 * Each event's id is a cursor (wire/http/cursor.ts): the next offsets of all partitions after the
 * event. Whoever presents it again, to any worker, gets exactly the records after the event. The
 * stream opens with an id and no data, so that a client that was cut off before its first record
 * does not begin anew at the end, past records that came meanwhile.
 *
 * Events without a name are records. `gap` says that records were deleted (retention) or lost
 * before the reader came to them; `problem` ends the stream, and the client may come again with its
 * cursor.
 */
import { present } from "../../base/assert.ts";
import type { TimerHandle } from "../../base/platform.ts";
import { isStreamError, StreamError } from "../../base/stream-error.ts";
import type { FetchedPartition, FetchRequest } from "../../log/log-types.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import type { LogRecord } from "../../record/types.ts";
import { advanceCursor, encodeCursor } from "../../wire/http/cursor.ts";
import type { HttpContext } from "./context.ts";
import { fetchError, fetchedRecords, nextOffsetAfter } from "./fetched-batches.ts";
import { noTextYet, pieceLengthMin } from "./text-body.ts";

/** What one fetch may bring: what a slow reader holds, and enough for a fast one. */
const fetchBytesMax = 64 * 1024;
/** How long one fetch waits; new partitions are noticed between fetches. */
const fetchWaitMs = 2_000;
interface FetchLimits {
  readonly waitMsMax: number;
  readonly bytesMax: number;
}

const streamLimits: FetchLimits = { waitMsMax: fetchWaitMs, bytesMax: fetchBytesMax };

/** Silence after which an empty event shows proxies and clients that the stream lives. */
const heartbeatMs = 15_000;
/** How long what was fetched is kept for a client that does not take it. */
const keepMs = 500;
/** Before the stream looks again for room that its next records need. */
const lookMs = 500;
/** Something to tell the reader. */
export interface TopicEvent {
  /** `begin` gives the place before any record, `silence` shows that there are none for a while. */
  readonly kind: "begin" | "record" | "gap" | "problem" | "silence";
  /** The cursor behind the event. */
  readonly cursor: string;
  /** JSON, of the three in the middle. */
  readonly data: string;
}

export interface StreamPiece {
  /** Events in their frames. */
  readonly texts: readonly string[];
  /** Those that the reader asked for: records and gaps. */
  readonly count: number;
  /** The stream ends behind it. */
  readonly isLast: boolean;
}

/** What came of one look. */
export interface PolledEvents {
  readonly texts: readonly string[];
  /** The cursor behind them. */
  readonly cursor: string;
}

/** A record as its event has it, on one line where the frame needs that. */
export type RecordText = (record: LogRecord, partition: number) => string;

export interface TopicStreamOptions {
  readonly topic: TopicInfo;
  /** Next offset by partition; may name fewer partitions than there are. */
  readonly offsets: readonly number[];
  readonly recordText: RecordText;
  /** An event as it is written; not empty. */
  readonly frame: (event: TopicEvent) => string;
  /** It goes on where another one was, whose reader knows the place. */
  readonly isOpened?: boolean;
  /** Ends the stream: the client left or the server stops. */
  readonly signal: AbortSignal;
}

export class TopicStream {
  readonly #context: HttpContext;
  readonly #options: TopicStreamOptions;
  readonly #offsets: number[];
  #topic: TopicInfo;
  /** Events of the last fetch that are not written yet. */
  #events: Iterator<string> | undefined;
  /** The last fetch, while events are made of it. */
  #fetched: readonly FetchedPartition[] = [];
  #letGo: TimerHandle | undefined;
  #isOpened: boolean;
  #isEnded = false;
  #saidAt: number;
  /** The partition asked first: the one that was served last comes last. */
  #firstPartition = 0;

  constructor(context: HttpContext, options: TopicStreamOptions) {
    this.#context = context;
    this.#options = options;
    this.#topic = options.topic;
    this.#isOpened = options.isOpened ?? false;
    this.#offsets = [...options.offsets];
    this.#saidAt = context.platform.clock.monotonic();
  }

  /**
   * When false it waits for no news and says nothing of silence: `next` gives no texts where there
   * is nothing.
   */
  waits = true;

  /** The cursor behind what was given. */
  cursor(): string {
    return this.#cursor();
  }

  /** What to write next, of `countMax` events at most; undefined when the stream has ended. */
  async next(countMax = Number.POSITIVE_INFINITY): Promise<StreamPiece | undefined> {
    const { clock, timers } = this.#context.platform;
    this.#letGo?.cancel();
    const piece = await this.#nextPiece(countMax);
    this.#saidAt = clock.monotonic();
    if (this.#events !== undefined) {
      this.#letGo = timers.after(keepMs, () => this.#dropFetched());
    }
    return piece;
  }

  /**
   * What there is, or comes within `waitMs`: the events of one fetch, of `countMax` at most.
   * @throws StreamError where the events of a stream would end with a problem.
   */
  async poll(limits: {
    readonly waitMs: number;
    readonly bytesMax: number;
    readonly countMax: number;
  }): Promise<PolledEvents> {
    const { waitMs: waitMsMax, bytesMax, countMax } = limits;
    this.#addPartitions();
    const texts: string[] = [];
    try {
      await this.#fetch({ waitMsMax, bytesMax });
      while (this.#events !== undefined && texts.length < countMax) {
        const { texts: more } = this.#takeEvents(countMax - texts.length);
        texts.push(...more);
        if (more.length > 0 || this.#events === undefined) continue;
        // Readers hold all there is: half an answer is one, and none is for later.
        if (texts.length === 0) throw noRoom();
        break;
      }
    } finally {
      this.#dropFetched();
    }
    return { texts, cursor: this.#cursor() };
  }

  async #nextPiece(countMax: number): Promise<StreamPiece | undefined> {
    if (!this.#isOpened) return this.#open();
    try {
      while (!this.#isEnded && !this.#options.signal.aborted) {
        const piece = this.#takeEvents(countMax);
        if (piece.texts.length > 0) return piece;
        const hasNews =
          this.#events === undefined ? await this.#fetch(this.#limits) : await this.#waitForRoom();
        if (!hasNews && !this.waits) return { texts: [], count: 0, isLast: false };
        if (!hasNews && this.#isSilent()) return this.#note("silence");
      }
      return undefined;
    } catch (error) {
      this.#isEnded = true;
      return this.#note("problem", this.#problem(error));
    }
  }

  get #limits(): FetchLimits {
    return this.waits ? streamLimits : { ...streamLimits, waitMsMax: 0 };
  }

  #open(): StreamPiece {
    this.#isOpened = true;
    this.#addPartitions();
    return this.#note("begin");
  }

  /** What nobody asked for. */
  #note(kind: TopicEvent["kind"], data = ""): StreamPiece {
    const text = this.#options.frame({ kind, cursor: this.#cursor(), data });
    return { texts: [text], count: 0, isLast: this.#isEnded };
  }

  #isSilent(): boolean {
    return this.#context.platform.clock.monotonic() - this.#saidAt >= heartbeatMs;
  }

  #cursor(): string {
    return encodeCursor({ topicId: this.#topic.topicId, offsets: this.#offsets });
  }

  /** Events of the fetch at hand, about a piece; none when it is used up. */
  #takeEvents(countMax: number): StreamPiece {
    const texts: string[] = [];
    let length = 0;
    while (this.#events !== undefined && length < pieceLengthMin && texts.length < countMax) {
      const next = this.#events.next();
      if (next.done === true) this.#dropFetched();
      else if (next.value === noTextYet) break;
      else {
        texts.push(next.value);
        length += next.value.length;
      }
    }
    return { texts, count: texts.length, isLast: false };
  }

  /** Events are text by now: the buffers can be used again. */
  #dropFetched(): void {
    this.#events?.return?.();
    this.#events = undefined;
    this.#context.answerMemory.release(this.#fetched);
    this.#context.log.release(this.#fetched);
    this.#fetched = [];
  }

  /** Readers hold all there is: what was fetched is let go, too, and fetched again. */
  async #waitForRoom(): Promise<boolean> {
    this.#dropFetched();
    await this.#context.platform.timers.sleep(lookMs, this.#options.signal);
    return false;
  }

  /** Fetches once; false when there was nothing new. */
  async #fetch(limits = streamLimits): Promise<boolean> {
    const { topics, log } = this.#context;
    const topic = await topics.byId(this.#topic.topicId);
    if (topic === undefined) throw topicGone(this.#topic);
    this.#topic = topic;
    this.#addPartitions();
    const fetched = await log.fetch(this.#request(limits), this.#options.signal);
    const news = fetched.filter((each) => each.bytes > 0 || each.error !== undefined);
    const last = news.at(-1);
    if (last === undefined) return false;
    this.#fetched = fetched;
    this.#firstPartition = (last.partition + 1) % this.#topic.partitionCount;
    this.#events = this.#eventsOf(news);
    return true;
  }

  /** All records of a partition made after the stream began are new to it. */
  #addPartitions(): void {
    while (this.#offsets.length < this.#topic.partitionCount) this.#offsets.push(0);
  }

  /** A cursor may name partitions that this worker has not heard of yet: they wait. */
  #request({ waitMsMax, bytesMax }: FetchLimits): FetchRequest {
    const count = Math.min(this.#offsets.length, this.#topic.partitionCount);
    const { answerMemory: memory } = this.#context;
    const partitions = Array.from({ length: count }, (_, index) => {
      const partition = (this.#firstPartition + index) % count;
      return {
        topicId: this.#topic.topicId,
        partition,
        fetchOffset: present(this.#offsets[partition], "offset of the partition"),
        partitionBytesMax: bytesMax,
        currentLeaderEpoch: -1,
      };
    });
    return { partitions, bytesMin: 1, bytesMax, waitMsMax, memory };
  }

  *#eventsOf(fetched: readonly FetchedPartition[]): Generator<string, void, undefined> {
    for (const each of fetched) {
      if (each.error === undefined) yield* this.#recordEvents(each);
      else yield this.#gap(each);
    }
  }

  *#recordEvents(fetched: FetchedPartition): Generator<string, void, undefined> {
    const { partition } = fetched;
    const fromOffset = present(this.#offsets[partition], "offset of the partition");
    const { codecs } = this.#context.platform;
    const { decompressedBytesMax } = this.#context.settings;
    const { answerMemory: memory } = this.#context;
    const snapshot = this.#cursor();
    const walk = { fromOffset, codecs, decompressedBytesMax, memory };
    for (const record of fetchedRecords(fetched, walk)) {
      if (record === undefined) {
        yield noTextYet;
        continue;
      }
      const cursor = advanceCursor(snapshot, partition, record.offset + 1);
      const data = this.#options.recordText(record, partition);
      const text = this.#options.frame({ kind: "record", cursor, data });
      // Before the text is taken: when the rest is let go, the stream goes on after this record.
      this.#offsets[partition] = record.offset + 1;
      yield text;
    }
    this.#offsets[partition] = nextOffsetAfter(fetched, fromOffset);
  }

  /** Goes on where the log does: at its start, or at its end when it lost its tail. */
  #gap(fetched: FetchedPartition): string {
    const { partition, logStartOffset, highOffset } = fetched;
    const from = present(this.#offsets[partition], "offset of the partition");
    if (fetched.error === "topic_id_unknown") throw topicGone(this.#topic);
    if (fetched.error !== "offset_out_of_range") {
      throw fetchError(fetched, this.#topic.name, from);
    }
    const to = from < logStartOffset ? logStartOffset : highOffset;
    this.#offsets[partition] = to;
    const data = `{"partition":${partition},"from":${from},"to":${to}}`;
    return this.#options.frame({ kind: "gap", cursor: this.#cursor(), data });
  }

  #problem(error: unknown): string {
    const { log } = this.#context.platform;
    if (!isStreamError(error)) log.error("Event stream failed", { error });
    const known = isStreamError(error) ? error : undefined;
    const code = known?.code ?? "internal";
    const detail = known?.message ?? "The server failed in a way it did not expect";
    return JSON.stringify({ code, detail });
  }
}

function noRoom(): StreamError {
  return new StreamError("queue_full", "Cannot answer now: readers in flight hold all there is");
}

function topicGone(topic: TopicInfo): StreamError {
  return new StreamError("topic_unknown", `Topic "${topic.name}" was deleted: the stream ends`);
}

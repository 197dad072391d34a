/**
 * The event stream of one reader over all partitions of a topic. It holds next offsets, and what it
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
import { advanceCursor, encodeCursor } from "../../wire/http/cursor.ts";
import type { HttpContext } from "./context.ts";
import { fetchError, fetchedRecords, nextOffsetAfter } from "./fetched-batches.ts";
import { recordJson } from "./record-json.ts";
import { noTextYet, pieceLengthMin } from "./text-body.ts";

/** What one fetch may bring: what a slow reader holds, and enough for a fast one. */
const fetchBytesMax = 64 * 1024;
/** How long one fetch waits; new partitions are noticed between fetches. */
const fetchWaitMs = 2_000;
/** Silence after which a comment shows proxies and clients that the stream lives. */
const heartbeatMs = 15_000;
/** How long what was fetched is kept for a client that does not take it. */
const keepMs = 500;
/** Before the stream looks again for room that its next records need. */
const lookMs = 500;
/** What a client waits before it comes again. */
const retryMs = 1_000;

export interface TopicStreamOptions {
  readonly topic: TopicInfo;
  /** Next offset by partition; may name fewer partitions than there are. */
  readonly offsets: readonly number[];
  readonly values: "text" | "json";
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
  #isOpened = false;
  #isEnded = false;
  #saidAt: number;
  /** The partition asked first: the one that was served last comes last. */
  #firstPartition = 0;

  constructor(context: HttpContext, options: TopicStreamOptions) {
    this.#context = context;
    this.#options = options;
    this.#topic = options.topic;
    this.#offsets = [...options.offsets];
    this.#saidAt = context.platform.clock.monotonic();
  }

  /** The next text to write; undefined when the stream has ended. */
  async next(): Promise<string | undefined> {
    const { clock, timers } = this.#context.platform;
    this.#letGo?.cancel();
    const text = await this.#nextText();
    this.#saidAt = clock.monotonic();
    if (this.#events !== undefined) {
      this.#letGo = timers.after(keepMs, () => this.#dropFetched());
    }
    return text;
  }

  async #nextText(): Promise<string | undefined> {
    if (!this.#isOpened) return this.#open();
    try {
      while (!this.#isEnded && !this.#options.signal.aborted) {
        const text = this.#takeEvents();
        if (text !== "") return text;
        const hasNews =
          this.#events === undefined ? await this.#fetch() : await this.#waitForRoom();
        if (!hasNews && this.#isSilent()) return ":\n\n";
      }
      return undefined;
    } catch (error) {
      this.#isEnded = true;
      return this.#problem(error);
    }
  }

  #open(): string {
    this.#isOpened = true;
    this.#addPartitions();
    return `retry: ${retryMs}\nid: ${this.#cursor()}\n\n`;
  }

  #isSilent(): boolean {
    return this.#context.platform.clock.monotonic() - this.#saidAt >= heartbeatMs;
  }

  #cursor(): string {
    return encodeCursor({ topicId: this.#topic.topicId, offsets: this.#offsets });
  }

  /** Events of the fetch at hand, about a piece; none when it is used up. */
  #takeEvents(): string {
    let text = "";
    while (this.#events !== undefined && text.length < pieceLengthMin) {
      const next = this.#events.next();
      if (next.done === true) this.#dropFetched();
      else if (next.value === noTextYet) break;
      else text += next.value;
    }
    return text;
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
  async #fetch(): Promise<boolean> {
    const { topics, log } = this.#context;
    const topic = await topics.byId(this.#topic.topicId);
    if (topic === undefined) throw topicGone(this.#topic);
    this.#topic = topic;
    this.#addPartitions();
    const fetched = await log.fetch(this.#request(), this.#options.signal);
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
  #request(): FetchRequest {
    const count = Math.min(this.#offsets.length, this.#topic.partitionCount);
    const { answerMemory: memory } = this.#context;
    const partitions = Array.from({ length: count }, (_, index) => {
      const partition = (this.#firstPartition + index) % count;
      return {
        topicId: this.#topic.topicId,
        partition,
        fetchOffset: present(this.#offsets[partition], "offset of the partition"),
        partitionBytesMax: fetchBytesMax,
        currentLeaderEpoch: -1,
      };
    });
    return { partitions, bytesMin: 1, bytesMax: fetchBytesMax, waitMsMax: fetchWaitMs, memory };
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
    const json = { values: this.#options.values, isOneLine: true, partition };
    const walk = { fromOffset, codecs, decompressedBytesMax, memory };
    for (const record of fetchedRecords(fetched, walk)) {
      if (record === undefined) {
        yield noTextYet;
        continue;
      }
      const id = advanceCursor(snapshot, partition, record.offset + 1);
      const text = `id: ${id}\ndata: ${recordJson(record, json)}\n\n`;
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
    return `id: ${this.#cursor()}\nevent: gap\ndata: ${data}\n\n`;
  }

  #problem(error: unknown): string {
    const { log } = this.#context.platform;
    if (!isStreamError(error)) log.error("Event stream failed", { error });
    const known = isStreamError(error) ? error : undefined;
    const code = known?.code ?? "internal";
    const detail = known?.message ?? "The server failed in a way it did not expect";
    return `event: problem\ndata: ${JSON.stringify({ code, detail })}\n\n`;
  }
}

function topicGone(topic: TopicInfo): StreamError {
  return new StreamError("topic_unknown", `Topic "${topic.name}" was deleted: the stream ends`);
}

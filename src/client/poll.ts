/**
 * Follows a topic by requests that wait for records: where proxies, or a runtime whose answers do
 * not stream, keep events back. A topic of one partition is heard of at once; of several, one is
 * waited for at a time, and all are looked at twice a second.
 */
import { Backoff } from "./backoff.ts";
import type { ServerLink } from "./connection.ts";
import {
  type ConsumedRecord,
  type ConsumeOptions,
  offsetText,
  type RecordJson,
  recordOf,
} from "./consumed-record.ts";
import { hasEnded } from "./follow.ts";
import { asMillraceError, MillraceError } from "./millrace-error.ts";
import { readCursor, type TopicCursor, writeCursor } from "./topic-cursor.ts";

/** Below the time that a request may take to be answered, and what proxies bear. */
const waitMsAlone = 20_000;
const waitMsOfSeveral = 500;

interface Answer {
  readonly records: readonly Omit<RecordJson, "partition">[];
  readonly nextOffset: number;
}

export async function* pollTopic<V>(
  connection: ServerLink,
  topic: string,
  options: ConsumeOptions<V>,
  cursor: string | undefined,
): AsyncGenerator<ConsumedRecord<V>, void> {
  const { signal } = options;
  const poller = new Poller<V>(connection, topic, options);
  const backoff = new Backoff(connection.platform, connection.backoff);
  while (!hasEnded(signal)) {
    try {
      await poller.begin(cursor);
      for (;;) {
        yield* poller.sweep();
        backoff.reset();
      }
    } catch (error) {
      if (hasEnded(signal)) return;
      const failure = asMillraceError(error);
      if (!failure.retriable) throw failure;
      options.onTrouble?.(failure);
      await backoff.wait(signal, failure.retryAfterMs);
    }
  }
}

class Poller<V> {
  readonly #connection: ServerLink;
  readonly #path: string;
  readonly #options: ConsumeOptions<V>;
  #place: TopicCursor | undefined;
  #hadNews = true;
  #waitedFor = 0;

  constructor(connection: ServerLink, topic: string, options: ConsumeOptions<V>) {
    this.#connection = connection;
    this.#path = `/v1/topics/${encodeURIComponent(topic)}`;
    this.#options = options;
  }

  /** Finds where to begin; once. */
  async begin(cursor: string | undefined): Promise<void> {
    if (this.#place !== undefined) return;
    if (cursor !== undefined) {
      this.#place = readCursor(cursor);
      return;
    }
    const { topicId, partitions } = await this.#ask<{ topicId: string; partitions: number }>("");
    const offset = offsetText(this.#options.from);
    const offsets: number[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      if (/^\d/.test(offset)) offsets.push(Number(offset));
      else offsets.push(await this.#firstOffset(partition, offset));
    }
    this.#place = { topicId, offsets };
  }

  /** All partitions once; after a sweep without news it waits for one of them. */
  async *sweep(): AsyncGenerator<ConsumedRecord<V>, void> {
    const count = this.#place?.offsets.length ?? 0;
    if (!this.#hadNews) this.#waitedFor = (this.#waitedFor + 1) % count;
    const waitMs = count === 1 ? waitMsAlone : waitMsOfSeveral;
    const isIdle = !this.#hadNews;
    this.#hadNews = false;
    for (let partition = 0; partition < count; partition++) {
      const isWaiting = isIdle && partition === this.#waitedFor;
      yield* this.#read(partition, isWaiting ? waitMs : 0);
    }
  }

  async *#read(partition: number, waitMs: number): AsyncGenerator<ConsumedRecord<V>, void> {
    const { parse } = this.#options;
    const values = parse === undefined ? "json" : "text";
    const offset = this.#offsetOf(partition);
    let answer: Answer;
    try {
      const query = `offset=${offset}&waitMs=${waitMs}&values=${values}`;
      answer = await this.#ask<Answer>(`/partitions/${partition}/records?${query}`);
    } catch (error) {
      const start = startAfterGap(error, offset);
      if (start === undefined) throw error;
      this.#options.onGap?.({ partition, from: offset, to: start });
      this.#move(partition, start);
      this.#hadNews = true;
      return;
    }
    for (const record of answer.records) {
      this.#hadNews = true;
      this.#move(partition, record.offset + 1);
      const cursor = writeCursor(this.#place as TopicCursor);
      yield recordOf({ ...record, partition }, cursor, parse);
    }
    this.#move(partition, answer.nextOffset);
  }

  #offsetOf(partition: number): number {
    return this.#place?.offsets[partition] ?? 0;
  }

  #move(partition: number, nextOffset: number): void {
    if (this.#place === undefined) return;
    const { topicId, offsets } = this.#place;
    this.#place = {
      topicId,
      offsets: offsets.map((offset, index) => (index === partition ? nextOffset : offset)),
    };
  }

  async #firstOffset(partition: number, offset: string): Promise<number> {
    const path = `/partitions/${partition}/records?maxBytes=1&offset=${offset}`;
    const { records, nextOffset } = await this.#ask<Answer>(path);
    return records[0]?.offset ?? nextOffset;
  }

  async #ask<T>(path: string): Promise<T> {
    const { signal } = this.#options;
    const headers = { Accept: "application/json" };
    const answer = await this.#connection.request(this.#path + path, { headers, signal });
    return (await answer.json()) as T;
  }
}

/** The first record that is left, where those asked for are deleted. */
function startAfterGap(error: unknown, offset: number): number | undefined {
  if (!(error instanceof MillraceError) || error.code !== "offset_out_of_range") return undefined;
  const start = error.details["logStartOffset"];
  return typeof start === "number" && start > offset ? start : undefined;
}

/**
 * Reads partitions of a topic over HTTP. Each partition in its order; between partitions, in the
 * order in which answers come.
 */
import { timers } from "../runtime/node/platform.ts";
import { type ReadAnswer, readAnswer } from "../wire/http/shapes.ts";
import { type ApiClient, isPassing } from "./api-client.ts";
import { CommandError } from "./command.ts";
import { topicPath } from "./topic-view.ts";

export type ReadRecord = ReadAnswer["records"][number];

/** A partition on its way. */
export interface Reading {
  readonly partition: number;
  /** As the API takes it: a number, `earliest` or `timestamp:MS`; numbers after the first read. */
  offset: string;
  /** Read up to here and no further; undefined: for ever. */
  readonly endOffset: number | undefined;
}

export interface ReaderOptions {
  readonly api: ApiClient;
  readonly topic: string;
  readonly readings: readonly Reading[];
  readonly signal: AbortSignal;
  /** Takes records of a partition in order; false ends the reading. Never called twice at once. */
  readonly onRecords: (partition: number, records: readonly ReadRecord[]) => Promise<boolean>;
  /** Says what does not end the reading: a gap, a worker that is away. */
  readonly onTrouble: (message: string) => Promise<void>;
}

/** Requests under way at once. */
const requestsMax = 64;
/** How long a worker holds a request for records that have yet to come. */
const waitMs = 5_000;
/** The same where partitions share the requests. */
const waitMsShared = 200;
const retryDelayMs = 1_000;

/** Reads until all ends are reached, `onRecords` has had enough, or `signal` aborts. */
export async function readPartitions(options: ReaderOptions): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const waiting = options.readings.filter((reading) => !isAtEnd(reading));
  const deliver = inTurn(options, stop);
  const worker = async () => {
    while (!signal.aborted) {
      const reading = waiting.shift();
      if (reading === undefined) return;
      const isShared = options.readings.length > requestsMax;
      const answer = await readOnce(options, { reading, isShared, signal });
      if (answer !== undefined) await deliver(reading, answer);
      if (!isAtEnd(reading)) waiting.push(reading);
    }
  };
  const count = Math.min(requestsMax, waiting.length);
  try {
    await Promise.all(Array.from({ length: count }, worker));
  } finally {
    stop.abort();
  }
}

function isAtEnd({ offset, endOffset }: Reading): boolean {
  return endOffset !== undefined && /^\d+$/.test(offset) && Number(offset) >= endOffset;
}

/** Hands answers to `onRecords` one after the other. */
function inTurn(options: ReaderOptions, stop: AbortController) {
  let last: Promise<void> = Promise.resolve();
  return (reading: Reading, answer: ReadAnswer): Promise<void> => {
    last = last.then(async () => {
      if (stop.signal.aborted || options.signal.aborted) return;
      const { endOffset } = reading;
      const records = answer.records.filter(
        (record) => endOffset === undefined || record.offset < endOffset,
      );
      reading.offset = String(answer.nextOffset);
      if (records.length === 0) return;
      if (!(await options.onRecords(reading.partition, records))) stop.abort();
    });
    return last;
  };
}

async function readOnce(
  options: ReaderOptions,
  request: { readonly reading: Reading; readonly isShared: boolean; readonly signal: AbortSignal },
): Promise<ReadAnswer | undefined> {
  const { reading, isShared, signal } = request;
  const path = `${topicPath(options.topic)}/partitions/${reading.partition}/records`;
  const followWaitMs = isShared ? waitMsShared : waitMs;
  const query = {
    offset: reading.offset,
    waitMs: reading.endOffset === undefined ? followWaitMs : undefined,
  };
  try {
    return await options.api.call(readAnswer, "GET", path, { query, signal });
  } catch (error) {
    if (signal.aborted) return undefined;
    await endure(options, reading, error);
    return undefined;
  }
}

/** Goes on after what may pass; throws what will not. */
async function endure(options: ReaderOptions, reading: Reading, error: unknown): Promise<void> {
  const follows = reading.endOffset === undefined;
  if (error instanceof CommandError && error.code === "offset_out_of_range" && follows) {
    await options.onTrouble(`${error.message}. Going on at the earliest record`);
    reading.offset = "earliest";
  } else if (isPassing(error) && follows) {
    const message = error instanceof Error ? error.message : String(error);
    await options.onTrouble(`${message}. Trying again`);
    await timers.sleep(retryDelayMs, options.signal);
  } else throw error;
}

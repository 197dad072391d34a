/**
 * Reads answers to Fetch as they arrive, chunk by chunk, and keeps nothing of them: a client that
 * first gathers an answer spends more on that than a broker on sending it. Of each batch it looks
 * at the header only.
 *
 * Version 11, the last one of fixed widths:
 *
 *     length correlationId throttleTime int32, error int16, session int32, topics […]:
 *       name string, partitions […]: index int32, error int16, highWatermark lastStable logStart
 *         int64, aborted […]: producerId firstOffset int64; preferredReplica int32, records bytes
 */
import { batchLayout, batchPrefixBytes } from "../../src/record/batch-layout.ts";
import { readInt16, readInt32, readInt64 } from "../../src/record/big-endian.ts";
import { type FetchRequest, fetchApi } from "../../src/wire/kafka/api/fetch.ts";
import { encodeRequestFrame } from "../../src/wire/kafka/request-header.ts";
import type { Broker } from "./broker.ts";
import { checkCode } from "./kafka-client.ts";

const streamedFetchVersion = 11;

const beforeTopicsBytes = 22;
const partitionBytes = 34;
const abortedBytes = 16;

export interface StreamedPartition {
  readonly partition: number;
  readonly bytes: number;
  readonly records: number;
  /** One past the last whole batch; -1 when there is none. */
  readonly nextOffset: number;
}

/** A connection that only fetches; one request under way. */
export class FetchClient {
  readonly #stream: FetchStream;
  #socket: Bun.Socket | undefined;
  #waiting: PromiseWithResolvers<readonly StreamedPartition[]> | undefined;

  private constructor() {
    this.#stream = new FetchStream((partitions) => this.#waiting?.resolve(partitions));
  }

  static async connect({ host: hostname, port }: Broker): Promise<FetchClient> {
    const client = new FetchClient();
    const broken = (error: Error) => client.#waiting?.reject(error);
    client.#socket = await Bun.connect({
      hostname,
      port,
      socket: {
        binaryType: "uint8array",
        open: (socket) => void socket.setNoDelay(true),
        data: (_, chunk) => client.#received(chunk),
        close: () => broken(new Error(`${hostname}:${port} closed the connection`)),
        error: (_, error) => broken(error),
      },
    });
    return client;
  }

  /** Partitions in the order of the answer. */
  fetch(request: FetchRequest): Promise<readonly StreamedPartition[]> {
    const envelope = {
      apiVersion: streamedFetchVersion,
      correlationId: 1,
      clientId: "millrace-bench",
    };
    const { chunks } = encodeRequestFrame(fetchApi, envelope, request);
    this.#waiting = Promise.withResolvers();
    // A request of a few hundred bytes fits any socket.
    for (const chunk of chunks) this.#socket?.write(chunk);
    return this.#waiting.promise;
  }

  close(): void {
    this.#socket?.terminate();
  }

  #received(chunk: Uint8Array): void {
    try {
      this.#stream.push(chunk);
    } catch (error) {
      this.#waiting?.reject(error);
      this.close();
    }
  }
}

/** Positive: so many bytes are wanted, side by side. Negative: so many are passed over. */
type Step = number;

/** Cuts a stream of answers; `onAnswer` hears of each when its last byte has come. */
export class FetchStream {
  readonly #onAnswer: (partitions: readonly StreamedPartition[]) => void;
  readonly #small = new Uint8Array(256);
  #filled = 0;
  #answer: Generator<Step, readonly StreamedPartition[], Uint8Array>;
  #step: Step;

  constructor(onAnswer: (partitions: readonly StreamedPartition[]) => void) {
    this.#onAnswer = onAnswer;
    this.#answer = readAnswer();
    this.#step = this.#first();
  }

  push(chunk: Uint8Array): void {
    let position = 0;
    while (position < chunk.length) {
      const left = chunk.length - position;
      if (this.#step < 0) {
        const passed = Math.min(-this.#step, left);
        position += passed;
        this.#step += passed;
        if (this.#step === 0) this.#next(noBytes);
      } else if (this.#filled === 0 && left >= this.#step) {
        position += this.#step;
        this.#next(chunk.subarray(position - this.#step, position));
      } else {
        const taken = Math.min(this.#step - this.#filled, left);
        this.#small.set(chunk.subarray(position, position + taken), this.#filled);
        position += taken;
        this.#filled += taken;
        if (this.#filled < this.#step) continue;
        this.#filled = 0;
        this.#next(this.#small.subarray(0, this.#step));
      }
    }
  }

  #first(): Step {
    const { value, done } = this.#answer.next();
    if (done) throw new Error("An answer is never empty");
    return value;
  }

  #next(bytes: Uint8Array): void {
    const { value, done } = this.#answer.next(bytes);
    if (!done) {
      this.#step = value;
      return;
    }
    this.#answer = readAnswer();
    this.#step = this.#first();
    this.#onAnswer(value);
  }
}

const noBytes = new Uint8Array(0);

function* readAnswer(): Generator<Step, readonly StreamedPartition[], Uint8Array> {
  const partitions: StreamedPartition[] = [];
  const head = yield beforeTopicsBytes;
  checkCode(readInt16(head, 12), "fetch");
  const topics = readInt32(head, 18);
  for (let topic = 0; topic < topics; topic++) {
    const nameBytes = readInt16(yield 2, 0);
    if (nameBytes > 0) yield -nameBytes;
    const count = readInt32(yield 4, 0);
    for (let each = 0; each < count; each++) partitions.push(yield* readPartition());
  }
  return partitions;
}

function* readPartition(): Generator<Step, StreamedPartition, Uint8Array> {
  const head = yield partitionBytes;
  const partition = readInt32(head, 0);
  checkCode(readInt16(head, 4), `fetch partition ${partition}`);
  const aborted = readInt32(head, 30);
  if (aborted > 0) yield -aborted * abortedBytes;
  const bytes = Math.max(0, readInt32(yield 8, 4));
  let left = bytes;
  let records = 0;
  let nextOffset = -1;
  while (left >= batchLayout.records) {
    const header = yield batchLayout.records;
    const size = batchPrefixBytes + readInt32(header, batchLayout.batchLength);
    const rest = Math.min(size, left) - batchLayout.records;
    // A broker may cut the last batch.
    if (size <= left) {
      const count = readInt32(header, batchLayout.lastOffsetDelta) + 1;
      nextOffset = readInt64(header, batchLayout.baseOffset) + count;
      records += count;
    }
    if (rest > 0) yield -rest;
    left -= Math.min(size, left);
  }
  if (left > 0) yield -left;
  return { partition, bytes, records, nextOffset };
}

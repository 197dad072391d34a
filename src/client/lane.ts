/**
 * One producer's sequence: batches in order, each sent until its fate is known, then the next. A
 * batch is fixed before it is sent for the first time and keeps its place in the sequence
 * (`Producer-Id`, `-Epoch`, `-Seq`), so that sending it again appends nothing twice.
 *
 * Batches are numbered from 0; a batch's sequence is its number less those that were refused,
 * which the server never counted. Where the server's count and ours part for good (it lost records
 * of ours, or we gave a batch up without knowing what became of it), the epoch is raised and the
 * count begins anew at 0: from then on the server takes nothing more of the older epoch.
 */
import { Backoff } from "./backoff.ts";
import type { ServerLink } from "./connection.ts";
import { asMillraceError, MillraceError } from "./millrace-error.ts";

/** Where records went; of one partition they follow each other as they were sent. */
export interface Sent {
  readonly offsets: readonly {
    readonly partition: number;
    readonly baseOffset: number;
    readonly count: number;
  }[];
}

/** Where a lane stands; what a queue on disk keeps of it. */
export interface LanePlace {
  readonly producerId: string;
  readonly producerEpoch: number;
  /** The number of the batch that has sequence 0 of this epoch, less those refused since. */
  readonly base: number;
}

/** What a lane is written to, where it outlives the page. */
export interface LaneStore {
  /** Resolves when the record is on disk. */
  add(batch: number, index: number, text: string): Promise<void>;
  /** The batch's fate is known: forget its records, keep the place. */
  settle(batch: number, place: LanePlace): Promise<void>;
  /** The lane is empty and nobody adds to it any more. */
  forget(): Promise<void>;
}

export interface Waiter {
  resolve(sent: Sent): void;
  reject(error: unknown): void;
}

export interface Batch {
  readonly number: number;
  readonly texts: string[];
  readonly waiters: Waiter[];
  readonly bornAt: number;
  bytes: number;
  /** Nothing is added any more. */
  isSealed: boolean;
  /** Sent by a beacon out of turn, as the only batch of a producer of its own. */
  isApart: boolean;
}

export interface LaneOptions {
  readonly connection: ServerLink;
  readonly topic: string;
  readonly place: LanePlace;
  readonly store?: LaneStore | undefined;
  readonly batches?: readonly Batch[];
  /** How long a batch is tried; with a store for ever. */
  readonly retryForMs: number;
  /** The lane stops for good. */
  readonly signal: AbortSignal;
  readonly onTrouble: (error: unknown) => void;
  readonly onSettled: (batch: Batch) => void;
}

/** Repairs of the sequence per batch: more would mean that the server contradicts itself. */
const repairsMax = 3;
/** Refusals that a sign-in or a restored topic may undo: a queue on disk waits for that. */
const mayPass = new Set([401, 403, 404]);

export class Lane {
  readonly #options: LaneOptions;
  readonly batches: Batch[];
  #place: LanePlace;
  #nextNumber: number;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#place = options.place;
    this.batches = [...(options.batches ?? [])];
    this.#nextNumber = (this.batches.at(-1)?.number ?? options.place.base - 1) + 1;
  }

  get isDurable(): boolean {
    return this.#options.store !== undefined;
  }

  /** Adds a record to the last batch, if it is open and `fits`, or to a new one. */
  add(text: string, waiter: Waiter, fits: (batch: Batch) => boolean): Promise<void> | undefined {
    let batch = this.batches.at(-1);
    if (batch === undefined || batch.isSealed || !fits(batch)) {
      if (batch !== undefined) batch.isSealed = true;
      const bornAt = this.#options.connection.platform.now();
      batch = newBatch(this.#nextNumber++, bornAt);
      this.batches.push(batch);
    }
    batch.texts.push(text);
    batch.waiters.push(waiter);
    batch.bytes += text.length;
    return this.#options.store?.add(batch.number, batch.texts.length - 1, text);
  }

  /** Sends the first batch until its fate is known; returns early only when the lane stops. */
  async deliverFirst(): Promise<void> {
    const [batch] = this.batches;
    if (batch === undefined) return;
    batch.isSealed = true;
    const { signal, connection, onTrouble } = this.#options;
    const backoff = new Backoff(connection.platform, connection.backoff);
    let repairs = 0;
    while (!signal.aborted) {
      let failure: MillraceError;
      try {
        return await this.#settle(batch, { sent: await this.#send(batch) });
      } catch (error) {
        if (signal.aborted) return;
        failure = asMillraceError(error);
      }
      // It was appended, longer ago than the server remembers where.
      if (failure.code === "sequence_duplicate") {
        return await this.#settle(batch, { sent: { offsets: [] } });
      }
      if (isBroken(failure) && repairs < repairsMax) {
        repairs += 1;
        await this.#beginEpoch(batch.number);
        continue;
      }
      const outcome = this.#outcome(batch, failure);
      if (outcome !== undefined) return await this.#settle(batch, outcome);
      onTrouble(failure);
      await backoff.wait(signal, failure.retryAfterMs);
    }
  }

  /** The request that a beacon can make of `batch`: no headers, so all stands in the URL. */
  beacon(batch: Batch): { readonly path: string; readonly body: string } {
    const query = new URLSearchParams({ body: "json", ...this.#headersOf(batch) });
    return { path: `${this.#path}?${query}`, body: bodyOf(batch) };
  }

  async forget(): Promise<void> {
    await this.#options.store?.forget();
  }

  get #path(): string {
    return `/v1/topics/${encodeURIComponent(this.#options.topic)}/records`;
  }

  async #send(batch: Batch): Promise<Sent> {
    const { connection, signal } = this.#options;
    const answer = await connection.request(this.#path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...this.#headersOf(batch) },
      body: bodyOf(batch),
      signal,
    });
    return (await answer.json()) as Sent;
  }

  #headersOf({ number, isApart }: Batch): Record<string, string> {
    const { producerId, producerEpoch, base } = this.#place;
    return {
      "Producer-Id": isApart ? `${producerId}.${number}` : producerId,
      "Producer-Epoch": String(isApart ? 0 : producerEpoch),
      "Producer-Seq": String(isApart ? 0 : number - base),
    };
  }

  /** What ends the batch; undefined: it is tried again. */
  #outcome(batch: Batch, failure: MillraceError): Fate | undefined {
    const { retryForMs, connection } = this.#options;
    const canWait = failure.retriable || (this.isDurable && mayPass.has(failure.status));
    if (!canWait) return { error: failure, isAppended: "no" };
    if (connection.platform.now() - batch.bornAt < retryForMs) return undefined;
    const error = new MillraceError(
      "timed_out",
      `Cannot say whether records were appended: ${retryForMs} ms went by. ${failure.message}`,
      { cause: failure },
    );
    return { error, isAppended: "unknown" };
  }

  async #settle(batch: Batch, fate: Fate): Promise<void> {
    const { producerId, producerEpoch, base } = this.#place;
    if ("error" in fate && fate.isAppended === "unknown" && !batch.isApart) {
      const next = batch.number + 1;
      this.#place = { producerId, producerEpoch: producerEpoch + 1, base: next };
    } else if (batch.isApart || "error" in fate) {
      this.#place = { producerId, producerEpoch, base: base + 1 };
    }
    this.batches.shift();
    await this.#keep(batch.number);
    for (const { resolve, reject } of batch.waiters) {
      if ("error" in fate) reject(fate.error);
      else resolve(fate.sent);
    }
    this.#options.onSettled(batch);
  }

  async #beginEpoch(base: number): Promise<void> {
    const { producerId, producerEpoch } = this.#place;
    this.#place = { producerId, producerEpoch: producerEpoch + 1, base };
    await this.#keep(-1);
  }

  /** What the disk refuses to forget is sent once more by another page, and known to the server. */
  async #keep(settled: number): Promise<void> {
    try {
      await this.#options.store?.settle(settled, this.#place);
    } catch (error) {
      this.#options.onTrouble(asMillraceError(error));
    }
  }
}

type Fate =
  | { readonly sent: Sent }
  | { readonly error: MillraceError; readonly isAppended: "no" | "unknown" };

export function newBatch(number: number, bornAt: number): Batch {
  return {
    ...{ number, bornAt, texts: [], waiters: [], bytes: 0 },
    ...{ isSealed: false, isApart: false },
  };
}

function bodyOf({ texts }: Batch): string {
  return `{"records":[${texts}]}`;
}

/** The server counts otherwise than we do. */
function isBroken({ code }: MillraceError): boolean {
  return code === "sequence_out_of_order" || code === "producer_fenced";
}

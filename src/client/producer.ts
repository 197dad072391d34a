/**
 * Sends records to a topic: gathers them into batches, sends one batch at a time, sends again what
 * got no answer, and never appends anything twice (lane.ts says how). With a queue on disk records
 * outlive the page and the network; without one they live in memory, and what is left when the page
 * goes leaves by `sendBeacon`.
 */
import type { Connection, ServerLink, TopicOf } from "./connection.ts";
import {
  type Batch,
  Lane,
  type LanePlace,
  type LaneStore,
  newBatch,
  type Sent,
  type Waiter,
} from "./lane.ts";
import { asMillraceError, MillraceError, unsaved } from "./millrace-error.ts";
import { page } from "./platform.ts";
import { type RecordFields, recordText } from "./record-text.ts";

export interface SendOptions extends RecordFields {
  /**
   * Ends the waiting. A record that has not begun to leave is taken back; any other, and what lies
   * in a queue on disk, is appended all the same.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Where records wait on disk: `indexedDbQueue(name)`. */
export interface ProducerQueue {
  /**
   * A new lane for this page, and those that pages before it have left behind, oldest first.
   * `later` gets those of pages that are there now, as they go.
   */
  open(
    topic: string,
    producerId: string,
    later: (left: LeftLane) => void,
  ): Promise<{ own: LaneStore; left: readonly LeftLane[] }>;
}

export interface LeftLane {
  readonly place: LanePlace;
  readonly store: LaneStore;
  /** Records by batch, in order; of a batch of which some are settled, from index `done` on. */
  readonly batches: readonly {
    readonly number: number;
    readonly done: number;
    readonly texts: readonly string[];
  }[];
}

export interface ProducerOptions {
  /** How long the first record of a batch waits for others, in milliseconds. Default 10. */
  readonly lingerMs?: number;
  /** A batch ends at so many characters of JSON. Default 262 144. */
  readonly batchBytesMax?: number;
  /** Characters that may wait; more are refused with `queue_full`. Default 16 777 216. */
  readonly queueBytesMax?: number;
  /** How long a batch is tried, in milliseconds; with a queue for ever. Default 120 000. */
  readonly retryForMs?: number;
  /** Keeps records on disk until they are appended. */
  readonly queue?: ProducerQueue;
  /** Names the producer in its topic; by default a random name. With a queue always random. */
  readonly producerId?: string;
  /** An attempt failed and will be made again: the place to show that the network is gone. */
  readonly onTrouble?: (error: MillraceError) => void;
  /** In a page: send by `sendBeacon` what waits when the page goes. Default true. */
  readonly beacons?: boolean;
  /** Stops the producer as `close` does, without waiting for what is under way. */
  readonly signal?: AbortSignal;
}

/** Browsers take 65 536 bytes of all beacons on their way together. */
const beaconBytesMax = 60_000;

export class Producer<V = unknown> {
  readonly topic: string;
  readonly #connection: ServerLink;
  readonly #options: ProducerOptions;
  readonly #stop = new AbortController();
  /** Those left behind, then our own. */
  readonly #lanes: Lane[] = [];
  readonly #opening: Promise<void>;
  /** Records given before the queue on disk was open. */
  readonly #early: (() => void)[] = [];
  #own: Lane | undefined;
  #pumping: Promise<void> | undefined;
  #hurry = new AbortController();
  #bytes = 0;

  constructor(connection: ServerLink, topic: string, options: ProducerOptions) {
    this.topic = topic;
    this.#connection = connection;
    this.#options = options;
    this.#opening = this.#open();
    // Whoever waits hears of it: send, flush and saved all look at `#opening`.
    this.#opening.catch(() => undefined);
    options.signal?.addEventListener("abort", this.#abort);
    if (options.signal?.aborted === true) this.#abort();
    page.addEventListener?.("pagehide", this.#onPageHide);
    page.addEventListener?.("visibilitychange", this.#onVisibility);
  }

  /** Records that are not known to be appended. */
  get waiting(): number {
    const batches = this.#lanes.flatMap((lane) => lane.batches);
    return batches.reduce((sum, { texts }) => sum + texts.length, this.#early.length);
  }

  /**
   * Resolves when the record is appended, with where the records of its request went. Need not be
   * awaited: records keep their order.
   * @throws MillraceError when it is refused; `timed_out` when nobody knows what became of it; the
   * reason of `signal` when that aborts.
   */
  async send(value: V, { signal, ...fields }: SendOptions = {}): Promise<Sent> {
    const text = recordText(value, fields, this.#connection.platform.now());
    signal?.throwIfAborted();
    this.#stop.signal.throwIfAborted();
    const { queueBytesMax = 16_777_216, batchBytesMax = 262_144 } = this.#options;
    if (this.#bytes + text.length > queueBytesMax) {
      throw new MillraceError(
        "queue_full",
        `Cannot take the record: ${this.waiting} wait to be sent to "${this.topic}"`,
        { retriable: true },
      );
    }
    this.#bytes += text.length;
    let leave: (() => void) | undefined;
    return await new Promise<Sent>((resolve, reject) => {
      const waiter = { resolve, reject };
      const add = () => {
        if (signal?.aborted) this.#bytes -= text.length;
        else this.#add(text, waiter, batchBytesMax);
      };
      leave = () => {
        this.#own?.takeBack(waiter);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", leave);
      if (this.#own !== undefined) return add();
      this.#early.push(add);
      this.#opening.catch(reject);
    }).finally(() => leave && signal?.removeEventListener("abort", leave));
  }

  /**
   * Resolves when what was sent so far is on disk, or its fate known; without a queue at once.
   * @throws MillraceError `unsaved` when the disk has no room for some of it.
   */
  async saved(): Promise<void> {
    await this.#opening;
    await Promise.all(this.#own?.batches.flatMap(({ saves }) => saves) ?? []);
  }

  /**
   * Sends what waits now; resolves when the fate of all of it is known. `signal` ends the waiting
   * alone: what waits is sent all the same.
   */
  async flush(signal?: AbortSignal): Promise<void> {
    await this.#opening;
    signal?.throwIfAborted();
    this.#stop.signal.throwIfAborted();
    this.#hurry.abort();
    const last = this.#lanes.flatMap((lane) => lane.batches).at(-1);
    if (last === undefined) return;
    await new Promise<void>((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      last.ends.push({ resolve: () => resolve(), reject });
    });
  }

  /**
   * Sends what waits, then stops. With a queue on disk it leaves there what it cannot send.
   * @throws MillraceError `unsaved`, stopped all the same, when some of it is not on disk.
   */
  async close(): Promise<void> {
    try {
      if (this.#stop.signal.aborted) return;
      await (this.#options.queue === undefined ? this.flush() : this.saved());
    } finally {
      this.#abort();
      await this.#pumping;
    }
  }

  async #open(): Promise<void> {
    const { queue, producerId } = this.#options;
    const id = queue === undefined && producerId ? producerId : this.#connection.platform.id();
    const later = (left: LeftLane) => this.#takeOver(left);
    const opened = await queue?.open(this.topic, id, later).catch((error) => {
      throw unsaved(error);
    });
    for (const { place, store, batches } of opened?.left ?? []) {
      this.#lanes.push(this.#lane(place, store, batches));
    }
    const place = { producerId: id, producerEpoch: 0, base: 0 };
    this.#own = this.#lane(place, opened?.own);
    this.#lanes.push(this.#own);
    for (const add of this.#early.splice(0)) add();
    this.#pump();
  }

  #takeOver({ place, store, batches }: LeftLane): void {
    if (this.#stop.signal.aborted) return;
    // Our own stays the last.
    this.#lanes.splice(-1, 0, this.#lane(place, store, batches));
    this.#pump();
  }

  #lane(place: LanePlace, store?: LaneStore, batches: LeftLane["batches"] = []): Lane {
    const now = this.#connection.platform.now();
    return new Lane({
      connection: this.#connection,
      topic: this.topic,
      place,
      store,
      batches: batches.map(({ number, done, texts }) => ({
        ...newBatch(number, now, texts),
        ...{ done, isSealed: true },
      })),
      retryForMs: store === undefined ? (this.#options.retryForMs ?? 120_000) : Infinity,
      signal: this.#stop.signal,
      onTrouble: (error) => this.#trouble(error),
      onSettled: (bytes) => {
        this.#bytes -= bytes;
      },
    });
  }

  #add(text: string, waiter: Waiter, batchBytesMax: number): void {
    const { signal } = this.#stop;
    if (signal.aborted) {
      waiter.reject(signal.reason);
      return;
    }
    const fits = ({ bytes }: Batch) => bytes + text.length <= batchBytesMax;
    this.#own?.add(text, waiter, fits)?.catch((error) => this.#trouble(error));
    const last = this.#own?.batches.at(-1);
    if (last !== undefined && last.bytes >= batchBytesMax) this.#hurry.abort();
    this.#pump();
  }

  #trouble(error: unknown): void {
    this.#options.onTrouble?.(asMillraceError(error));
  }

  #pump(): void {
    this.#pumping ??= this.#deliver().finally(() => {
      this.#pumping = undefined;
      if (!this.#stop.signal.aborted && this.waiting > 0) this.#pump();
    });
  }

  async #deliver(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const [lane] = this.#lanes;
      if (lane === undefined) return;
      const [batch] = lane.batches;
      if (batch === undefined) {
        if (lane === this.#own) return;
        await lane.forget();
        this.#lanes.shift();
        continue;
      }
      if (!batch.isSealed) await this.#linger(batch.bornAt);
      await lane.deliverFirst();
    }
  }

  async #linger(bornAt: number): Promise<void> {
    const { lingerMs = 10 } = this.#options;
    const { now, sleep } = this.#connection.platform;
    const restMs = bornAt + lingerMs - now();
    if (restMs > 0) await sleep(restMs, this.#hurry.signal);
    if (this.#hurry.signal.aborted) this.#hurry = new AbortController();
  }

  readonly #abort = (): void => {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(closed());
    this.#hurry.abort();
    page.removeEventListener?.("pagehide", this.#onPageHide);
    page.removeEventListener?.("visibilitychange", this.#onVisibility);
    this.#options.signal?.removeEventListener("abort", this.#abort);
    for (const lane of this.#lanes) {
      for (const { waiters, ends } of lane.batches) {
        for (const { reject } of [...waiters, ...ends]) reject(closed());
      }
    }
  };

  /** A hidden page may be ended without another word: what waits goes now. */
  readonly #onVisibility = (): void => {
    if (page.document?.visibilityState === "hidden") this.#hurry.abort();
  };

  /**
   * What was sent by beacon is not settled by it: if the page lives on, or comes back to its queue,
   * it is sent again from its place in the sequence, and the server knows it.
   *
   * Beacons overtake each other, and a server that does not know a producer takes any place for its
   * first: a batch that came before the one in front of it would make that one a repeat. So of a
   * lane on disk only the first batch goes, and the others wait for the next page. In memory, where
   * there is no next page, those behind the first go as producers of their own.
   */
  readonly #onPageHide = (): void => {
    const { beacons = true } = this.#options;
    if (!beacons || page.navigator?.sendBeacon === undefined) return;
    let room = beaconBytesMax;
    for (const lane of this.#lanes) {
      for (const [index, batch] of lane.batches.entries()) {
        if (index > 0 && lane.isDurable) break;
        batch.isSealed = true;
        if (index > 0) batch.apart ??= { sequence: 0 };
        const { path, body } = lane.beacon(batch);
        const blob = new Blob([body], { type: "text/plain" });
        room -= blob.size;
        if (room < 0) return;
        page.navigator.sendBeacon(this.#connection.url + this.#connection.signed(path), blob);
      }
    }
  };
}

function closed(): MillraceError {
  return new MillraceError("closed", "The producer is closed");
}

/** A producer of `topic`. One per topic and page is enough. */
export function producer<T, K extends TopicOf<T>>(
  connection: Connection<T>,
  topic: K,
  options: ProducerOptions = {},
): Producer<T[K]> {
  return new Producer<T[K]>(connection, topic, options);
}

const shared = new WeakMap<object, Map<string, Producer<never>>>();

/**
 * Appends one record; resolves when it is appended. Calls for one topic share a producer, so that
 * many at a time are few requests.
 */
export async function produce<T, K extends TopicOf<T>>(
  connection: Connection<T>,
  topic: K,
  value: T[K],
  options: SendOptions = {},
): Promise<Sent> {
  const known = shared.get(connection) ?? new Map<string, Producer<never>>();
  shared.set(connection, known);
  const used = known.get(topic) ?? producer(connection, topic, { lingerMs: 0 });
  known.set(topic, used as Producer<never>);
  return await (used as Producer<T[K]>).send(value, options);
}

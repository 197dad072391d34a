/**
 * Appends records over HTTP so that a retry never doubles them: requests carry a producer id of
 * their own run and a number each, go one after the other, and are repeated as they were until the
 * worker has answered.
 */
import { timers } from "../runtime/node/platform.ts";
import { type ProduceAnswer, produceAnswer } from "../wire/http/shapes.ts";
import { type ApiClient, isPassing, isRefused } from "./api-client.ts";
import { topicPath } from "./topic-view.ts";

/** A record as the JSON body has it. */
export interface SentRecord {
  readonly key?: string;
  readonly keyBase64?: string;
  readonly value?: string;
  readonly valueBase64?: string;
  readonly partition?: number;
}

/** Where records of one partition went. */
export interface SentRange {
  readonly partition: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly count: number;
}

const attemptsMax = 8;
const retryDelayMs = 250;
const retryDelayMsMax = 5_000;

export class RecordSender {
  readonly #api: ApiClient;
  readonly #topic: string;
  readonly #signal: AbortSignal;
  readonly #producerId = `streamctl-${crypto.randomUUID()}`;
  readonly #ranges = new Map<number, SentRange>();
  #sequence = 0;

  constructor(options: {
    readonly api: ApiClient;
    readonly topic: string;
    readonly signal: AbortSignal;
  }) {
    this.#api = options.api;
    this.#topic = options.topic;
    this.#signal = options.signal;
  }

  /** What was appended so far, by partition. */
  get ranges(): readonly SentRange[] {
    return [...this.#ranges.values()].sort((first, second) => first.partition - second.partition);
  }

  /** Appends the records; resolves once they are stored and published. One call at a time. */
  async send(records: readonly SentRecord[]): Promise<void> {
    const body = JSON.stringify({ records });
    const headers = {
      "content-type": "application/json",
      "producer-id": this.#producerId,
      "producer-epoch": "0",
      "producer-seq": String(this.#sequence),
    };
    const answer = await this.#retried({ body, headers });
    this.#sequence += 1;
    for (const each of answer.offsets) this.#add(each);
  }

  async #retried(request: {
    readonly body: string;
    readonly headers: Readonly<Record<string, string>>;
  }): Promise<ProduceAnswer> {
    const path = `${topicPath(this.#topic)}/records`;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#api.call(produceAnswer, "POST", path, request);
      } catch (error) {
        // Refused at the first request of a run, there is no worker: no use to insist.
        const isStarted = this.#sequence > 0 || !isRefused(error);
        const insists = isStarted && attempt < attemptsMax && !this.#signal.aborted;
        if (!insists || !isPassing(error)) throw error;
        const delayMs = Math.min(retryDelayMsMax, retryDelayMs * 2 ** (attempt - 1));
        await timers.sleep(delayMs, this.#signal);
      }
    }
  }

  #add(range: { readonly partition: number; readonly baseOffset: number; readonly count: number }) {
    const { partition, baseOffset, count } = range;
    const known = this.#ranges.get(partition);
    this.#ranges.set(partition, {
      partition,
      firstOffset: known?.firstOffset ?? baseOffset,
      lastOffset: baseOffset + count - 1,
      count: (known?.count ?? 0) + count,
    });
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `name` or, for bytes that are no UTF-8, `nameBase64`. */
export function jsonContent(name: "key" | "value", bytes: Uint8Array): Partial<SentRecord> {
  try {
    return { [name]: utf8.decode(bytes) };
  } catch {
    return { [`${name}Base64`]: bytes.toBase64() };
  }
}

/**
 * Bids over HTTP for one partition, one request at a time, each sent until it is answered: with
 * Producer-Id and Producer-Seq every bid stands in the topic once. Event times rise with the number.
 */
import { eventually } from "../support/processes.ts";
import { type AskedServer, mayPass } from "./crash-server.ts";

export interface Bid {
  readonly producer: number;
  readonly number: number;
  readonly auction: number;
  readonly price: number;
  readonly ts: string;
}

export const baseTime = Date.UTC(2026, 0, 1);
/** Event time between bids: 50 to a window of ten seconds. */
const stepMs = 200;
const auctionCount = 7;
const bidsPerRequest = 20;

export class BidProducer {
  readonly #topic: string;
  readonly #partition: number;
  readonly #sent: Bid[] = [];
  #request = 0;
  #unanswered: readonly Bid[] = [];

  constructor(topic: string, partition: number) {
    this.#topic = topic;
    this.#partition = partition;
  }

  /** Every bid that was answered, in order. */
  get sent(): readonly Bid[] {
    return this.#sent;
  }

  /** Sends until the server is gone, or until `signal`. */
  async run(server: AskedServer, signal?: AbortSignal): Promise<void> {
    do {
      if (this.#unanswered.length > 0 && !(await this.#post(server))) return;
      const first = this.#sent.length;
      this.#unanswered = Array.from({ length: bidsPerRequest }, (_, index) =>
        this.#bid(first + index),
      );
    } while (signal?.aborted !== true);
  }

  /** Sends the unanswered request until it is answered. */
  async settle(server: AskedServer): Promise<void> {
    await eventually(async () => this.#unanswered.length === 0 || (await this.#post(server)));
  }

  /** A bid at that event time: it moves the watermark over all before. */
  async finish(server: AskedServer, ts: number): Promise<void> {
    this.#unanswered = [{ ...this.#bid(this.#sent.length), ts: new Date(ts).toISOString() }];
    await this.settle(server);
  }

  #bid(number: number): Bid {
    return {
      ...{ producer: this.#partition, number, auction: (number * 5) % auctionCount },
      price: 1 + (number % 97),
      ts: new Date(baseTime + number * stepMs).toISOString(),
    };
  }

  async #post({ httpUrl, headers }: AskedServer): Promise<boolean> {
    const records = this.#unanswered.map((value) => ({ value, partition: this.#partition }));
    const answer = await fetch(`${httpUrl}/v1/topics/${this.#topic}/records`, {
      method: "POST",
      headers: {
        ...headers,
        "Content-Type": "application/json",
        "Producer-Id": `bids-${this.#partition}`,
        "Producer-Epoch": "0",
        "Producer-Seq": String(this.#request),
      },
      body: JSON.stringify({ records }),
    }).catch(() => undefined);
    if (answer === undefined || mayPass(answer)) return false;
    const text = await answer.text().catch(() => undefined);
    if (text === undefined) return false;
    if (!answer.ok) throw new Error(`The server refused bids: ${answer.status} ${text}`);
    this.#sent.push(...this.#unanswered);
    this.#unanswered = [];
    this.#request += 1;
    return true;
  }
}

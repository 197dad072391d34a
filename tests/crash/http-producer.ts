/** The same over HTTP: one request at a time, Producer-Id, Producer-Epoch and Producer-Seq. */
import type { AckedRecord } from "./acked-records.ts";

interface Range {
  readonly partition: number;
  readonly baseOffset: number;
  readonly count: number;
}

export class HttpProducer {
  readonly acked: AckedRecord[] = [];
  readonly #name: string;
  readonly #topic: string;
  readonly #partition: number;
  #request = 0;
  #number = 0;
  #values: readonly string[] = [];

  constructor(options: { name: string; topic: string; partition: number }) {
    this.#name = options.name;
    this.#topic = options.topic;
    this.#partition = options.partition;
  }

  /** Produces until the server is gone. */
  async run(url: string): Promise<void> {
    while (await this.#post(url)) this.#values = [];
  }

  /** Sends the unanswered request once more. */
  async settle(url: string): Promise<void> {
    if (this.#values.length === 0) return;
    if (!(await this.#post(url))) throw new Error("The server is gone");
    this.#values = [];
  }

  async #post(url: string): Promise<boolean> {
    if (this.#values.length === 0) {
      this.#values = [0, 1, 2].map((index) => `${this.#name}:${this.#number + index}`);
      this.#number += 3;
      this.#request += 1;
    }
    const records = this.#values.map((value) => ({ value, partition: this.#partition }));
    const answer = await fetch(`${url}/v1/topics/${this.#topic}/records`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "Producer-Id": this.#name,
        "Producer-Epoch": "0",
        "Producer-Seq": String(this.#request - 1),
      },
      body: JSON.stringify({ records }),
    }).catch(() => undefined);
    if (answer === undefined || answer.status === 503) return false;
    const text = await answer.text().catch(() => undefined);
    if (text === undefined) return false;
    if (!answer.ok) throw new Error(`The server refused records: ${answer.status} ${text}`);
    this.#note(JSON.parse(text) as { offsets: readonly Range[] });
    return true;
  }

  #note({ offsets }: { offsets: readonly Range[] }): void {
    const [range] = offsets;
    if (range === undefined || range.count !== this.#values.length) {
      throw new Error(`An answer for other records: ${JSON.stringify(offsets)}`);
    }
    this.#values.forEach((value, index) => {
      const { partition, baseOffset } = range;
      this.acked.push({ partition, offset: baseOffset + index, value });
    });
  }
}

/** The same over HTTP: one request at a time, Producer-Id, Producer-Epoch and Producer-Seq. */
import type { AckedRecord } from "./acked-records.ts";
import { type AskedServer, mayPass } from "./crash-server.ts";

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
  readonly #isPlain: boolean;
  #request = 0;
  #number = 0;
  #values: readonly string[] = [];

  constructor(options: {
    readonly name: string;
    readonly topic: string;
    readonly partition: number;
    /** Sends no producer headers. */
    readonly isPlain?: boolean;
  }) {
    this.#isPlain = options.isPlain === true;
    this.#name = options.name;
    this.#topic = options.topic;
    this.#partition = options.partition;
  }

  /** Produces until the server is gone, or until `signal`. */
  async run(server: AskedServer, signal?: AbortSignal): Promise<void> {
    while (signal?.aborted !== true && (await this.settle(server))) this.#fill();
  }

  /** Sends the unanswered request once more; whether it was answered. */
  async settle(server: AskedServer): Promise<boolean> {
    if (this.#values.length > 0 && !(await this.#post(server))) return false;
    this.#values = [];
    return true;
  }

  #fill(): void {
    this.#values = [0, 1, 2].map((index) => `${this.#name}:${this.#number + index}`);
    this.#number += 3;
    this.#request += 1;
  }

  async #post({ httpUrl, headers }: AskedServer): Promise<boolean> {
    const records = this.#values.map((value) => ({ value, partition: this.#partition }));
    const answer = await fetch(`${httpUrl}/v1/topics/${this.#topic}/records`, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json", ...this.#place() },
      body: JSON.stringify({ records }),
    }).catch(() => undefined);
    if (answer === undefined || mayPass(answer)) return false;
    const text = await answer.text().catch(() => undefined);
    if (text === undefined) return false;
    if (!answer.ok) throw new Error(`The server refused records: ${answer.status} ${text}`);
    this.#note(JSON.parse(text) as { offsets: readonly Range[] });
    return true;
  }

  #place(): Record<string, string> {
    if (this.#isPlain) return {};
    return {
      "Producer-Id": this.#name,
      "Producer-Epoch": "0",
      "Producer-Seq": String(this.#request - 1),
    };
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

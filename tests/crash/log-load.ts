/**
 * Producers of a topic, Kafka's and HTTP's, that outlive their server, and what must be found in the
 * end: every acknowledged record where its answer said, and those of idempotent producers once and
 * in order.
 */
import { eventually } from "../support/processes.ts";
import { type AckedRecord, type FoundRecord, faultsOf, plainPrefix } from "./acked-records.ts";
import type { AskedServer, CrashServer } from "./crash-server.ts";
import { HttpProducer } from "./http-producer.ts";
import { IdempotentProducer } from "./kafka-producer.ts";

export interface LogLoadOptions {
  readonly topic: string;
  readonly partitions: number;
  readonly random: () => number;
}

export class LogLoad {
  readonly #options: LogLoadOptions;
  readonly #kafka: IdempotentProducer[] = [];
  readonly http: HttpProducer[] = [];

  private constructor(options: LogLoadOptions) {
    this.#options = options;
  }

  /** Makes the topic. */
  static async create(
    { httpUrl, headers }: AskedServer,
    options: LogLoadOptions,
  ): Promise<LogLoad> {
    const { topic, partitions } = options;
    const answer = await fetch(`${httpUrl}/v1/topics`, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json" },
      body: JSON.stringify({ name: topic, partitions }),
    });
    if (!answer.ok) throw new Error(`The topic was not made: ${await answer.text()}`);
    return new LogLoad(options);
  }

  withKafka(): this {
    const { topic, partitions, random } = this.#options;
    for (let partition = 0; partition < partitions; partition++) {
      const name = `kafka${partition}`;
      this.#kafka.push(new IdempotentProducer({ name, topic, partition, inFlightMax: 5, random }));
    }
    return this;
  }

  /** One for each partition, as many with producer headers as `plain` ones without. */
  withHttp({ plain = false } = {}): this {
    const { topic, partitions } = this.#options;
    for (let partition = 0; partition < partitions; partition++) {
      this.http.push(new HttpProducer({ name: `http${partition}`, topic, partition }));
      if (!plain) continue;
      const name = `${plainPrefix}${partition}`;
      this.http.push(new HttpProducer({ name, topic, partition, isPlain: true }));
    }
    return this;
  }

  get acked(): AckedRecord[] {
    return [...this.#kafka, ...this.http].flatMap((producer) => producer.acked);
  }

  /** Each produces until the server is gone. */
  run(server: CrashServer): Promise<void>[] {
    return [
      ...this.#kafka.map((producer) => producer.run(server.bootstrap)),
      ...this.http.map((producer) => producer.run(server)),
    ];
  }

  /** Has everything answered that was not, and reads the topic. */
  async faults(server: AskedServer & { readonly bootstrap?: string }): Promise<string[]> {
    for (const producer of this.#kafka) await producer.settle(server.bootstrap ?? "");
    for (const producer of this.http) {
      await eventually(async () => (await producer.settle(server)) || undefined);
    }
    const faults: string[] = [];
    for (let partition = 0; partition < this.#options.partitions; partition++) {
      const own = this.acked.filter((record) => record.partition === partition);
      faults.push(...faultsOf(partition, own, await this.#read(server, partition)));
    }
    return faults;
  }

  async #read({ httpUrl, headers }: AskedServer, partition: number): Promise<FoundRecord[]> {
    const found: FoundRecord[] = [];
    for (;;) {
      const path = `/v1/topics/${this.#options.topic}/partitions/${partition}/records`;
      const answer = await fetch(`${httpUrl}${path}?offset=${found.length}`, { headers });
      if (!answer.ok) throw new Error(`Reading failed: ${await answer.text()}`);
      const { records } = (await answer.json()) as { records: FoundRecord[] };
      if (records.length === 0) return found;
      found.push(...records);
    }
  }
}

/**
 * Nexmark's queries by Flink, from a topic of a Kafka broker into another. It is given every
 * advantage that costs no result: no checkpoints, a sink without guarantees, state on the heap,
 * one process for all queries whose code an earlier query has warmed, and start-up left out.
 */
import type { Broker } from "../broker.ts";
import { FlinkProgram } from "../flink-program.ts";
import type { BenchOptions } from "../options.ts";
import { eventColumns, eventViews, type NexmarkQuery } from "./queries.ts";
import type { QueryRun, QuerySubject } from "./subject.ts";

/** As Nexmark's own scripts set Flink up; mini-batches help q15 to q17 and change nothing else. */
const configuration = {
  "parallelism.default": "1",
  "pipeline.object-reuse": "true",
  "table.exec.mini-batch.enabled": "true",
  "table.exec.mini-batch.allow-latency": "2 s",
  "table.exec.mini-batch.size": "50000",
  "table.optimizer.distinct-agg.split.enabled": "true",
  "execution.runtime-mode": "STREAMING",
} as const;

export class FlinkQueries implements QuerySubject {
  readonly name = "Flink";
  readonly #flink: FlinkProgram;
  readonly #topic: string;
  readonly #bootstrap: string;
  #runs = 0;

  static async open(
    options: BenchOptions,
    given: { readonly broker: Broker; readonly launcher: readonly string[] },
  ): Promise<FlinkQueries> {
    const { broker, launcher } = given;
    const flink = await FlinkProgram.start(options, { launcher, configuration });
    return new FlinkQueries(flink, options.topic, `${broker.host}:${broker.port}`);
  }

  private constructor(flink: FlinkProgram, topic: string, bootstrap: string) {
    this.#flink = flink;
    this.#topic = topic;
    this.#bootstrap = bootstrap;
  }

  async run(query: NexmarkQuery): Promise<QueryRun> {
    const source =
      `CREATE TABLE nexmark (${eventColumns})\nWITH (${this.#kafka(this.#topic)}, ` +
      "'format' = 'json', 'scan.startup.mode' = 'earliest-offset', " +
      "'scan.bounded.mode' = 'latest-offset')";
    const insert = `INSERT INTO results\n${query.select}`;
    const run = await this.#flink.run([source, ...eventViews, this.#sinkOf(query), insert]);
    return { ...run, rowsOut: undefined };
  }

  async stop(): Promise<void> {
    await this.#flink.stop();
  }

  #sinkOf({ name, columns, key }: NexmarkQuery): string {
    const topic = `${name}-${this.#runs++}`;
    const declared = key === undefined ? columns : `${columns}, PRIMARY KEY (${key}) NOT ENFORCED`;
    const kafka = `${this.#kafka(topic, key === undefined ? "kafka" : "upsert-kafka")}`;
    const format =
      key === undefined ? "'format' = 'json'" : "'key.format' = 'json', 'value.format' = 'json'";
    return `CREATE TABLE results (${declared})\nWITH (${kafka}, ${format}, 'sink.delivery-guarantee' = 'none')`;
  }

  #kafka(topic: string, connector = "kafka"): string {
    return (
      `'connector' = '${connector}', 'topic' = '${topic}', ` +
      `'properties.bootstrap.servers' = '${this.#bootstrap}'`
    );
  }
}

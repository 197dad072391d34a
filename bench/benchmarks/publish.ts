/** What a publish costs in the metadata database, by the entries of the segment. */
import { join } from "node:path";
import { createTopic, type TopicInfo } from "../../src/meta/catalog.ts";
import { migrate } from "../../src/meta/migrate.ts";
import { publish } from "../../src/meta/publish.ts";
import type { PublishRequest } from "../../src/meta/publish-request.ts";
import type { SqlDatabase } from "../../src/meta/sql-database.ts";
import { registerWorker } from "../../src/meta/workers.ts";
import { type TopicName, topicIdFromBytes } from "../../src/record/types.ts";
import { openMetadata } from "../../src/runtime/node/libsql-open.ts";
import type { BenchContext, Benchmark } from "../benchmark.ts";
import type { Figure } from "../support/figures.ts";
import { hasServer, withMetadataServer } from "../support/metadata.ts";
import { removeFolder, temporaryFolder } from "../support/processes.ts";
import { platform } from "../support/record-batches.ts";
import { percentile } from "../support/statistics.ts";

const entryCounts = [1, 16, 64, 256];
const warmUpPublishes = 20;
const recordsPerEntry = 100;
const bytesPerEntry = 10_000;

export const publishBenchmark: Benchmark = {
  name: "publish",
  summary: "one publish by entries, idempotent producers; embedded file, and --metadata or --sqld",
  async run(context) {
    const figures = await onFile(context);
    if (!hasServer(context.options)) return figures;
    const served = await withMetadataServer(context, (url) => measure(context, url, "server"));
    return [...figures, ...served];
  },
};

async function onFile(context: BenchContext): Promise<Figure[]> {
  const folder = temporaryFolder(context.options.folder);
  const { fsync } = context.options;
  const place = `file, fsync ${fsync ? "on" : "off"}`;
  const figures = await measure(context, `file:${join(folder, "metadata.db")}`, place);
  removeFolder(folder);
  return figures;
}

async function measure(
  { options, say }: BenchContext,
  url: string,
  place: string,
): Promise<Figure[]> {
  const token = process.env["MILLRACE_METADATA_TOKEN"] ?? null;
  const database = await openMetadata({ url, authToken: token, fsync: options.fsync });
  const figures: Figure[] = [];
  try {
    await migrate(database);
    const stream = await PublishStream.open(database);
    for (const entries of entryCounts) {
      say(`  ${place}, ${entries} entries`);
      const millis = await stream.run(entries, options.seconds);
      const what = `publish, ${place}, ${entries} entries`;
      const note = `${millis.length} publishes`;
      figures.push({ what: `${what}, p50`, value: percentile(millis, 0.5), unit: "ms", note });
      figures.push({ what: `${what}, p99`, value: percentile(millis, 0.99), unit: "ms" });
    }
  } finally {
    await database.close();
  }
  return figures;
}

/** One worker's segments, one after the other, an entry for each of the first partitions. */
class PublishStream {
  readonly #database: SqlDatabase;
  readonly #workerEpoch: number;
  readonly #topic: TopicInfo;
  readonly #nextSequences: number[] = [];
  #sequence = 0;

  static async open(database: SqlDatabase): Promise<PublishStream> {
    const worker = await registerWorker(database, {
      registration: crypto.randomUUID(),
      kind: "process",
      nodeId: null,
      kafkaHost: null,
      kafkaPort: null,
      httpUrl: null,
    });
    const topic = await createTopic(database, {
      topicId: topicIdFromBytes(platform.random.bytes(16)),
      name: `bench-${crypto.randomUUID().slice(0, 8)}` as TopicName,
      partitionCount: Math.max(...entryCounts),
      replicationFactor: 1,
      config: {},
    });
    return new PublishStream(database, worker.workerEpoch, topic);
  }

  private constructor(database: SqlDatabase, workerEpoch: number, topic: TopicInfo) {
    this.#database = database;
    this.#workerEpoch = workerEpoch;
    this.#topic = topic;
  }

  /** Milliseconds of each publish. */
  async run(entryCount: number, seconds: number): Promise<number[]> {
    const millis: number[] = [];
    const deadline = performance.now() + seconds * 1000;
    for (let count = 0; performance.now() < deadline || count < warmUpPublishes * 2; count++) {
      const request = this.#request(entryCount);
      const since = performance.now();
      const [result] = await publish(this.#database, [request]);
      if (count >= warmUpPublishes) millis.push(performance.now() - since);
      if (result === undefined || result instanceof Error) throw result;
      const refused = result.entries.find(({ code }) => code !== "ok");
      if (refused !== undefined) throw new Error(`An entry was refused: ${refused.code}`);
    }
    return millis;
  }

  #request(entryCount: number): PublishRequest {
    const sequence = ++this.#sequence;
    const key = `segments/bench/${this.#workerEpoch}/${sequence}`;
    const length = entryCount * bytesPerEntry;
    const entries = Array.from({ length: entryCount }, (_, partition) => {
      const firstSequence = this.#nextSequences[partition] ?? 0;
      const lastSequence = firstSequence + recordsPerEntry - 1;
      this.#nextSequences[partition] = lastSequence + 1;
      return {
        group: -1,
        topicNumber: this.#topic.topicNumber,
        partition,
        position: partition * bytesPerEntry,
        length: bytesPerEntry,
        recordCount: recordsPerEntry,
        maxTimestamp: 1_790_000_000_000 + sequence,

        minTimestamp: null,
        producer: {
          id: 1,
          epoch: 0,
          firstSequence,
          lastSequence,
          batches: [[lastSequence, recordsPerEntry, bytesPerEntry] as const],
        },
      };
    });
    const location = { key, position: 0, length };
    return { workerEpoch: this.#workerEpoch, sequence, location, entries, groups: [] };
  }
}

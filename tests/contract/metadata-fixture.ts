/** What the metadata suites share: a database, and short ways to name workers and segments. */
import { StreamError } from "../../src/base/stream-error.ts";
import { createTopic, type TopicInfo } from "../../src/meta/catalog.ts";
import { publish } from "../../src/meta/publish.ts";
import type {
  EntryProducer,
  PublishEntry,
  PublishGroup,
  PublishReceipt,
  PublishRequest,
  PublishResult,
} from "../../src/meta/publish-request.ts";
import type { SqlDatabase } from "../../src/meta/sql-database.ts";
import { registerWorker, type WorkerInfo } from "../../src/meta/workers.ts";
import { type TopicName, topicIdFromBytes } from "../../src/record/types.ts";

/** The code of the error that a promise ends with; its message when it has none. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "fulfilled";
  } catch (error) {
    return error instanceof StreamError ? error.code : String(error);
  }
}

export interface MetadataUnderTest {
  readonly database: SqlDatabase;
  readonly close: () => Promise<void>;
}

/** Opens a migrated database. The same one may come again: suites take names of their own. */
export type OpenMetadata = () => Promise<MetadataUnderTest>;

export function randomText(): string {
  return crypto.getRandomValues(new Uint8Array(8)).toHex();
}

export function newWorker(database: SqlDatabase): Promise<WorkerInfo> {
  return registerWorker(database, {
    registration: randomText(),
    kind: "process",
    nodeId: null,
    kafkaHost: "127.0.0.1",
    kafkaPort: 9092,
    httpUrl: null,
  });
}

export function newTopic(
  database: SqlDatabase,
  options: {
    readonly partitionCount?: number;
    readonly name?: string;
    readonly writer?: string;
  } = {},
): Promise<TopicInfo> {
  return createTopic(database, {
    topicId: topicIdFromBytes(crypto.getRandomValues(new Uint8Array(16))),
    name: (options.name ?? `topic-${randomText()}`) as TopicName,
    partitionCount: options.partitionCount ?? 1,
    replicationFactor: 1,
    config: {},
    ...(options.writer !== undefined && { writer: options.writer }),
  });
}

export interface Run {
  readonly topic: TopicInfo;
  readonly partition?: number;
  readonly count: number;
  readonly group?: number;
  readonly maxTimestamp?: number;
  /** Default: not known. */
  readonly minTimestamp?: number;
  readonly producer?: EntryProducer;
  /** Bytes left free before the run, so that it does not touch the one before. */
  readonly gap?: number;
}

const bytesPerRecord = 10;

/** A worker that publishes runs of 10-byte records, each segment an object of its own. */
export class Publisher {
  readonly database: SqlDatabase;
  readonly workerEpoch: number;
  sequence = 0;

  constructor(database: SqlDatabase, workerEpoch: number) {
    this.database = database;
    this.workerEpoch = workerEpoch;
  }

  static async open(database: SqlDatabase): Promise<Publisher> {
    return new Publisher(database, (await newWorker(database)).workerEpoch);
  }

  request(runs: readonly Run[], groups: readonly PublishGroup[] = []): PublishRequest {
    const sequence = this.sequence++;
    let position = 0;
    const entries = runs.map((run): PublishEntry => {
      position += run.gap ?? 0;
      const length = run.count * bytesPerRecord;
      const entry: PublishEntry = {
        group: run.group ?? -1,
        topicNumber: run.topic.topicNumber,
        partition: run.partition ?? 0,
        position,
        length,
        recordCount: run.count,
        maxTimestamp: run.maxTimestamp ?? 1_000 + sequence,
        minTimestamp: run.minTimestamp ?? null,
        producer: run.producer ?? null,
      };
      position += length;
      return entry;
    });
    const key = `${this.workerEpoch}/${sequence}`;
    const location = entries.length === 0 ? null : { key, position: 0, length: position };
    return { workerEpoch: this.workerEpoch, sequence, location, entries, groups };
  }

  async publish(
    runs: readonly Run[],
    groups: readonly PublishGroup[] = [],
  ): Promise<PublishReceipt> {
    return receiptOf((await publish(this.database, [this.request(runs, groups)]))[0]);
  }
}

export function receiptOf(result: PublishResult | undefined): PublishReceipt {
  if (result === undefined || result instanceof Error) throw result ?? new Error("no result");
  return result;
}

/** A producer's run of batches of the given sizes, from `firstSequence` on. */
export function producerRun(options: {
  readonly id: number;
  readonly epoch?: number;
  readonly firstSequence: number;
  readonly counts: readonly number[];
}): EntryProducer {
  let recordCount = 0;
  const batches = options.counts.map((count) => {
    recordCount += count;
    const lastSequence = wrap(options.firstSequence + recordCount - 1);
    return [lastSequence, recordCount, recordCount * bytesPerRecord] as const;
  });
  return {
    id: options.id,
    epoch: options.epoch ?? 0,
    firstSequence: options.firstSequence,
    lastSequence: wrap(options.firstSequence + recordCount - 1),
    batches,
  };
}

/** Int32 sequences go from 2147483647 to 0. */
export function wrap(sequence: number): number {
  return sequence % 2_147_483_648;
}

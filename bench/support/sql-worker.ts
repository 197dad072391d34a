/** A worker's log and SQL in this process, over a folder, its queries and views in their threads. */
import { join } from "node:path";
import { present } from "../../src/base/assert.ts";
import { silentLogger } from "../../src/base/log.ts";
import { Metrics } from "../../src/base/metrics.ts";
import { folderFlushPolicy } from "../../src/log/flush-policy.ts";
import { Log } from "../../src/log/log.ts";
import { maintenanceDefaults } from "../../src/log/maintenance.ts";
import type { TopicInfo } from "../../src/meta/catalog.ts";
import { BoundedQueries } from "../../src/pipeline/bounded-query.ts";
import { QueryMaker } from "../../src/pipeline/query-maker.ts";
import { QueryManager } from "../../src/pipeline/query-manager.ts";
import { SqlReading } from "../../src/pipeline/sql-reading.ts";
import type { StatementResult } from "../../src/pipeline/sql-result.ts";
import { SqlService } from "../../src/pipeline/sql-service.ts";
import { SqlSession } from "../../src/pipeline/sql-session.ts";
import type { StartTask } from "../../src/pipeline/task-protocol.ts";
import { readBatchHeader } from "../../src/record/batch.ts";
import { encodeBatch } from "../../src/record/batch-encode.ts";
import { openDatabase } from "../../src/runtime/node/open-database.ts";
import { openStore } from "../../src/runtime/node/open-store.ts";
import { createPlatform, type NodePlatform } from "../../src/runtime/node/platform.ts";
import { recordMemory } from "../../src/runtime/node/record-memory.ts";
import { startTaskThread } from "../../src/runtime/node/task-thread.ts";
import { startViewThread } from "../../src/runtime/node/view-thread.ts";
import { parseScript } from "../../src/sql/syntax/parse-script.ts";

const encoder = new TextEncoder();

interface SqlWorkerParts {
  readonly platform: NodePlatform;
  readonly log: Log;
  readonly manager: QueryManager;
  readonly reading: SqlReading;
  readonly service: SqlService;
  readonly closeStores: () => Promise<void>;
}

export class SqlWorker {
  readonly session = new SqlSession();
  readonly #parts: SqlWorkerParts;

  /** `startTask`: where queries run; by themselves in threads of their own. */
  static async open(
    folder: string,
    cacheBytes: number,
    startTask: StartTask = startTaskThread,
  ): Promise<SqlWorker> {
    const policy = folderFlushPolicy;
    const { memory, ring, blocks } = recordMemory(cacheBytes, { policy, shared: true });
    const platform = createPlatform({ log: silentLogger, memory });
    const directory = join(folder, "data");
    const database = await openDatabase({
      ...{ metadata: { kind: "file", path: join(folder, "metadata.db") }, fsync: false },
      metadataToken: undefined,
    });
    const store = await openStore(
      {
        ...{ store: { kind: "folder", directory }, fsync: false, awsRegion: "" },
        ...{ awsAccessKeyId: undefined, awsSecretAccessKey: undefined },
        awsSessionToken: undefined,
      },
      platform,
    );
    const log = new Log({
      ...{ platform, store, database, metrics: new Metrics(), shared: false, flush: policy },
      ...{ ring, blockMemory: blocks, queueBytesMax: 64 * 1024 * 1024, storeMayLoseTail: true },
      topics: { autoCreateTopics: false, partitionCountDefault: 1 },
      maintenance: maintenanceDefaults,
      worker: { kind: "process", kafkaHost: "", kafkaPort: 0, httpUrl: "" },
    });
    await log.open();
    const common = { platform, database, log, topics: log.topics };
    const maker = new QueryMaker(common);
    const manager = new QueryManager({ ...common, identity: log.session, startTask });
    const bounded = new BoundedQueries({ ...common, maker, startTask });
    const reading = new SqlReading({
      ...{ ...common, maker, bounded, startTask, startViews: startViewThread },
    });
    const service = new SqlService({ ...common, manager, maker, bounded, reading });
    const closeStores = async () => {
      await store.close();
      await database.close();
    };
    return new SqlWorker({ platform, log, manager, reading, service, closeStores });
  }

  private constructor(parts: SqlWorkerParts) {
    this.#parts = parts;
  }

  /** The last statement's result; parsing included, as a request has it. */
  async execute(script: string, signal: AbortSignal): Promise<StatementResult> {
    let result: StatementResult | undefined;
    for (const statement of parseScript(script)) {
      result = await this.#parts.service.execute(statement, this.session, signal);
    }
    return present(result, "a statement");
  }

  /** Rows of a SELECT. */
  async rows(script: string): Promise<readonly Uint8Array[]> {
    const result = await this.execute(script, new AbortController().signal);
    const rows: Uint8Array[] = [];
    if (result.kind !== "rows") return rows;
    for await (const chunk of result.rows) rows.push(...chunk.rows);
    return rows;
  }

  async topic(name: string): Promise<TopicInfo> {
    return present(await this.#parts.log.topics.byName(name), `topic ${name}`);
  }

  /** A batch of JSON values. */
  batch(values: readonly string[]): Uint8Array {
    const timestamp = Date.now();
    const records = values.map((value) => ({ timestamp, key: null, value: encoder.encode(value) }));
    return encodeBatch({ records, codec: "none" }, this.#parts.platform);
  }

  async append(topic: TopicInfo, bytes: Uint8Array): Promise<void> {
    const header = readBatchHeader(bytes);
    await this.#parts.log.append({ topic, partition: 0, bytes, header });
  }

  /** Records that the query of a view has committed. */
  done(_view: string): number {
    let records = 0;
    for (const { commit } of this.#parts.manager.running().values()) {
      for (const { nextOffset } of commit?.cursors ?? []) records += nextOffset;
    }
    return records;
  }

  get viewBytes(): number {
    return this.#parts.reading.tables.memoryBytes;
  }

  async close(): Promise<void> {
    const { reading, manager, log, closeStores } = this.#parts;
    await reading.close();
    await manager.close();
    await log.close();
    await closeStores();
  }
}

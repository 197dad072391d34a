/** SQL over a whole log in one process, query tasks in the same thread. */
import type { TopicInfo } from "../../src/meta/catalog.ts";
import { publishTick } from "../../src/meta/publish-order.ts";
import { BoundedQueries } from "../../src/pipeline/bounded-query.ts";
import { LocalTask } from "../../src/pipeline/local-task.ts";
import { LocalViews } from "../../src/pipeline/local-views.ts";
import { QueryMaker } from "../../src/pipeline/query-maker.ts";
import { QueryManager } from "../../src/pipeline/query-manager.ts";
import { SqlReading } from "../../src/pipeline/sql-reading.ts";
import type { ChangeEvent } from "../../src/pipeline/sql-result.ts";
import { SqlService } from "../../src/pipeline/sql-service.ts";
import { SqlSession } from "../../src/pipeline/sql-session.ts";
import type { StartTask, TaskHandle } from "../../src/pipeline/task-protocol.ts";
import type { ViewSettings } from "../../src/pipeline/view-tables.ts";
import { batchesIn, readBatchHeader } from "../../src/record/batch.ts";
import { encodeBatch } from "../../src/record/batch-encode.ts";
import { decodeRecords } from "../../src/record/batch-records.ts";
import { loadSqlModules } from "../../src/runtime/node/wasm-modules.ts";
import type { SqlModules } from "../../src/sql/sqlite/modules.ts";
import { parseScript } from "../../src/sql/syntax/parse-script.ts";
import { type LogStack, openStack } from "./log-stack.ts";
import { until } from "./until.ts";

let modules: SqlModules | undefined;

export interface RecordSeen {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
}

export class SqlStack {
  readonly stack: LogStack;
  readonly service: SqlService;
  readonly manager: QueryManager;
  readonly reading: SqlReading;
  readonly session = new SqlSession();
  /** What is given to a query in the place of each new task. */
  wrapTask: (task: TaskHandle) => TaskHandle = (task) => task;

  static async open(
    parts: Parameters<typeof openStack>[0] = {},
    views: Partial<ViewSettings> = {},
  ): Promise<SqlStack> {
    const stack = await openStack({ ring: new Uint8Array(32 * 1024 * 1024), ...parts });
    return new SqlStack(stack, views);
  }

  constructor(stack: LogStack, views: Partial<ViewSettings> = {}) {
    this.stack = stack;
    const { log, platform, database } = stack;
    modules ??= loadSqlModules();
    const linked = modules;
    const startTask: StartTask = async (setup) =>
      this.wrapTask(new LocalTask({ platform, modules: linked }, setup));
    const common = { platform, database, log, topics: log.topics };
    const maker = new QueryMaker(common);
    this.manager = new QueryManager({ ...common, identity: log.session, startTask });
    const bounded = new BoundedQueries({ ...common, maker, startTask });
    this.reading = new SqlReading({
      ...{ ...common, maker, bounded, startTask, viewSettings: views },
      startViews: async () => new LocalViews({ platform, modules: linked }),
    });
    const { manager, reading } = this;
    this.service = new SqlService({ ...common, manager, maker, bounded, reading });
  }

  /** Runs a script; the rows of its queries as values of JSON, messages as texts. */
  async run(script: string): Promise<unknown[]> {
    const results: unknown[] = [];
    for (const { statement, text } of parseScript(script)) {
      const signal = new AbortController().signal;
      const result = await this.service.execute({ statement, text }, this.session, signal);
      if (result.kind === "done") results.push(result.message);
      else if (result.kind === "rows") {
        const rows: unknown[] = [];
        for await (const chunk of result.rows) {
          for (const row of chunk.rows) rows.push(JSON.parse(new TextDecoder().decode(row)));
        }
        results.push(rows);
      }
    }
    return results;
  }

  /** A statement with EMIT CHANGES, until `close` or the signal ends it. */
  async follow(statement: string, cursor?: string): Promise<Follower> {
    const [parsed] = parseScript(statement);
    if (parsed === undefined) throw new Error("no statement");
    const options = cursor === undefined ? {} : { cursor };
    const { signal } = new AbortController();
    const result = await this.service.execute(parsed, this.session, signal, options);
    if (result.kind !== "changes") throw new Error("nothing to follow");
    return new Follower(result.events[Symbol.asyncIterator]());
  }

  async topic(name: string): Promise<TopicInfo> {
    const topic = await this.stack.log.topics.byName(name);
    if (topic === undefined) throw new Error(`no topic ${name}`);
    return topic;
  }

  /** Appends a batch of JSON records (an object each) or texts. */
  async append(name: string, rows: readonly unknown[], partition = 0): Promise<void> {
    const now = this.stack.platform.clock.now();
    const timed = rows.map((row) => ({ row, timestamp: now }));
    await this.appendTimed(name, timed, partition);
  }

  /** One batch of rows with times of their own. */
  async appendTimed(
    name: string,
    rows: readonly { readonly row: unknown; readonly timestamp: number }[],
    partition = 0,
  ): Promise<void> {
    const topic = await this.topic(name);
    const records = rows.map(({ row, timestamp }) => ({
      ...{ timestamp, key: null },
      value: new TextEncoder().encode(typeof row === "string" ? row : JSON.stringify(row)),
    }));
    const bytes = encodeBatch({ records, codec: "none" }, this.stack.platform);
    const minTimestamp = Math.min(...rows.map(({ timestamp }) => timestamp));
    const header = readBatchHeader(bytes);
    await this.stack.log.append({ topic, partition, bytes, header, minTimestamp });
  }

  async tick(name: string): Promise<void> {
    await publishTick(this.stack.database, [(await this.topic(name)).topicNumber]);
  }

  /** All records of a topic's partition. */
  async records(name: string, partition = 0): Promise<RecordSeen[]> {
    const seen: RecordSeen[] = [];
    const options = { codecs: this.stack.platform.codecs, sizeMax: 1e8 };
    const text = (part: Uint8Array | null) =>
      part === null ? null : new TextDecoder().decode(part);
    for (const { bytes, fromOffset } of await this.#batches(name, partition)) {
      for (const { key, value, timestamp } of decodeRecords(bytes, { ...options, fromOffset })) {
        seen.push({ key: text(key), value: text(value), timestamp });
      }
    }
    return seen;
  }

  /** Bytes of each record batch of a topic's partition. */
  async batchSizes(name: string, partition = 0): Promise<number[]> {
    return (await this.#batches(name, partition)).map(({ bytes }) => bytes.length);
  }

  async #batches(name: string, partition: number) {
    const batches: { readonly bytes: Uint8Array; readonly fromOffset: number }[] = [];
    const topic = await this.stack.log.topics.byName(name);
    if (topic === undefined) return batches;
    const [status] = await this.stack.log.status([{ topic, partition }]);
    for (let offset = status?.logStartOffset ?? 0; offset < (status?.highOffset ?? 0); ) {
      const [found] = await this.stack.log.fetch({
        partitions: [
          {
            ...{ topicId: topic.topicId, partition, fetchOffset: offset },
            ...{ partitionBytesMax: 1e8, currentLeaderEpoch: -1 },
          },
        ],
        // With a least size of none it is answered out of what this worker has heard of so far.
        ...{ bytesMin: 1, bytesMax: 1e8, waitMsMax: 0 },
      });
      for (const chunk of found?.chunks ?? []) {
        for (const { bytes, header } of batchesIn(chunk)) {
          batches.push({ bytes: bytes.slice(), fromOffset: offset });
          offset = header.baseOffset + header.lastOffsetDelta + 1;
        }
      }
    }
    return batches;
  }

  /** Looks again until `find` is content; what it found. */
  until<T>(find: () => Promise<T | undefined | false>): Promise<T> {
    return until(find);
  }

  async close(): Promise<void> {
    await this.reading.close();
    await this.manager.close();
    await this.stack.log.close();
  }
}

export interface SeenEvent {
  readonly kind: string;
  readonly row: unknown;
  readonly cursor: string | null;
}

export class Follower {
  readonly #events: AsyncIterator<ChangeEvent>;

  constructor(events: AsyncIterator<ChangeEvent>) {
    this.#events = events;
  }

  /** The next `count` events. */
  async take(count: number): Promise<SeenEvent[]> {
    const seen: SeenEvent[] = [];
    while (seen.length < count) {
      const next = await this.#events.next();
      if (next.done) throw new Error(`it ended after ${seen.length} events`);
      const { kind, row, cursor } = next.value;
      seen.push({ kind, row: JSON.parse(new TextDecoder().decode(row)), cursor });
    }
    return seen;
  }

  async close(): Promise<void> {
    await this.#events.return?.();
  }
}

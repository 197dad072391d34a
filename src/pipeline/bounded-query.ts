/**
 * Queries that end: an ad-hoc SELECT over what topics hold now, and the rows of INSERT … VALUES.
 * Each runs in a task of its own, is fed up to the ends that its topics had when it began, and
 * keeps nothing.
 */
import type { Platform } from "../base/platform.ts";
import { StreamError } from "../base/stream-error.ts";
import type { LogService, TopicService } from "../log/log-types.ts";
import type {
  PublishedRun,
  PublishOrderReader,
  PublishSlice,
  ReaderPosition,
} from "../log/publish-order-reader.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import { topicStates } from "../meta/publish-order.ts";
import { type OffsetSpan, type ScanSize, scanSize } from "../meta/scan-size.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { batchesIn, readBatchHeader } from "../record/batch.ts";
import { decodeRecords } from "../record/batch-records.ts";
import type { RecordShape } from "../sql/engine/append-sink.ts";
import type { OutputBatch } from "../sql/engine/task-output.ts";
import { mapInputs } from "../sql/plan/map-inputs.ts";
import type { PlanNode, QueryPlan } from "../sql/plan/plan.ts";
import { planToText } from "../sql/plan/plan-text.ts";
import { PlacePace, sliceBytes } from "./place-pace.ts";
import { querySettingsDefault } from "./query-definition.ts";
import { type QueryMaker, shapeOf, sourcesOf } from "./query-maker.ts";
import { scanBoundsOf } from "./scan-bounds.ts";
import type { RowsChunk } from "./sql-result.ts";
import type { SqlSession } from "./sql-session.ts";
import type { StartTask, TaskHandle, TaskReply, TaskSetup } from "./task-protocol.ts";
import { taskPublishOf } from "./task-publish.ts";

export interface BoundedQueriesParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly log: Pick<LogService, "appendGroup"> & {
    follow(topics: readonly TopicInfo[], start: ReaderPosition): PublishOrderReader;
  };
  readonly topics: Pick<TopicService, "byName">;
  readonly maker: QueryMaker;
  readonly startTask: StartTask;
}

/** Slices of publishes that a task may have before it, beside the one that it works on. */
const slicesAheadMax = 1;
/** Rows of a slice beyond which slices are not to grow. */
const heavyBytes = 512 * 1024;
/** A batch of results, decompressed, is no larger. */
const resultBytesMax = 64 * 1024 * 1024;

/** Each has a thread and memory of its own. */
const runningMax = 8;

export interface ReadSize {
  readonly within: ScanSize;
  /** Without the bounds that WHERE sets. */
  readonly whole: ScanSize;
}

/** Where reads end; null until the first of them begins. */
export interface ReadMoment {
  publishPosition: number | null;
}

export interface BoundedQuery {
  readonly plan: QueryPlan;
  readonly session: SqlSession;
  readonly signal: AbortSignal;
  /** Shared by a statement's reads, so that all see the log as it was when the first began. */
  readonly moment?: ReadMoment;
  /** Rows that stand for what some of its streams' topics hold, as record batches. */
  readonly fed?: FedRows;
}

export class BoundedQueries {
  readonly #parts: BoundedQueriesParts;
  #runningCount = 0;

  constructor(parts: BoundedQueriesParts) {
    this.#parts = parts;
  }

  /**
   * The rows of a SELECT. Its topics are read from each source's start up to where they end now.
   * A row in error ends it: nobody would see its errors.
   * @throws StreamError; `queue_full` while too many run already.
   */
  async *rows(query: BoundedQuery): AsyncGenerator<RowsChunk, void> {
    if (this.#runningCount >= runningMax) throw tooMany();
    this.#runningCount += 1;
    try {
      yield* this.#rows(query);
    } finally {
      this.#runningCount -= 1;
    }
  }

  async *#rows(query: BoundedQuery): AsyncGenerator<RowsChunk, void> {
    const { session, signal, fed = new Map() } = query;
    const { memoryBytesMax } = session.querySettings;
    const { maker, log, platform } = this.#parts;
    const plan = { ...query.plan, root: withFedTopics(query.plan.root, fed) };
    const shape = { ...shapeOf(plan.root, []), key: [] };
    const bounds = scanBoundsOf(plan);
    const { inputs, start, spans } = await maker.scanOf(
      sourcesOf(plan.root).filter(({ stream }) => !fed.has(stream)),
      bounds,
    );
    const topics = [...inputs.values()];
    const ends = await this.#ends(topics, query.moment);
    const { bytes: bytesTotal } =
      bounds.size === 0 ? ends : await scanSize(this.#parts.database, spans);
    const task = await this.#start(plan, { shape, session, topics, start });
    // What a task is busy with is not waited for once nobody reads.
    const leave = () => task.close();
    signal.addEventListener("abort", leave, { once: true });
    const reader = log.follow(topics, start);
    try {
      const names = new Map(topics.map((topic) => [topic.topicNumber, topic.name as string]));
      const ahead: Promise<Fed>[] = [];
      let recordsRead = 0;
      let bytesRead = 0;
      let isFull = false;
      const takeOldest = async (): Promise<RowsChunk> => {
        const { reply, read } = await (ahead.shift() as Promise<Fed>);
        recordsRead += read.records;
        bytesRead += read.bytes;
        isFull = reply.isFull;
        // Batches that were decompressed on the way are more than what is stored.
        const progress = { recordsRead, bytesRead: Math.min(bytesRead, bytesTotal), bytesTotal };
        return { rows: this.#rowsOf(reply.outputs), progress };
      };
      const pace = task.readsPlaces === true ? new PlacePace(memoryBytesMax) : undefined;
      const clock = () => platform.clock.monotonic();
      let repliedAt = clock();
      const isRead = () => isReadUpTo(reader.position, ends, spans);
      while (!signal.aborted && !isFull && !isRead()) {
        const placesBytesMax = pace?.bytes ?? 0;
        const limits = { bytesMax: sliceBytes, placesBytesMax, waitMsMax: 0 };
        const slice = await reader.next({ ...limits, signal });
        const sentAt = clock();
        const onReply = ({ outputBytes, outputs }: TaskReply) => {
          const tookMs = clock() - Math.max(sentAt, repliedAt);
          repliedAt = clock();
          const given = outputs.reduce((sum, { bytes }) => sum + bytes.length, outputBytes);
          pace?.note(tookMs, given > heavyBytes);
        };
        ahead.push(feed(task, slice, { names, upTo: ends.publishPosition, onReply }));
        if (ahead.length > slicesAheadMax) yield await takeOldest();
      }
      while (!signal.aborted && !isFull && ahead.length > 0) yield await takeOldest();
      if (signal.aborted) return;
      for (const [stream, batches] of fed) {
        const run = { topic: fedTopic(stream), partition: 0, fromOffset: 0, batches };
        const publish = { publishedAt: platform.clock.now(), runs: [run], created: [run] };
        await task.send({ kind: "publishes", publishes: [publish] });
      }
      let reply = await task.send({ kind: "finish" });
      yield { rows: this.#rowsOf(reply.outputs), progress: null };
      while (reply.outputsAreLeft && !signal.aborted) {
        reply = await task.send({ kind: "rest" });
        yield { rows: this.#rowsOf(reply.outputs), progress: null };
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", leave);
      reader.close();
      task.close();
    }
  }

  /**
   * What a read of the plan's topics would read, as the log stands now.
   * @throws StreamError `topic_unknown`
   */
  async sizeOf(plan: QueryPlan): Promise<ReadSize> {
    const bounds = scanBoundsOf(plan);
    const within = await this.#parts.maker.scanOf(sourcesOf(plan.root), bounds);
    const whole = await this.#parts.maker.scanOf(sourcesOf(plan.root));
    const { database } = this.#parts;
    return {
      within: await scanSize(database, within.spans),
      whole: await scanSize(database, whole.spans),
    };
  }

  /** Appends the rows that the statement itself gives, all or none; returns their number. */
  async insertInto(
    topic: TopicInfo,
    query: { readonly plan: QueryPlan; readonly shape: RecordShape; readonly session: SqlSession },
  ): Promise<number> {
    const { plan, shape, session } = query;
    const start: ReaderPosition = { publishPosition: 0, cursors: [] };
    const { partitionCount } = topic;
    // Records of 1970 would go with the next round of retention.
    const insert = { partitionCount, beganAt: this.#parts.platform.clock.now() };
    const task = await this.#start(plan, { shape, session, topics: [], start, insert });
    try {
      let reply = await task.send({ kind: "finish" });
      const outputs = [...reply.outputs];
      while (reply.outputsAreLeft) {
        reply = await task.send({ kind: "rest" });
        outputs.push(...reply.outputs);
      }
      refuseErrors(outputs, this.#parts.platform);
      const batches = outputs.map(({ partition, bytes }) => ({
        ...{ topic, partition, bytes, header: readBatchHeader(bytes) },
      }));
      await this.#parts.log.appendGroup({ guards: [], effects: [], batches });
      return outputs.reduce((sum, { recordCount }) => sum + recordCount, 0);
    } finally {
      task.close();
    }
  }

  #start(
    plan: QueryPlan,
    options: {
      readonly shape: RecordShape;
      readonly session: SqlSession;
      readonly topics: readonly TopicInfo[];
      readonly start: ReaderPosition;
      readonly insert?: Pick<TaskSetup, "partitionCount" | "beganAt">;
    },
  ): Promise<TaskHandle> {
    const { shape, session, topics, start, insert } = options;
    const { quietTimeoutMs, aheadMsMax } = querySettingsDefault;
    const names = new Map(topics.map((topic) => [topic.topicNumber, topic.name as string]));
    return this.#parts.startTask({
      ...{ plan: planToText(plan), shape, states: [], quietTimeoutMs, aheadMsMax },
      ...{ isBounded: true, ...insert },
      memoryBytesMax: session.querySettings.memoryBytesMax,
      partitions: start.cursors.map(({ topicNumber, partition }) => ({
        ...{ topic: names.get(topicNumber) ?? "", partition },
      })),
    });
  }

  async #ends(topics: readonly TopicInfo[], moment: ReadMoment = { publishPosition: null }) {
    const numbers = topics.map(({ topicNumber }) => topicNumber);
    const { head, partitions } = await topicStates(this.#parts.database, numbers);
    const bytes = partitions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    moment.publishPosition ??= head.publishPosition;
    return { publishPosition: moment.publishPosition, bytes };
  }

  #rowsOf(outputs: readonly OutputBatch[]): Uint8Array[] {
    refuseErrors(outputs, this.#parts.platform);
    return valuesOf(outputs, this.#parts.platform);
  }
}

/** Whether all has been read that there was, or that lies within the spans. */
function isReadUpTo(
  { publishPosition, cursors }: ReaderPosition,
  ends: { readonly publishPosition: number },
  spans: readonly OffsetSpan[],
): boolean {
  if (publishPosition >= ends.publishPosition) return true;
  return cursors.every(({ topicNumber, partition, nextOffset }) => {
    const span = spans.find(
      (each) => each.topicNumber === topicNumber && each.partition === partition,
    );
    const toOffset = span?.toOffset ?? null;
    return toOffset !== null && nextOffset >= toOffset;
  });
}

function tooMany(): StreamError {
  return new StreamError(
    "queue_full",
    `Cannot run the query: ${runningMax} run on this worker already; try again when one has ended`,
  );
}

/** By the name of the stream. */
export type FedRows = ReadonlyMap<string, readonly Uint8Array[]>;

/** No topic has such a name: another stream over the same topic reads that. */
function fedTopic(stream: string): string {
  return `rows of ${stream}`;
}

function withFedTopics(node: PlanNode, fed: FedRows): PlanNode {
  if (fed.size === 0) return node;
  if (node.kind !== "source") return mapInputs(node, (input) => withFedTopics(input, fed));
  return fed.has(node.stream) ? { ...node, topic: fedTopic(node.stream) } : node;
}

interface ReadCount {
  readonly records: number;
  readonly bytes: number;
}

/** A slice that the task has met. */
interface Fed {
  readonly reply: TaskReply;
  readonly read: ReadCount;
}

/** Sends a slice, which is given back when the task has met it. */
function feed(
  task: TaskHandle,
  slice: PublishSlice,
  what: {
    readonly names: ReadonlyMap<number, string>;
    readonly upTo: number;
    readonly onReply: (reply: TaskReply) => void;
  },
): Promise<Fed> {
  const publishes = slice.publishes.filter(({ publishPosition }) => publishPosition <= what.upTo);
  const read = sizeOf(publishes.flatMap(({ runs }) => runs));
  const sent = task.send({
    ...{ kind: "publishes", drains: true },
    publishes: publishes.map((publish) => taskPublishOf(publish, what.names)),
  });
  const answered = sent.then((reply) => {
    what.onReply(reply);
    return { reply, read };
  });
  const fed = answered.finally(() => slice.release());
  // Its failure is met where the reply is waited for, if it is.
  fed.catch(() => {});
  return fed;
}

function sizeOf(runs: readonly PublishedRun[]): ReadCount {
  let records = 0;
  let bytes = 0;
  for (const { fromOffset, nextOffset, batches, stored, place } of runs) {
    records += nextOffset - fromOffset;
    bytes += place?.length ?? 0;
    for (const part of stored?.pieces ?? batches) bytes += part.length;
  }
  return { records, bytes };
}

/** Values of the records of results, views of their batches. */
export function valuesOf(
  outputs: readonly OutputBatch[],
  { codecs }: Pick<Platform, "codecs">,
): Uint8Array[] {
  const values: Uint8Array[] = [];
  for (const { kind, bytes } of outputs) {
    if (kind !== "result") continue;
    for (const batch of batchesIn(bytes)) {
      for (const { value } of decodeRecords(batch.bytes, { codecs, sizeMax: resultBytesMax })) {
        if (value !== null) values.push(value);
      }
    }
  }
  return values;
}

/** A query that ends has nowhere to put rows in error. */
export function refuseErrors(
  outputs: readonly OutputBatch[],
  platform: Pick<Platform, "codecs">,
): void {
  const failed = outputs.find(({ kind }) => kind === "error");
  if (failed === undefined) return;
  const [first] = decodeRecords(failed.bytes, { codecs: platform.codecs, sizeMax: resultBytesMax });
  const row = JSON.parse(new TextDecoder().decode(first?.value ?? new Uint8Array())) as {
    readonly topic: string | null;
    readonly partition: number | null;
    readonly offset: number | null;
    readonly reason: string;
  };
  const where =
    row.topic === null
      ? "a row"
      : `the record at "${row.topic}"/${row.partition} offset ${row.offset}`;
  throw new StreamError("sql_evaluation_failed", `Cannot go on at ${where}: ${row.reason}`, {
    details: { topic: row.topic, partition: row.partition, offset: row.offset },
  });
}

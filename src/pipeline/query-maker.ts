/**
 * Makes continuous queries: where they read from, the topics that they write, and what their row
 * holds. Topics come first and the query last, so that a crash in between leaves topics that nobody
 * uses, never a query without them.
 */
import type { Platform } from "../base/platform.ts";
import { StreamError } from "../base/stream-error.ts";
import type { LogService, TopicService } from "../log/log-types.ts";
import type { ReaderPosition } from "../log/publish-order-reader.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import { type TopicPartitionState, topicStates } from "../meta/publish-order.ts";
import type { OffsetSpan } from "../meta/scan-size.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { endsForTimestamp } from "../meta/timestamp-index.ts";
import { internalTopicPrefix } from "../record/topic-name.ts";
import type { RecordShape } from "../sql/engine/append-sink.ts";
import { inputsOf } from "../sql/plan/inputs-of.ts";
import type { PlanNode, QueryPlan, SourceNode, StartupMode } from "../sql/plan/plan.ts";
import type { QueryDefinition, QuerySettings } from "./query-definition.ts";
import type { ScanBounds } from "./scan-bounds.ts";

export interface QueryMakerParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly log: Pick<LogService, "findOffset">;
  readonly topics: TopicService;
}

export interface NewQueryOptions {
  readonly queryId: string;
  readonly plan: QueryPlan;
  readonly shape: RecordShape;
  readonly output: TopicInfo;
  readonly settings: QuerySettings;
}

/** Where the reading of a plan's topics begins. */
export interface ReadStart {
  readonly inputs: ReadonlyMap<string, TopicInfo>;
  readonly start: ReaderPosition;
}

/** The same of a read that ends. */
export interface ReadScan extends ReadStart {
  /** By partition, what is to be read; without bounds all from the start on. */
  readonly spans: readonly OffsetSpan[];
}

const unbounded = {
  partition: null,
  offsetTo: Number.POSITIVE_INFINITY,
  timestampTo: Number.POSITIVE_INFINITY,
} as const;

export class QueryMaker {
  readonly #parts: QueryMakerParts;

  constructor(parts: QueryMakerParts) {
    this.#parts = parts;
  }

  /** A name for the life of a query; it also names its consumer group. */
  newId(target: string): string {
    return `${target}-${this.#parts.platform.random.bytes(4).toHex()}`;
  }

  /** @throws StreamError `topic_unknown`, and as creating topics does. */
  async define(options: NewQueryOptions): Promise<QueryDefinition> {
    const { queryId, plan, shape, output, settings } = options;
    const { inputs, start } = await this.startOf(sourcesOf(plan.root));
    const checkpoints = await this.#parts.topics.create({
      name: `${internalTopicPrefix}checkpoint.${queryId}`,
      ...{ partitionCount: 1, replicationFactor: -1, writer: queryId },
      // Its records go when they are superseded, never by age.
      config: { "retention.ms": "-1", "max.message.bytes": "8388608" },
    });
    const named = ({ name, topicId }: TopicInfo) => ({ name, topicId });
    return {
      ...{ plan, shape, start, settings },
      inputs: [...inputs.values()].map(named),
      output: named(output),
      checkpoints: named(checkpoints),
    };
  }

  /** The topics that sources read, and where each reading begins, as the log stands now. */
  async startOf(sources: readonly SourceNode[]): Promise<ReadStart> {
    const inputs = await this.#inputs(sources);
    return { inputs, start: await this.#start(sources, inputs, new Map()) };
  }

  /** The same of a read that ends: `bounds` leave out what lies outside of them. */
  async scanOf(
    sources: readonly SourceNode[],
    bounds: ReadonlyMap<string, ScanBounds> = new Map(),
  ): Promise<ReadScan> {
    const inputs = await this.#inputs(sources);
    const start = await this.#start(sources, inputs, bounds);
    return { inputs, start, spans: await this.#spans([...inputs.values()], start, bounds) };
  }

  async #spans(
    topics: readonly TopicInfo[],
    { cursors }: ReaderPosition,
    bounds: ReadonlyMap<string, ScanBounds>,
  ): Promise<OffsetSpan[]> {
    const spans: OffsetSpan[] = [];
    for (const { topicNumber, name } of topics) {
      const mine = cursors.filter((cursor) => cursor.topicNumber === topicNumber);
      const { partition: only = null, offsetTo, timestampTo } = bounds.get(name) ?? unbounded;
      const ends = Number.isFinite(timestampTo)
        ? await endsForTimestamp(this.#parts.database, mine, timestampTo)
        : [];
      for (const { partition, nextOffset } of mine) {
        const end = ends.find((each) => each.partition === partition)?.endOffset ?? offsetTo;
        const isOutside = only !== null && only !== partition;
        const toOffset = isOutside ? nextOffset : Math.min(offsetTo, end);
        const span = { topicNumber, partition, fromOffset: nextOffset };
        spans.push({ ...span, toOffset: Number.isFinite(toOffset) ? toOffset : null });
      }
    }
    return spans;
  }

  async #inputs(sources: readonly SourceNode[]): Promise<Map<string, TopicInfo>> {
    const inputs = new Map<string, TopicInfo>();
    for (const { topic, stream } of sources) {
      const found = inputs.get(topic) ?? (await this.#parts.topics.byName(topic));
      if (found === undefined) {
        const message = `Cannot read "${stream}": its topic "${topic}" does not exist`;
        throw new StreamError("topic_unknown", message, { details: { topic } });
      }
      inputs.set(topic, found);
    }
    return inputs;
  }

  /** Positions by each source's startup mode, as the log stands now. */
  async #start(
    sources: readonly SourceNode[],
    inputs: ReadonlyMap<string, TopicInfo>,
    bounds: ReadonlyMap<string, ScanBounds>,
  ): Promise<ReaderPosition> {
    const topics = [...inputs.values()];
    const { head, partitions } = await topicStates(
      this.#parts.database,
      topics.map(({ topicNumber }) => topicNumber),
    );
    const modes = new Map(
      sources.map(({ topic, startup }) => [inputs.get(topic)?.topicNumber ?? -1, startup]),
    );
    const cursors: ReaderPosition["cursors"][number][] = [];
    for (const state of partitions) {
      const startup = modes.get(state.topicNumber) ?? { mode: "earliest" };
      const topic = topics.find(({ topicNumber }) => topicNumber === state.topicNumber);
      if (topic === undefined) continue;
      const within = bounds.get(topic.name);
      if (within === undefined && this.#comesLater(state, partitions, startup)) continue;
      const first = await this.#offset(topic, state, startup);
      const nextOffset =
        within === undefined ? first : Math.max(first, await this.#leastOf(topic, state, within));
      const { topicNumber, partition } = state;
      cursors.push({ topicNumber, partition, nextOffset });
    }
    const isLatest = [...modes.values()].every(({ mode }) => mode === "latest");
    return { publishPosition: isLatest ? head.publishPosition : 0, cursors };
  }

  /**
   * A partition that was added begins, for a query that reads history, where it was added: it is
   * not awaited before. The reader finds it there, unless its first records are gone.
   */
  #comesLater(
    state: TopicPartitionState,
    all: readonly TopicPartitionState[],
    { mode }: StartupMode,
  ): boolean {
    const first = Math.min(
      ...all
        .filter(({ topicNumber }) => topicNumber === state.topicNumber)
        .map(({ createdPosition }) => createdPosition),
    );
    return mode === "earliest" && state.createdPosition > first && state.logStartOffset === 0;
  }

  /** The first offset within `bounds`, or the partition's end. */
  async #leastOf(
    topic: TopicInfo,
    state: TopicPartitionState,
    { partition, offsetFrom, offsetTo, timestampFrom }: ScanBounds,
  ): Promise<number> {
    const end = state.nextOffset;
    const isOutside = partition !== null && partition !== state.partition;
    if (isOutside || offsetFrom >= Math.min(end, offsetTo)) return end;
    if (timestampFrom <= 0) return offsetFrom;
    const startup = { mode: "timestamp", timestampMs: timestampFrom } as const;
    return Math.max(offsetFrom, await this.#offset(topic, state, startup));
  }

  async #offset(
    topic: TopicInfo,
    state: TopicPartitionState,
    startup: StartupMode,
  ): Promise<number> {
    switch (startup.mode) {
      case "earliest":
        return state.logStartOffset;
      case "latest":
        return state.nextOffset;
      case "timestamp": {
        const { timestampMs: timestamp } = startup;
        const found = await this.#parts.log.findOffset(topic, state.partition, { timestamp });
        return found.offset < 0 ? state.nextOffset : found.offset;
      }
      case "group-offsets":
        return this.#committed(startup.group, state);
    }
  }

  /** Where the group stands; at the earliest record where it has committed nothing. */
  async #committed(group: string, state: TopicPartitionState): Promise<number> {
    const [result] = await this.#parts.database.batch(
      [
        {
          sql: `SELECT committed_offset FROM group_offset
WHERE group_id = ?1 AND topic_number = ?2 AND partition = ?3`,
          args: [group, state.topicNumber, state.partition],
        },
      ],
      "read",
    );
    const committed = result?.rows[0]?.[0];
    return typeof committed === "number"
      ? Math.max(committed, state.logStartOffset)
      : state.logStartOffset;
  }
}

/** Every source of a plan. */
export function sourcesOf(node: PlanNode): readonly SourceNode[] {
  return node.kind === "source" ? [node] : inputsOf(node).flatMap(sourcesOf);
}

/** Columns whose value becomes the record's timestamp, the first that a result has. */
const timestampNames = ["window_end", "window_time"];

/** Records of a result: all columns, a key where the result has one, the window's end as time. */
export function shapeOf(root: PlanNode, keyColumns: readonly number[] | null): RecordShape {
  const value = root.columns.map(({ name, type }, column) => ({ name, type, column }));
  const key = value.filter(({ column }) => (keyColumns ?? root.key ?? []).includes(column));
  const isTime = (index: number) => /^timestamp/.test(root.columns[index]?.type.kind ?? "");
  const named = timestampNames
    .map((name) => root.columns.findIndex((column) => column.name === name))
    .find((index) => index >= 0 && isTime(index));
  const rowtime = root.columns.findIndex(({ time }) => time === "rowtime");
  const timestampColumn = named ?? (rowtime < 0 ? undefined : rowtime);
  return { value, key, ...(timestampColumn !== undefined && { timestampColumn }) };
}

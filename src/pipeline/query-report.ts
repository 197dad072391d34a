/**
 * How continuous queries go, for those who ask. State, place and lag come out of the metadata and
 * are the same from every worker; rows and watermarks are known only to the worker that runs it.
 */
import type { WorkerIdentity } from "../log/worker-identity.ts";
import {
  type QueryHolder,
  type QueryPartition,
  queryHolders,
  queryPartitions,
} from "../meta/query-places.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { type QueryRow, readSqlCatalog } from "../meta/sql-objects.ts";
import {
  decodeQueryDefinition,
  type QueryDefinition,
  type QuerySettings,
} from "./query-definition.ts";
import { sourcesOf } from "./query-maker.ts";
import type { QueryStatus } from "./query-status.ts";

/** `waiting`: it is to run, and no worker has taken it yet. */
export type QueryState = "running" | "waiting" | "paused" | "failed";

export interface QueryReport {
  readonly queryId: string;
  readonly target: string;
  readonly statement: string;
  readonly state: QueryState;
  /** Why it stopped by itself. */
  readonly failure: string | null;
  readonly createdAt: number;
  /** Who runs it. */
  readonly worker: { readonly nodeId: number; readonly httpUrl: string | null } | null;
  readonly isHere: boolean;
  readonly partitions: readonly PartitionReport[];
  /** Stored bytes of its checkpoints, those included that are about to go. */
  readonly checkpointBytes: number;
  readonly settings: QuerySettings;
  /** EXPLAIN of what it runs. */
  readonly plan: string;
  /** Null where it does not run here. */
  readonly live: LiveReport | null;
}

export interface PartitionReport {
  readonly topic: string;
  readonly partition: number;
  /** The next record to read as of the last commit. */
  readonly position: number;
  readonly highOffset: number;
  readonly lag: number;
}

export interface LiveReport {
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly rowsLate: number;
  readonly rowsWrong: number;
  /** Rows too far in the future to move the watermark. */
  readonly rowsAhead: number;
  /** The least of the inputs': milliseconds since 1970; null while one of them has none. */
  readonly watermark: number | null;
  readonly inputs: readonly InputReport[];
  readonly lastCommit: {
    readonly at: number;
    readonly publishPosition: number;
    readonly stateBytes: number;
  } | null;
  readonly restarts: number;
  readonly lastFailure: string | null;
}

export interface InputReport {
  readonly topic: string;
  readonly watermark: number | null;
  /** The partition whose event time holds it where it is. */
  readonly heldBy: number | null;
}

export interface QueryReportParts {
  readonly database: SqlDatabase;
  readonly identity: WorkerIdentity;
  readonly statusOf: (queryId: string) => QueryStatus | undefined;
}

/** A definition, and its plan in words. */
interface Described {
  readonly definition: QueryDefinition;
  readonly plan: string;
}

/** Definitions that are kept decoded. */
const describedMax = 64;

/**
 * What definitions say, kept by their text: reports are asked for again and again while a query
 * runs, and to decode and explain took most of one.
 */
export class DescribedQueries {
  readonly #known = new Map<string, Described>();

  /** @throws StreamError `corrupt_metadata` */
  async of(text: string): Promise<Described> {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const definition = decodeQueryDefinition(text);
    // Loaded when it is asked for: a Worker starts sooner without it.
    const { explain } = await import("../sql/plan/explain.ts");
    const described = { definition, plan: explain(definition.plan) };
    this.#known.set(text, described);
    const [oldest] = this.#known.keys();
    if (this.#known.size > describedMax && oldest !== undefined) this.#known.delete(oldest);
    return described;
  }
}

/** Reports on all queries, or on the one named, by id. */
export async function reportQueries(
  parts: QueryReportParts,
  described: DescribedQueries,
  queryId?: string,
): Promise<QueryReport[]> {
  const { queries } = await readSqlCatalog(parts.database);
  const rows = queries.filter((row) => queryId === undefined || row.queryId === queryId);
  if (rows.length === 0) return [];
  const known: (Described & { readonly row: QueryRow })[] = [];
  for (const row of rows) {
    try {
      known.push({ row, ...(await described.of(row.definition)) });
    } catch (error) {
      // One that this version cannot read hides itself, not the others.
      if (queryId !== undefined) throw error;
    }
  }
  const holders = new Map(
    (await queryHolders(parts.database)).map((holder) => [holder.queryId, holder]),
  );
  const partitions = await queryPartitions(
    parts.database,
    known.flatMap(({ row, definition }) =>
      [...definition.inputs, definition.checkpoints].map(({ topicId }) => ({
        queryId: row.queryId,
        topicId,
      })),
    ),
  );
  return known
    .map(({ row, definition, plan }) => {
      const own = partitions.filter((each) => each.queryId === row.queryId);
      const holder = holders.get(row.queryId);
      return report(parts, { row, definition, holder, plan, partitions: own });
    })
    .sort((a, b) => (a.queryId < b.queryId ? -1 : 1));
}

function report(
  { identity, statusOf }: QueryReportParts,
  found: {
    readonly row: QueryRow;
    readonly definition: QueryDefinition;
    readonly holder: QueryHolder | undefined;
    /** In words. */
    readonly plan: string;
    readonly partitions: readonly QueryPartition[];
  },
): QueryReport {
  const { row, definition, holder, partitions } = found;
  const { queryId, target, statement, failure, createdAt } = row;
  const status = statusOf(queryId);
  const isCheckpoint = ({ topicId }: QueryPartition) => topicId === definition.checkpoints.topicId;
  return {
    ...{ queryId, target, statement, failure, createdAt },
    state: stateOf(row, holder),
    worker: holder === undefined ? null : { nodeId: holder.nodeId, httpUrl: holder.httpUrl },
    isHere: holder?.workerEpoch === identity.current().workerEpoch,
    partitions: partitions
      .filter((each) => !isCheckpoint(each))
      .map((each) => partitionReport(each, definition)),
    checkpointBytes: partitions
      .filter(isCheckpoint)
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    settings: definition.settings,
    plan: found.plan,
    live: status === undefined ? null : liveReport(status, definition),
  };
}

function stateOf({ failure, desired }: QueryRow, holder: QueryHolder | undefined): QueryState {
  if (failure !== null) return "failed";
  if (desired === "paused") return "paused";
  return holder === undefined ? "waiting" : "running";
}

function partitionReport(found: QueryPartition, { start }: QueryDefinition): PartitionReport {
  const { topic, topicNumber, partition, committedOffset, logStartOffset, highOffset } = found;
  const began = start.cursors.find(
    (cursor) => cursor.topicNumber === topicNumber && cursor.partition === partition,
  );
  const position = committedOffset ?? began?.nextOffset ?? logStartOffset;
  // What was deleted before it was read is nothing that can still be caught up on.
  const lag = Math.max(0, highOffset - Math.max(position, logStartOffset));
  return { topic, partition, position, highOffset, lag };
}

function liveReport(status: QueryStatus, { plan }: QueryDefinition): LiveReport {
  const { statistics, commit, restarts, lastFailure } = status;
  const inputs = sourcesOf(plan.root).map(({ topic }, index) => ({
    topic,
    watermark: statistics?.watermarks[index] ?? null,
    heldBy: statistics?.watermarkHolders[index] ?? null,
  }));
  const known = inputs.flatMap(({ watermark }) => watermark ?? []);
  return {
    rowsIn: statistics?.rowsIn ?? 0,
    rowsOut: statistics?.rowsOut ?? 0,
    rowsLate: statistics?.rowsLate ?? 0,
    rowsWrong: statistics?.rowsWrong ?? 0,
    rowsAhead: statistics?.rowsAhead ?? 0,
    watermark: known.length < inputs.length || known.length === 0 ? null : Math.min(...known),
    inputs,
    lastCommit:
      commit === null
        ? null
        : {
            at: commit.at,
            publishPosition: commit.publishPosition,
            stateBytes: commit.stateBytes,
          },
    restarts,
    lastFailure,
  };
}

/**
 * SQL inside a Durable Object: tasks run in its own thread, step by step between requests, in a
 * memory that leaves room for the log. A continuous query has an object of its own (ADR 32), and
 * runs only where `MILLRACE_QUERIES` says so, since objects are billed.
 */
import { StreamError } from "../../base/stream-error.ts";
import { LocalTask } from "../../pipeline/local-task.ts";
import { LocalViews } from "../../pipeline/local-views.ts";
import type { QueryManagerParts } from "../../pipeline/query-manager.ts";
import type { HttpContext } from "../../server/http/context.ts";
import type { Statement } from "../../sql/syntax/statement.ts";
import { SqlEngine, type SqlEngineParts } from "../sql-engine.ts";
import type { ObjectPace } from "./object-pace.ts";
import type { ObjectRole } from "./object-roles.ts";
import { ObjectScratch, type ObjectSqlStorage } from "./object-scratch.ts";
import type { WorkerSettings } from "./settings.ts";
import { sqlModules } from "./sql-modules.ts";

const MiB = 1024 * 1024;

/** With the log's 64 MiB and the code's 20 this is what an isolate has. */
const statementMemoryBytesMax = 24 * MiB;
/** Of the log, a query's object has little beside it. */
const queryMemoryBytesMax = 32 * MiB;
const viewMemoryBytesMax = 16 * MiB;
const statementTasksMax = 1;
/** A table keeps its object awake, and billed, for so long after it was read last. */
const viewIdleMs = 20_000;
/** What pages of tables take of the task's memory; rows between two commits need the most. */
const pageBytesMax = 3 * MiB;
/** Of the tables' pages, in one part of a checkpoint: 1 MiB. */
const statePagesMax = 256;
/** Of results in memory, outside of the task's; the rest waits on scratch space (ADR 71). */
const outputBytesMax = 2 * MiB;

export interface ObjectSql {
  readonly http: Pick<HttpContext, "sql" | "queries">;
  readonly engine: SqlEngine;
}

export interface ObjectQueries
  extends Required<Pick<QueryManagerParts, "onWanted" | "objectName" | "looksWhenTold">> {
  readonly pace: ObjectPace;
  readonly queries: ObjectRole["queries"];
  readonly queryId: string | undefined;
  /** Of the object, where state goes that has no room. */
  readonly storage: ObjectSqlStorage;
  /** It has run tasks before, maybe. */
  readonly mayHaveScratch: boolean;
  readonly settings: Pick<WorkerSettings, "stateBytes" | "scratchBytes">;
}

export function openObjectSql(
  parts: Pick<SqlEngineParts, "platform" | "metrics" | "database" | "log">,
  options: ObjectQueries,
): ObjectSql {
  const { onWanted, objectName, looksWhenTold, pace, settings } = options;
  const scratch = new ObjectScratch(options.storage, { bytesMax: settings.scratchBytes });
  if (options.mayHaveScratch) scratch.clear();
  const openScratch = () => scratch.open();
  const spillBytesMax = settings.stateBytes;
  const isQuery = options.queries === "runs";
  const taskMemoryBytesMax = isQuery ? queryMemoryBytesMax : statementMemoryBytesMax;
  const local = { platform: parts.platform, modules: sqlModules, openScratch };
  const engine = new SqlEngine({
    ...parts,
    startTask: async (setup) => {
      const memoryBytesMax = Math.min(setup.memoryBytesMax, taskMemoryBytesMax);
      // Statements send the next slice before the last is read, which leaves pauses between them.
      const breath = isQuery ? { breath: pace } : {};
      const bounds = { spillBytesMax, pageBytesMax, statePagesMax, outputBytesMax };
      return new LocalTask({ ...local, ...breath, ...bounds }, { ...setup, memoryBytesMax });
    },
    startViews: async () => new LocalViews(local),
    viewSettings: { memoryBytesMax: viewMemoryBytesMax, idleMs: viewIdleMs },
    statementTasksMax,
    queries: { placement: placementOf(options), onWanted, objectName, looksWhenTold, pace },
  });
  const { service: sql, queries } = engine;
  if (options.queries !== "none") return { engine, http: { sql, queries } };
  const ending: HttpContext["sql"] = {
    execute: async (statement, session, signal, options) => {
      if (goesOn(statement.statement)) throw runsNone();
      return sql.execute(statement, session, signal, options);
    },
    isStill: (cursor) => sql.isStill(cursor),
  };
  const refuse = async () => {
    throw runsNone();
  };
  const { list, find } = { list: queries.list.bind(queries), find: queries.find.bind(queries) };
  return {
    engine,
    http: { sql: ending, queries: { list, find, setDesired: refuse, drop: refuse } },
  };
}

/** Each query is for the object of its name alone. */
function placementOf({
  queries,
  queryId: own,
}: ObjectQueries): NonNullable<QueryManagerParts["placement"]> {
  const isOwn = (queryId: string) => queries === "runs" && queryId === own;
  return { toTake: (free) => free.filter(isOwn), toHandOver: () => undefined };
}

/** Whether it starts a query that goes on, or changes how one does. */
function goesOn(statement: Statement): boolean {
  switch (statement.kind) {
    case "createMaterializedView":
    case "controlQuery":
      return true;
    case "insert":
      return statement.query.body.kind !== "values";
    case "drop":
      return statement.noun === "query";
    default:
      return false;
  }
}

function runsNone(): StreamError {
  return new StreamError(
    "sql_unsupported",
    "Cannot run queries that go on in this Worker: set MILLRACE_QUERIES to on, or ask a worker " +
      "that shares its bucket and metadata",
  );
}

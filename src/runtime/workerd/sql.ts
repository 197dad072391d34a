/**
 * SQL inside a Durable Object: tasks run in its own thread, step by step between requests, in a
 * memory that leaves room for the log. Continuous queries run only where `MILLRACE_QUERIES` says
 * so, since they keep their object awake.
 */
import { StreamError } from "../../base/stream-error.ts";
import { LocalTask } from "../../pipeline/local-task.ts";
import { LocalViews } from "../../pipeline/local-views.ts";
import type { HttpContext } from "../../server/http/context.ts";
import type { Statement } from "../../sql/syntax/statement.ts";
import { SqlEngine, type SqlEngineParts } from "../sql-engine.ts";
import { sqlModules } from "./sql-modules.ts";

const MiB = 1024 * 1024;

/** With the log's 64 MiB and the code's 20 this is what an isolate has. */
const taskMemoryBytesMax = 24 * MiB;
const viewMemoryBytesMax = 16 * MiB;
const statementTasksMax = 1;

export interface ObjectSql {
  readonly http: Pick<HttpContext, "sql" | "queries">;
  readonly engine: SqlEngine;
}

export function openObjectSql(
  parts: Pick<SqlEngineParts, "platform" | "metrics" | "database" | "log">,
  { runsQueries }: { readonly runsQueries: boolean },
): ObjectSql {
  const local = { platform: parts.platform, modules: sqlModules };
  const engine = new SqlEngine({
    ...parts,
    startTask: async (setup) => {
      const memoryBytesMax = Math.min(setup.memoryBytesMax, taskMemoryBytesMax);
      return new LocalTask(local, { ...setup, memoryBytesMax });
    },
    startViews: async () => new LocalViews(local),
    viewSettings: { memoryBytesMax: viewMemoryBytesMax },
    statementTasksMax,
  });
  const { service: sql, queries } = engine;
  if (runsQueries) return { engine, http: { sql, queries } };
  const ending: HttpContext["sql"] = {
    execute: async (statement, session, signal, options) => {
      if (goesOn(statement.statement)) throw runsNone();
      return sql.execute(statement, session, signal, options);
    },
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

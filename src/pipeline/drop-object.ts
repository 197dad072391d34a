/** DROP: the object goes first, so that nobody starts its query again; its topics go after. */

import { nearest } from "../base/near.ts";
import type { Platform } from "../base/platform.ts";
import { StreamError } from "../base/stream-error.ts";
import type { LogService, TopicService } from "../log/log-types.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { dropQuery as deleteQueryRow, dropSqlObject, readSqlCatalog } from "../meta/sql-objects.ts";
import type { Drop } from "../sql/syntax/statement.ts";
import type { QueryManager } from "./query-manager.ts";
import { objectKinds, type SqlCatalogState } from "./sql-catalog.ts";
import type { StatementResult } from "./sql-result.ts";

export interface DropParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly log: Pick<LogService, "fetch" | "status">;
  readonly topics: TopicService;
  readonly manager: QueryManager;
}

/** @throws StreamError `sql_object_unknown`, `sql_object_in_use` */
export async function dropObject(
  parts: DropParts,
  { noun, name: path, ifExists }: Drop,
  state: SqlCatalogState,
): Promise<StatementResult> {
  const name = path.parts.map(({ text }) => text).join(".");
  const object = state.objects.get(name);
  const kind = noun === "query" ? null : objectKinds[noun];
  if (object === undefined || object.kind !== kind) {
    if (ifExists && object === undefined)
      return { kind: "done", message: `There is no ${noun} ${name}` };
    throw unknown(noun, name, state);
  }
  const queries = state.queries.filter(({ target }) => target === name);
  await dropSqlObject(parts.database, name);
  await parts.manager.look();
  if (object.kind === "materialized_view") {
    for (const { queryId } of queries) await deleteTopicsOf(parts, queryId);
  }
  return { kind: "done", message: `Dropped ${noun} ${name}` };
}

/** DROP QUERY: an INSERT INTO … SELECT ends; what it has written stays. */
export async function dropQueryById(
  parts: DropParts,
  { name, ifExists }: Drop,
): Promise<StatementResult> {
  const queryId = name.parts.map(({ text }) => text).join(".");
  if (await dropQuery(parts, queryId)) {
    return { kind: "done", message: `Dropped query ${queryId}` };
  }
  if (ifExists) return { kind: "done", message: `There is no query ${queryId}` };
  throw new StreamError("sql_object_unknown", `There is no query "${queryId}": see SHOW QUERIES`);
}

/**
 * Removes a query and the topics that only it writes; false when there is none.
 * @throws StreamError `sql_invalid` when a materialized view lives of it.
 */
export async function dropQuery(parts: DropParts, queryId: string): Promise<boolean> {
  const { objects, queries } = await readSqlCatalog(parts.database);
  const query = queries.find((each) => each.queryId === queryId);
  const view = objects.find(
    ({ name, kind }) => kind === "materialized_view" && name === query?.target,
  );
  if (view !== undefined) {
    throw new StreamError(
      "sql_invalid",
      `Cannot drop query "${queryId}": it fills the materialized view "${view.name}"; ` +
        "write DROP MATERIALIZED VIEW",
    );
  }
  if (!(await deleteQueryRow(parts.database, queryId))) return false;
  await parts.manager.look();
  await deleteTopicsOf(parts, queryId);
  return true;
}

/** Every topic that the query alone writes. */
async function deleteTopicsOf({ topics }: DropParts, queryId: string): Promise<void> {
  for (const topic of await topics.list()) {
    if (topic.writer === queryId) await topics.delete(topic.topicId);
  }
}

function unknown(noun: string, name: string, state: SqlCatalogState): StreamError {
  const object = state.objects.get(name);
  if (object !== undefined) {
    const is = object.kind.replace("_", " ");
    const remedy = `write DROP ${is.toUpperCase()}`;
    const message = `Cannot drop the ${noun} "${name}": it is a ${is}; ${remedy}`;
    return new StreamError("sql_object_unknown", message);
  }
  const near = nearest(name, state.objects.keys());
  const hint = near === null ? "" : `; did you mean "${near}"?`;
  return new StreamError("sql_object_unknown", `There is no ${noun} "${name}"${hint}`);
}

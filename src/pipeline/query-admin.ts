/** What operators do with continuous queries: look at them, pause, resume and drop them. */
import { StreamError } from "../base/stream-error.ts";
import { setQueryDesired } from "../meta/sql-objects.ts";
import { type DropParts, dropQuery } from "./drop-object.ts";
import {
  DescribedQueries,
  type QueryReport,
  type QueryReportParts,
  reportQueries,
} from "./query-report.ts";

export type QueryAdminParts = DropParts & QueryReportParts;

export class QueryAdmin {
  readonly #parts: QueryAdminParts;
  readonly #described = new DescribedQueries();

  constructor(parts: QueryAdminParts) {
    this.#parts = parts;
  }

  /** All queries of the namespace, by id. */
  list(): Promise<QueryReport[]> {
    return reportQueries(this.#parts, this.#described);
  }

  /** @throws StreamError `sql_object_unknown` */
  async find(queryId: string): Promise<QueryReport> {
    const [found] = await reportQueries(this.#parts, this.#described, queryId);
    if (found === undefined) throw queryUnknown(queryId);
    return found;
  }

  /**
   * Says whether it is to run; its worker notices within a second. Resuming one that has failed
   * has it try again.
   * @throws StreamError `sql_object_unknown`
   */
  async setDesired(queryId: string, desired: "running" | "paused"): Promise<void> {
    const { database, manager } = this.#parts;
    if (!(await setQueryDesired(database, { queryId, desired }))) throw queryUnknown(queryId);
    await manager.look();
  }

  /** @throws StreamError `sql_object_unknown`, and `sql_invalid` when a view lives of it. */
  async drop(queryId: string): Promise<void> {
    if (!(await dropQuery(this.#parts, queryId))) throw queryUnknown(queryId);
  }
}

export function queryUnknown(queryId: string): StreamError {
  return new StreamError("sql_object_unknown", `There is no query "${queryId}": see SHOW QUERIES`, {
    details: { query: queryId },
  });
}

/** A server without SQL: what its HTTP surface is given in place of it. */
import { StreamError } from "../../src/base/stream-error.ts";
import type { HttpContext } from "../../src/server/http/context.ts";

export const noSql: Pick<HttpContext, "sql" | "queries"> = {
  sql: { execute: refuse, isStill: refuse },
  queries: { list: async () => [], find: refuse, setDesired: refuse, drop: refuse },
};

async function refuse(): Promise<never> {
  throw new StreamError("sql_unsupported", "There is no SQL here");
}

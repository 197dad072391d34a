/** A Worker without SQL: what its HTTP surface is given in place of it. */
import { StreamError } from "../../base/stream-error.ts";
import type { HttpContext } from "../../server/http/context.ts";

export const noSql: Pick<HttpContext, "sql" | "queries"> = {
  sql: { execute: refuse },
  queries: { list: async () => [], find: refuse, setDesired: refuse, drop: refuse },
};

async function refuse(): Promise<never> {
  throw new StreamError(
    "sql_unsupported",
    "Cannot run SQL on a Cloudflare Worker yet: ask a worker that shares its bucket and metadata",
  );
}

/** SQL over HTTP, as far as benchmarks need it. */
import * as z from "zod";

const queriesShape = z.object({
  queries: z.array(
    z.object({
      queryId: z.string(),
      target: z.string(),
      state: z.string(),
      failure: z.string().nullable(),
      lag: z.int(),
      live: z
        .object({
          rowsIn: z.int(),
          rowsOut: z.int(),
          rowsLate: z.int(),
          rowsWrong: z.int(),
          restarts: z.int(),
          lastFailure: z.string().nullable(),
          lastCommit: z.object({ at: z.number(), stateBytes: z.int() }).nullable(),
        })
        .nullable(),
    }),
  ),
});

const answerShape = z.object({
  results: z.array(
    z.union([
      z.object({ rows: z.array(z.record(z.string(), z.unknown())) }),
      z.object({ message: z.string() }),
    ]),
  ),
  error: z.unknown().optional(),
});

export type SqlRow = Readonly<Record<string, unknown>>;
export type QueryState = z.infer<typeof queriesShape>["queries"][number];

export class QueryClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Runs statements; gives the rows of those that have some. Throws what the first failure says. */
  async run(sql: string, settings: Readonly<Record<string, string>> = {}): Promise<SqlRow[][]> {
    const response = await fetch(`${this.#url}/v1/sql`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ sql, settings }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Cannot run ${sql}: ${text}`);
    const { results, error } = answerShape.parse(JSON.parse(text));
    if (error !== undefined) throw new Error(`Cannot run ${sql}: ${JSON.stringify(error)}`);
    return results.flatMap((result) => ("rows" in result ? [result.rows] : []));
  }

  /** The query that fills `target`. */
  async queryOf(target: string): Promise<QueryState> {
    const response = await fetch(`${this.#url}/v1/queries`);
    const { queries } = queriesShape.parse(await response.json());
    const found = queries.find((query) => query.target === target);
    if (found === undefined) throw new Error(`No query fills ${target}`);
    return found;
  }
}

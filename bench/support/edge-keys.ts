/** A query of the Worker that holds many keys in its object, and what it takes. */
import type { EdgePlace } from "./edge-place.ts";

const rowsPerRequest = 10_000;
const settledMsMax = 60_000;

export const keyQueries = {
  groups: `CREATE MATERIALIZED VIEW held AS
    SELECT k, COUNT(*) AS n, SUM(v) AS total FROM events GROUP BY k`,
  windows: `CREATE MATERIALIZED VIEW held AS
    SELECT k, COUNT(*) AS n, SUM(v) AS total, window_start
    FROM TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND)
    GROUP BY k, window_start, window_end`,
} as const;

const stream = `SET 'execution.checkpointing.interval' = '500 ms';
CREATE STREAM events (k BIGINT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
  WITH ('partitions' = '1');`;

interface ShownQuery {
  readonly state: string;
  readonly failure?: string | null;
  readonly partitions: readonly { readonly position: number }[];
}

/** Appends a row for each key, while the query goes on, and waits until it has committed them. */
export async function holdKeys(
  place: EdgePlace,
  { query, keys }: { readonly query: keyof typeof keyQueries; readonly keys: number },
): Promise<void> {
  const headers = { "Content-Type": "application/json" };
  const sql = `${stream}\n${keyQueries[query]}`;
  await place.ask("/v1/sql", { method: "POST", headers, body: JSON.stringify({ sql }) });
  for (let first = 0; first < keys; first += rowsPerRequest) {
    const count = Math.min(rowsPerRequest, keys - first);
    await appendRows(
      place,
      Array.from({ length: count }, (_, index) => rowOf(first + index, 1)),
    );
  }
  await committed(place, keys);
  if (query === "groups") return;
  await appendRows(place, [rowOf(0, 60)]);
  await committed(place, keys + 1);
}

const rowOf = (key: number, second: number) =>
  `{"k":${key},"v":${key % 97},"ts":"2026-01-01 00:${second === 60 ? "01:00" : "00:01"}.000"}`;

async function appendRows(place: EdgePlace, rows: readonly string[]): Promise<void> {
  const headers = { "Content-Type": "application/x-ndjson" };
  const body = rows.join("\n");
  await place.ask("/v1/topics/events/records", { method: "POST", headers, body });
}

async function committed(place: EdgePlace, rows: number): Promise<void> {
  const deadline = performance.now() + settledMsMax;
  for (;;) {
    const answer = await place.ask("/v1/queries");
    const [query] = ((await answer.json()) as { queries: ShownQuery[] }).queries;
    const position = query?.partitions[0]?.position ?? 0;
    if (position >= rows) return;
    if (query?.state === "failed") throw new Error(`The query failed: ${query.failure}`);
    if (performance.now() > deadline) throw new Error(`The query stands at ${position}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

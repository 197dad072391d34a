import { expect, test } from "bun:test";
import { Metrics } from "../../../src/base/metrics.ts";
import type { QueryStatus } from "../../../src/pipeline/query-status.ts";
import { watchQueries } from "../../../src/runtime/query-metrics.ts";

const status: QueryStatus = {
  statistics: {
    ...{ rowsIn: 5, rowsOut: 3, rowsLate: 1, rowsWrong: 1, rowsAhead: 0 },
    watermarks: [20_000, 10_000],
    watermarkHolders: [0, 1],
  },
  commit: { publishPosition: 9, cursors: [], stateBytes: 700, at: 40_000 },
  restarts: 2,
  lastFailure: "gone",
};

test("watchQueries tells of the queries that run here, and of no others", () => {
  const metrics = new Metrics();
  let running = new Map<string, QueryStatus>();
  const clock = { now: () => 50_000, monotonic: () => 0 };
  watchQueries({ metrics, clock, running: () => running });
  const told = () =>
    metrics
      .print()
      .split("\n")
      .filter((line) => line.includes("{query="));
  expect(told()).toEqual([]);
  running = new Map([
    ["q", status],
    ["begins", { ...status, statistics: null, commit: null }],
  ]);
  const both = told();
  expect(both.filter((line) => line.includes('"q"'))).toEqual([
    'millrace_query_rows_in_total{query="q"} 5',
    'millrace_query_rows_out_total{query="q"} 3',
    'millrace_query_rows_late_total{query="q"} 1',
    'millrace_query_rows_wrong_total{query="q"} 1',
    'millrace_query_restarts_total{query="q"} 2',
    'millrace_query_watermark_seconds{query="q"} 10',
    'millrace_query_watermark_delay_seconds{query="q"} 40',
    'millrace_query_commit_age_seconds{query="q"} 10',
    'millrace_query_commit_state_bytes{query="q"} 700',
  ]);
  expect(both.filter((line) => line.includes('"begins"'))).toHaveLength(5);
  running = new Map();
  expect(told()).toEqual([]);
});

/**
 * How the queries of this worker go, as metrics. They are read when somebody asks; a query that no
 * longer runs here takes its series with it. Its lag is `millrace_group_lag` under its id.
 */
import type { Metrics } from "../base/metrics.ts";
import type { Clock } from "../base/platform.ts";
import type { QueryStatus } from "../pipeline/query-status.ts";

/** Queries told one by one; more are added up. */
const seriesMax = 1_000;

const counters = {
  rowsIn: ["rows_in", "Rows that a query has read since it was made."],
  rowsOut: ["rows_out", "Rows that a query has given since it was made."],
  rowsLate: ["rows_late", "Rows that came too late for all their windows."],
  rowsWrong: ["rows_wrong", "Rows in error: not decodable, or failed in an expression."],
  restarts: [
    "restarts",
    "Times that a query started over from its last commit, since this worker took it.",
  ],
} as const;

const gauges = {
  watermark: ["watermark_seconds", "Event time up to which a query is complete, since 1970."],
  delay: ["watermark_delay_seconds", "How far the watermark lies behind this worker's clock."],
  age: ["commit_age_seconds", "Time since a query's last commit."],
  stateBytes: ["commit_state_bytes", "State that a query's last commit carried."],
} as const;

type CounterName = keyof typeof counters;
type GaugeName = keyof typeof gauges;

export interface QueryMetricsParts {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly running: () => ReadonlyMap<string, QueryStatus>;
}

export function watchQueries({ metrics, clock, running }: QueryMetricsParts): void {
  let told = new Set<string>();
  metrics.beforePrint(() => {
    const now = running();
    for (const query of told) if (!now.has(query)) forget(metrics, query);
    for (const [query, status] of now) {
      const values = countersOf(status);
      for (const name of Object.keys(counters) as CounterName[]) {
        metrics.counter(counterFamily(name), { query }).value = values[name];
      }
      for (const [name, value] of Object.entries(gaugesOf(status, clock.now()))) {
        if (value === null) metrics.remove(gaugeFamily(name as GaugeName), { query });
        else metrics.gauge(gaugeFamily(name as GaugeName), { query }).set(value);
      }
    }
    told = new Set(now.keys());
  });
}

function forget(metrics: Metrics, query: string): void {
  for (const name of Object.keys(counters) as CounterName[]) {
    metrics.remove(counterFamily(name), { query });
  }
  for (const name of Object.keys(gauges) as GaugeName[]) {
    metrics.remove(gaugeFamily(name), { query });
  }
}

function counterFamily(name: CounterName) {
  const [suffix, help] = counters[name];
  return { name: `millrace_query_${suffix}_total`, help, seriesMax };
}

function gaugeFamily(name: GaugeName) {
  const [suffix, help] = gauges[name];
  return { name: `millrace_query_${suffix}`, help, seriesMax };
}

function countersOf({ statistics, restarts }: QueryStatus): Record<CounterName, number> {
  return {
    rowsIn: statistics?.rowsIn ?? 0,
    rowsOut: statistics?.rowsOut ?? 0,
    rowsLate: statistics?.rowsLate ?? 0,
    rowsWrong: statistics?.rowsWrong ?? 0,
    restarts,
  };
}

function gaugesOf(
  { statistics, commit }: QueryStatus,
  now: number,
): Record<GaugeName, number | null> {
  const watermarks = statistics?.watermarks ?? [];
  const known = watermarks.flatMap((each) => each ?? []);
  const isKnown = known.length > 0 && known.length === watermarks.length;
  const watermark = isKnown ? Math.min(...known) : null;
  return {
    watermark: watermark === null ? null : watermark / 1000,
    delay: watermark === null ? null : (now - watermark) / 1000,
    age: commit === null ? null : Math.max(0, now - commit.at) / 1000,
    stateBytes: commit?.stateBytes ?? null,
  };
}

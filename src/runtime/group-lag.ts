/**
 * Lag of consumer groups as a metric. It is read from the metadata, so a group whose consumers are
 * all dead still shows; every worker of a namespace tells the same figures: take their maximum.
 */
import type { Metrics } from "../base/metrics.ts";
import type { Platform } from "../base/platform.ts";
import { groupLags } from "../meta/group-lag.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";

const roundMs = 15_000;

/** Series at most; the groups that are furthest behind are told. */
const seriesMax = 200;

export interface GroupLagParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly metrics: Metrics;
}

/** Keeps the gauges up to date until `signal` aborts. */
export async function watchGroupLag(parts: GroupLagParts, signal: AbortSignal): Promise<void> {
  const { platform, metrics } = parts;
  const family = {
    name: "millrace_group_lag",
    help: "Records that a consumer group has not committed yet, by topic.",
    seriesMax,
  };
  let told = new Map<string, { group: string; topic: string }>();
  while (!signal.aborted) {
    try {
      const lags = await groupLags(parts.database, seriesMax);
      const now = new Map<string, { group: string; topic: string }>();
      for (const { groupId: group, topic, recordCount } of lags) {
        now.set(`${group}\n${topic}`, { group, topic });
        metrics.gauge(family, { group, topic }).set(recordCount);
      }
      for (const [key, labels] of told) if (!now.has(key)) metrics.remove(family, labels);
      told = now;
    } catch (error) {
      platform.log.debug("group lag unread", { error: String(error) });
    }
    await platform.timers.sleep(roundMs, signal);
  }
}

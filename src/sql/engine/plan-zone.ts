/** The zone of a node whose rows bring windows of wall times with them. */
import type { PlanColumn } from "../plan/plan.ts";

/**
 * Null where windows are of instants or of TIMESTAMPs: what closes them is then their end as it
 * stands. A rowtime of TIMESTAMP_LTZ beside a window says that it begins at local times.
 */
export function windowZoneOf(columns: readonly PlanColumn[], timeZone: string): string | null {
  const isLocal = columns.some(
    ({ time, type }) => time === "rowtime" && type.kind === "timestampLtz",
  );
  return isLocal && timeZone !== "UTC" ? timeZone : null;
}

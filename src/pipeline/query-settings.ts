/** What WITH (…) of a view or of a target says of the query that writes it. */
import { durationMs } from "../sql/check/stream-options.ts";
import type { QuerySettings } from "./query-definition.ts";
import { memoryBytesOf } from "./sql-session.ts";

/** `settings` with what `options` say; the checker has checked their values. */
export function querySettingsOf(
  settings: QuerySettings,
  options: Readonly<Record<string, string>>,
): QuerySettings {
  const duration = (key: string) => {
    const value = options[key];
    return value === undefined ? null : durationMs(value);
  };
  const memory = options["state-memory"];
  return {
    commitIntervalMs: duration("commit-interval") ?? settings.commitIntervalMs,
    memoryBytesMax:
      (memory === undefined ? null : memoryBytesOf(memory)) ?? settings.memoryBytesMax,
    quietTimeoutMs: duration("quiet-timeout") ?? settings.quietTimeoutMs,
    aheadMsMax: duration("future-limit") ?? settings.aheadMsMax,
    onError: options["on-error"] === "stop" ? "stop" : settings.onError,
    onLate: options["on-late"] === "stop" ? "stop" : settings.onLate,
  };
}

/** Text forms of INTERVALs, as Flink casts them to STRING: `+1 02:03:04.000` and `+1-02`. */
import { dayMs, hourMs, minuteMs } from "./calendar.ts";
import { padded } from "./time-text.ts";

export function formatDayInterval(intervalMs: number): string {
  const size = Math.abs(intervalMs);
  const days = Math.floor(size / dayMs);
  const hours = padded(Math.floor(size / hourMs) % 24, 2);
  const minutes = padded(Math.floor(size / minuteMs) % 60, 2);
  const seconds = padded(Math.floor(size / 1000) % 60, 2);
  const sign = intervalMs < 0 ? "-" : "+";
  return `${sign}${days} ${hours}:${minutes}:${seconds}.${padded(size % 1000, 3)}`;
}

export function formatYearInterval(months: number): string {
  const size = Math.abs(months);
  return `${months < 0 ? "-" : "+"}${Math.floor(size / 12)}-${padded(size % 12, 2)}`;
}

/** `10 SECOND`, `1 HOUR 30 MINUTE`: how EXPLAIN and messages name a length of time. */
export function showDuration(lengthMs: number): string {
  if (lengthMs === 0) return "0 s";
  const units = [
    [dayMs, "d"],
    [hourMs, "h"],
    [minuteMs, "min"],
    [1000, "s"],
    [1, "ms"],
  ] as const;
  const parts: string[] = [];
  let rest = Math.abs(lengthMs);
  for (const [size, name] of units) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count} ${name}`);
    rest -= count * size;
  }
  return (lengthMs < 0 ? "-" : "") + parts.join(" ");
}

/**
 * Text forms of DATE, TIME and TIMESTAMP. Written: `2026-01-01 00:00:10.000`, as Flink's JSON
 * format does. Read: that, ISO-8601 with `T`, fewer or more digits of the second (cut to
 * milliseconds), and an offset where an instant is wanted.
 */
import { civilOf, dayMs, daysOf, hourMs, isCivilDate, minuteMs, splitDay } from "./calendar.ts";

/** 0001-01-01 to 9999-12-31T23:59:59.999. */
export const timestampMin = -62_135_596_800_000;
export const timestampMax = 253_402_300_799_999;

export function isTimestampInRange(timestampMs: number): boolean {
  return timestampMs >= timestampMin && timestampMs <= timestampMax;
}

export function parseDate(text: string): number | null {
  const parts = /^\s*(\d{1,4})-(\d{1,2})-(\d{1,2})\s*$/.exec(text);
  return parts === null ? null : dateOf(parts[1], parts[2], parts[3]);
}

function dateOf(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
): number | null {
  const date = { year: Number(year), month: Number(month), day: Number(day) };
  return isCivilDate(date) && date.year >= 1 ? daysOf(date) : null;
}

export function parseTime(text: string): number | null {
  const parts = /^\s*(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?\s*$/.exec(text);
  return parts === null ? null : timeOf(parts.slice(1));
}

function timeOf(parts: readonly (string | undefined)[]): number | null {
  const [hour = "0", minute = "0", second = "0", fraction = ""] = parts;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  const milliseconds = Number(fraction.padEnd(3, "0").slice(0, 3));
  return Number(hour) * hourMs + Number(minute) * minuteMs + Number(second) * 1000 + milliseconds;
}

const datePart = "(\\d{1,4})-(\\d{1,2})-(\\d{1,2})";
const clockPart = "[ T](\\d{1,2}):(\\d{1,2})(?::(\\d{1,2})(?:[.,](\\d{1,9}))?)?";
const offsetPart = "(Z|[+-]\\d{2}(?::?\\d{2})?)";
const timestampPattern = new RegExp(
  `^\\s*${datePart}(?:${clockPart})?\\s*${offsetPart}?\\s*$`,
  "i",
);

export interface ParsedTimestamp {
  readonly wallMs: number;
  /** Milliseconds east of UTC, where the text says so. */
  readonly offsetMs: number | null;
}

export function parseTimestamp(text: string): ParsedTimestamp | null {
  const parts = timestampPattern.exec(text);
  if (parts === null) return null;
  const days = dateOf(parts[1], parts[2], parts[3]);
  const timeMs = timeOf(parts.slice(4, 8));
  if (days === null || timeMs === null) return null;
  return { wallMs: days * dayMs + timeMs, offsetMs: parseOffset(parts[8]) };
}

/** `Z`, `+02:00`, `+0200`, `+02`; null without text. */
export function parseOffset(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (text.toUpperCase() === "Z") return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(3).replace(":", "") || "0");
  return (text.startsWith("-") ? -1 : 1) * (hours * hourMs + minutes * minuteMs);
}

export function formatDate(days: number): string {
  const { year, month, day } = civilOf(days);
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
}

/** `10:00:00`, and `10:00:00.120` where there is a fraction. */
export function formatTime(timeMs: number): string {
  const milliseconds = timeMs % 1000;
  return clockText(timeMs) + (milliseconds === 0 ? "" : `.${padded(milliseconds, 3)}`);
}

export function formatTimestamp(timestampMs: number): string {
  const { days, timeMs } = splitDay(timestampMs);
  return `${formatDate(days)} ${clockText(timeMs)}.${padded(timeMs % 1000, 3)}`;
}

function clockText(timeMs: number): string {
  const hours = padded(Math.floor(timeMs / hourMs), 2);
  const minutes = padded(Math.floor(timeMs / minuteMs) % 60, 2);
  return `${hours}:${minutes}:${padded(Math.floor(timeMs / 1000) % 60, 2)}`;
}

export function padded(value: number, digits: number): string {
  return value < 0
    ? `-${String(-value).padStart(digits, "0")}`
    : String(value).padStart(digits, "0");
}

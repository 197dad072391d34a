/**
 * Offsets of time zones, from the runtime's own tables (Intl). An offset is looked up once per
 * quarter of an hour and zone: clocks change at no other instants, at least since 1970.
 */
import { dayMs, daysOf, hourMs, minuteMs } from "./calendar.ts";
import { parseOffset } from "./time-text.ts";

const stepMs = 15 * minuteMs;
const cachedOffsetsMax = 4096;

interface Zone {
  readonly format: Intl.DateTimeFormat | null;
  readonly fixedMs: number;
  readonly offsets: Map<number, number>;
}

const zones = new Map<string, Zone>();

/** Whether `name` is UTC, an IANA zone or an offset such as `+02:00` or `GMT+02:00`. */
export function isTimeZone(name: string): boolean {
  return zoneOf(name) !== null;
}

/** Milliseconds east of UTC at an instant. */
export function zoneOffset(name: string, instantMs: number): number {
  const zone = zoneOf(name);
  if (zone === null) throw new RangeError(`There is no time zone "${name}"`);
  if (zone.format === null) return zone.fixedMs;
  const step = Math.floor(instantMs / stepMs);
  const known = zone.offsets.get(step);
  if (known !== undefined) return known;
  const offset = wallOf(zone.format, step * stepMs) - step * stepMs;
  if (zone.offsets.size >= cachedOffsetsMax) zone.offsets.clear();
  zone.offsets.set(step, offset);
  return offset;
}

/** The clock on the wall, as if it were UTC, at an instant. */
export function toWall(name: string, instantMs: number): number {
  return instantMs + zoneOffset(name, instantMs);
}

/**
 * The instant of a wall time. A time that occurs twice is the earlier one; one that the clock jumps
 * over is moved on by the jump, as java.time does.
 */
export function toInstant(name: string, wallMs: number): number {
  const before = zoneOffset(name, wallMs - dayMs);
  const after = zoneOffset(name, wallMs + dayMs);
  const early = wallMs - before;
  if (before === after || zoneOffset(name, early) === before) return early;
  const late = wallMs - after;
  return zoneOffset(name, late) === after ? late : early;
}

function zoneOf(name: string): Zone | null {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const made = makeZone(name);
  if (made !== null) zones.set(name, made);
  return made;
}

function makeZone(name: string): Zone | null {
  const fixed = fixedOffset(name);
  if (fixed !== null) return { format: null, fixedMs: fixed, offsets: new Map() };
  // Intl would take offsets that no clock has.
  if (/^(UTC|GMT)?[+-]/i.test(name)) return null;
  try {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    return { format, fixedMs: 0, offsets: new Map() };
  } catch {
    return null;
  }
}

function fixedOffset(name: string): number | null {
  if (/^(UTC|GMT|Z|UT)$/i.test(name)) return 0;
  const parts = /^(?:UTC|GMT)?([+-]\d{2}(?::?\d{2})?)$/i.exec(name);
  const offset = parts === null ? null : parseOffset(parts[1]);
  return offset === null || Math.abs(offset) > 18 * hourMs ? null : offset;
}

function wallOf(format: Intl.DateTimeFormat, instantMs: number): number {
  const parts: Record<string, string> = {};
  for (const { type, value } of format.formatToParts(instantMs)) parts[type] = value;
  const year = Number(parts["year"]);
  const days = daysOf({
    year: parts["era"] === "BC" ? 1 - year : year,
    month: Number(parts["month"]),
    day: Number(parts["day"]),
  });
  const seconds =
    (Number(parts["hour"]) * 60 + Number(parts["minute"])) * 60 + Number(parts["second"]);
  return days * dayMs + seconds * 1000;
}

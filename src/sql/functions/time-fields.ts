/** Fields of a time and steps between times, on wall times in milliseconds since 1970. */
import {
  addMonths,
  civilOf,
  dayMs,
  dayOfYear,
  daysOf,
  hourMs,
  isoDayOfWeek,
  isoWeek,
  minuteMs,
  modulo,
  splitDay,
} from "../types/calendar.ts";

/** Units by the number under which the SQL text names them. */
export const timeUnits = [
  "MILLENNIUM",
  "CENTURY",
  "DECADE",
  "YEAR",
  "QUARTER",
  "MONTH",
  "WEEK",
  "DAY",
  "HOUR",
  "MINUTE",
  "SECOND",
  "MILLISECOND",
  "MICROSECOND",
  "NANOSECOND",
  "DOY",
  "DOW",
  "ISODOW",
  "ISOYEAR",
  "EPOCH",
] as const;

export type FieldUnit = (typeof timeUnits)[number];

export function unitCode(unit: FieldUnit): number {
  return timeUnits.indexOf(unit);
}

export function unitOf(code: number): FieldUnit {
  return timeUnits[code] ?? "DAY";
}

/** Units of a fixed length, in milliseconds. */
export const unitMs: Readonly<Partial<Record<FieldUnit, number>>> = {
  MILLISECOND: 1,
  SECOND: 1000,
  MINUTE: minuteMs,
  HOUR: hourMs,
  DAY: dayMs,
  WEEK: 7 * dayMs,
};

export const unitMonths: Readonly<Partial<Record<FieldUnit, number>>> = {
  MONTH: 1,
  QUARTER: 3,
  YEAR: 12,
  DECADE: 120,
  CENTURY: 1200,
  MILLENNIUM: 12_000,
};

/** EXTRACT. */
export function fieldOf(unit: FieldUnit, wallMs: number): number {
  const { days, timeMs } = splitDay(wallMs);
  switch (unit) {
    case "HOUR":
      return Math.floor(timeMs / hourMs);
    case "MINUTE":
      return Math.floor(timeMs / minuteMs) % 60;
    case "SECOND":
      return Math.floor(timeMs / 1000) % 60;
    case "MILLISECOND":
      // Of the minute, as the standard says; EXTRACT keeps what Flink keeps of it.
      return timeMs % 60_000;
    case "MICROSECOND":
      return (timeMs % 1000) * 1000;
    case "NANOSECOND":
      return (timeMs % 1000) * 1_000_000;
    case "EPOCH":
      return Math.floor(wallMs / 1000);
    default:
      return dateField(unit, days);
  }
}

function dateField(unit: FieldUnit, days: number): number {
  const { year, month, day } = civilOf(days);
  switch (unit) {
    case "MILLENNIUM":
      return year > 0 ? Math.floor((year + 999) / 1000) : -Math.floor((999 - (year - 1)) / 1000);
    case "CENTURY":
      return year > 0 ? Math.floor((year + 99) / 100) : -Math.floor((99 - (year - 1)) / 100);
    case "DECADE":
      return Math.floor(year / 10);
    case "YEAR":
      return year;
    case "ISOYEAR":
      return isoWeek(days).year;
    case "QUARTER":
      return Math.floor((month + 2) / 3);
    case "MONTH":
      return month;
    case "WEEK":
      return isoWeek(days).week;
    case "DOY":
      return dayOfYear(days);
    case "DOW":
      return (isoDayOfWeek(days) % 7) + 1;
    case "ISODOW":
      return isoDayOfWeek(days);
    default:
      return day;
  }
}

/** FLOOR(x TO unit): the start of the unit that holds the time; weeks begin on Sunday. */
export function floorTo(unit: FieldUnit, wallMs: number): number {
  const { days } = splitDay(wallMs);
  if (unit === "WEEK") return (days - (isoDayOfWeek(days) % 7)) * dayMs;
  const length = unitMs[unit];
  if (length !== undefined) return Math.floor(wallMs / length) * length;
  const months = unitMonths[unit] ?? 12;
  const { year, month } = civilOf(days);
  if (months <= 12) {
    const first = month - 1 - modulo(month - 1, months) + 1;
    return daysOf({ year, month: first, day: 1 }) * dayMs;
  }
  const years = months / 12;
  // Decades begin with 0, centuries and millennia with 1.
  const origin = unit === "DECADE" ? 0 : 1;
  const start = Math.floor((year - origin) / years) * years + origin;
  return daysOf({ year: start, month: 1, day: 1 }) * dayMs;
}

/** CEIL(x TO unit): the time itself where a unit starts, else the next start. */
export function ceilTo(unit: FieldUnit, wallMs: number): number {
  const start = floorTo(unit, wallMs);
  return start === wallMs ? wallMs : step(unit, 1, start);
}

/** So many units later. */
export function step(unit: FieldUnit, count: number, wallMs: number): number {
  const length = unitMs[unit];
  if (length !== undefined) return wallMs + count * length;
  const { days, timeMs } = splitDay(wallMs);
  return addMonths(days, count * (unitMonths[unit] ?? 1)) * dayMs + timeMs;
}

/** Whole units from one time to another, cut towards zero. */
export function difference(unit: FieldUnit, fromMs: number, toMs: number): number {
  const length = unitMs[unit];
  if (length !== undefined) return Math.trunc((toMs - fromMs) / length);
  return Math.trunc(monthsBetween(fromMs, toMs) / (unitMonths[unit] ?? 1));
}

/** The most months that can be added to the first without passing the second. */
function monthsBetween(fromMs: number, toMs: number): number {
  if (toMs < fromMs) return -monthsBetween(toMs, fromMs);
  const from = splitDay(fromMs);
  const to = splitDay(toMs);
  const first = civilOf(from.days);
  const last = civilOf(to.days);
  const months = (last.year - first.year) * 12 + last.month - first.month;
  const day = addMonths(from.days, months);
  const isShort = day > to.days || (day === to.days && to.timeMs < from.timeMs);
  return isShort ? months - 1 : months;
}

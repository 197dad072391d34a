/** What the functions of times do. Times are milliseconds; see `types/data-type.ts`. */
import { addMonths, dayMs, splitDay } from "../types/calendar.ts";
import {
  formatTimestamp,
  isTimestampInRange,
  parseDate,
  parseTimestamp,
} from "../types/time-text.ts";
import { isTimeZone, toInstant, toWall } from "../types/time-zone.ts";
import { inRange } from "./arithmetic-host.ts";
import { type HostFunction, integer, number, strict, text } from "./host-function.ts";
import { RowError, shown } from "./row-error.ts";
import { ceilTo, difference, fieldOf, floorTo, step, unitOf } from "./time-fields.ts";
import { formatPattern, parsePattern } from "./time-pattern.ts";

function inYears(timestampMs: number): bigint {
  if (isTimestampInRange(timestampMs)) return BigInt(timestampMs);
  throw new RowError("The time is out of range: years 1 to 9999 are known");
}

function zone(name: string): string {
  if (isTimeZone(name)) return name;
  throw new RowError(`There is no time zone ${shown(name)}`);
}

const secondsPattern = "yyyy-MM-dd HH:mm:ss";

/** Null where the text is no time: as TO_TIMESTAMP says it. */
function readWall(value: string, pattern: string | null): number | null {
  if (pattern !== null) return parsePattern(pattern, value);
  return parseTimestamp(value)?.wallMs ?? null;
}

function patternOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

const fields: readonly HostFunction[] = [
  strict("mr_extract", 2, (unit, wall) => BigInt(fieldOf(unitOf(number(unit)), number(wall)))),
  strict("mr_floor_to", 2, (unit, wall) => inYears(floorTo(unitOf(number(unit)), number(wall)))),
  strict("mr_ceil_to", 2, (unit, wall) => inYears(ceilTo(unitOf(number(unit)), number(wall)))),
  strict("mr_time_step", 3, (unit, count, wall) =>
    inYears(step(unitOf(number(unit)), number(count), number(wall))),
  ),
  strict("mr_time_diff", 3, (unit, from, to) =>
    inRange(BigInt(difference(unitOf(number(unit)), number(from), number(to))), 32, "INT"),
  ),
  strict("mr_time_add", 2, (wall, length) => inYears(number(wall) + number(length))),
  strict("mr_clock_add", 2, (timeMs, length) => {
    const sum = number(timeMs) + number(length);
    return BigInt(sum - Math.floor(sum / dayMs) * dayMs);
  }),
  strict("mr_months_add", 2, (wall, months) => {
    const { days, timeMs } = splitDay(number(wall));
    return inYears(addMonths(days, number(months)) * dayMs + timeMs);
  }),
];

const texts: readonly HostFunction[] = [
  strict("mr_date_format", 2, (wall, pattern) => formatPattern(text(pattern), number(wall))),
  strict("mr_to_date", -1, (value, pattern) => {
    const form = patternOf(pattern);
    if (form === null) {
      const days = parseDate(text(value));
      return days === null ? null : BigInt(days);
    }
    const wall = parsePattern(form, text(value));
    return wall === null ? null : BigInt(Math.floor(wall / dayMs));
  }),
  strict("mr_to_timestamp", -1, (value, pattern) => {
    const wall = readWall(text(value), patternOf(pattern));
    return wall === null ? null : inYears(wall);
  }),
  strict("mr_to_ltz_text", 3, (value, pattern, name) => {
    const wall = readWall(text(value), text(pattern) === "" ? null : text(pattern));
    return wall === null ? null : inYears(toInstant(zone(text(name)), wall));
  }),
  strict("mr_to_ltz", 2, (value, precision) => {
    const scale = number(precision);
    if (scale !== 0 && scale !== 3) {
      throw new RowError(`TO_TIMESTAMP_LTZ knows the precisions 0 and 3, not ${scale}`);
    }
    return inYears(scale === 0 ? Math.floor(number(value) * 1000) : Math.floor(number(value)));
  }),
  strict("mr_from_unixtime", 3, (seconds, pattern, name) => {
    const wall = toWall(zone(text(name)), Number(integer(seconds)) * 1000);
    inYears(wall);
    return formatPattern(text(pattern) === "" ? secondsPattern : text(pattern), wall);
  }),
  strict("mr_unix_timestamp", 3, (value, pattern, name) => {
    const wall = readWall(text(value), text(pattern) === "" ? null : text(pattern));
    if (wall === null) throw new RowError(`${shown(text(value))} is no time of that form`);
    return BigInt(Math.floor(toInstant(zone(text(name)), wall) / 1000));
  }),
  strict("mr_convert_tz", 3, (value, from, to) => {
    const wall = readWall(text(value), null);
    if (wall === null) return null;
    const instant = toInstant(zone(text(from)), wall);
    return formatTimestamp(toWall(zone(text(to)), instant)).slice(0, 19);
  }),
];

export const temporalHosts: readonly HostFunction[] = [...fields, ...texts];

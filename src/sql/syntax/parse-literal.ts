/** Literals of time: DATE, TIME, TIMESTAMP and INTERVAL, with their values. */

import { nearest } from "../../base/near.ts";
import type { DatetimeLiteral, IntervalLiteral } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { intervalUnitOf, parseUnits } from "./parse-type.ts";
import type { Token } from "./token.ts";
import type { IntervalUnit } from "./type-node.ts";

const dayMs = 86_400_000;
const datePattern = /^(\d{4})-(\d{1,2})-(\d{1,2})$/;
const timePattern = /^(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?$/;

const forms = {
  date: "DATE '2026-01-31'",
  time: "TIME '10:20:30' or TIME '10:20:30.123'",
  timestamp: "TIMESTAMP '2026-01-31 10:20:30' or with fractions of a second",
} as const;

/** DATE, TIME or TIMESTAMP before a string; else null, since the word may also be a name. */
export function parseDatetime(cursor: Cursor): DatetimeLiteral | null {
  const { token } = cursor;
  const type = token.upper.toLowerCase();
  if (type !== "date" && type !== "time" && type !== "timestamp") return null;
  if (cursor.peek(1).kind !== "string") return null;
  cursor.advance();
  const string = cursor.advance();
  const found = readDatetime(type, string.text);
  const problem = `'${string.text.slice(0, 40)}' is no ${type}; it is written ${forms[type]}`;
  if (found === null) return cursor.invalid(string, problem);
  return { kind: "datetime", type, text: string.text, ...found, at: cursor.spanFrom(token) };
}

interface Instant {
  readonly value: number;
  readonly fractionDigits: number;
}

function readDatetime(type: keyof typeof forms, text: string): Instant | null {
  if (type === "date") {
    const days = readDate(text);
    return days === null ? null : { value: days, fractionDigits: 0 };
  }
  if (type === "time") return readTime(text);
  const gap = text.indexOf(" ");
  const days = readDate(gap < 0 ? text : text.slice(0, gap));
  const time = gap < 0 ? { value: 0, fractionDigits: 0 } : readTime(text.slice(gap + 1));
  if (days === null || time === null) return null;
  return { value: days * dayMs + time.value, fractionDigits: time.fractionDigits };
}

function readDate(text: string): number | null {
  const parts = datePattern.exec(text);
  if (parts === null) return null;
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number];
  if (year === 0 || month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month)) {
    return null;
  }
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / dayMs;
}

function daysOfMonth(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

function readTime(text: string): Instant | null {
  const parts = timePattern.exec(text);
  if (parts === null) return null;
  const [hours, minutes, seconds] = parts.slice(1, 4).map(Number) as [number, number, number];
  if (hours > 23 || minutes > 59 || seconds > 59) return null;
  const fraction = parts[4] ?? "";
  const ms = Number(fraction.slice(0, 3).padEnd(3, "0"));
  const value = ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
  return { value, fractionDigits: fraction.length };
}

/** INTERVAL before a string or a sign; else null, since the word may also be a name. */
export function parseInterval(cursor: Cursor): IntervalLiteral | null {
  if (!cursor.isWord("INTERVAL")) return null;
  const next = cursor.peek(1);
  if (next.kind === "number") return failUnquoted(cursor, next);
  const hasSign = cursor.isSymbol("-", 1) || cursor.isSymbol("+", 1);
  if (next.kind !== "string" && !(hasSign && cursor.peek(2).kind === "string")) return null;
  return expectInterval(cursor);
}

function failUnquoted(cursor: Cursor, number: Token): never {
  const unit = cursor.peek(2);
  const name = unit.kind === "word" && intervalUnitOf(unit.upper) !== null ? unit.upper : "SECOND";
  return cursor.invalid(
    number,
    "an interval's number stands in quotes",
    `INTERVAL '${number.text}' ${name}`,
  );
}

export function expectInterval(cursor: Cursor): IntervalLiteral {
  const start = cursor.token;
  cursor.expectWord("INTERVAL");
  let isNegative = false;
  if (cursor.isSymbol("-") || cursor.isSymbol("+")) isNegative = cursor.advance().text === "-";
  if (cursor.token.kind === "number") return failUnquoted(cursor, cursor.token);
  const string = cursor.token;
  const written = cursor.string("a string such as '10'").value.trim();
  const signed = /^[-+]/.test(written);
  if (signed) isNegative = isNegative !== written.startsWith("-");
  const bare = signed ? written.slice(1).trim() : written;
  const inText = unitInText(cursor, bare);
  const { text, from, to } = inText ?? { text: bare, ...parseUnits(cursor) };
  const size = sizeOf(text, from, to);
  if (typeof size === "string") return cursor.invalid(string, size);
  const value = isNegative && size !== 0 ? -size : size;
  return { kind: "interval", text, isNegative, from, to, value, at: cursor.spanFrom(start) };
}

/** `'10 seconds'`, when no unit follows the string. */
function unitInText(cursor: Cursor, written: string) {
  const parts = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(written);
  const { token } = cursor;
  if (parts === null || (token.kind === "word" && intervalUnitOf(token.upper) !== null))
    return null;
  const word = parts[2] ?? "";
  const from = intervalUnitOf(word.toUpperCase());
  if (from !== null) return { text: parts[1] ?? "", from, to: null };
  const near = nearest(word, ["years", "months", "weeks", "days", "hours", "minutes", "seconds"]);
  return cursor.invalid(cursor.peek(-1), `${word} is not a unit of time`, near ?? undefined);
}

const unitSizes: Readonly<Record<IntervalUnit, number>> = {
  YEAR: 12,
  QUARTER: 3,
  MONTH: 1,
  WEEK: 7 * dayMs,
  DAY: dayMs,
  HOUR: 3_600_000,
  MINUTE: 60_000,
  SECOND: 1_000,
};

const dayFields: readonly IntervalUnit[] = ["DAY", "HOUR", "MINUTE", "SECOND"];
const fieldMax: Partial<Record<IntervalUnit, number>> = {
  MONTH: 11,
  HOUR: 23,
  MINUTE: 59,
  SECOND: 59,
};
const intervalForms: Readonly<Record<string, string>> = {
  "YEAR TO MONTH": "'1-2'",
  "DAY TO HOUR": "'1 10'",
  "DAY TO MINUTE": "'1 10:20'",
  "DAY TO SECOND": "'1 10:20:30.5'",
  "HOUR TO MINUTE": "'10:20'",
  "HOUR TO SECOND": "'10:20:30.5'",
  "MINUTE TO SECOND": "'20:30.5'",
  SECOND: "'30' or '30.5'",
};

/** Months or milliseconds; a text says what is wrong. */
function sizeOf(text: string, from: IntervalUnit, to: IntervalUnit | null): number | string {
  const units = to === null ? [from] : from === "YEAR" ? ["YEAR", "MONTH"] : between(from, to);
  const range = to === null ? from : `${from} TO ${to}`;
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  const form = intervalForms[range] ?? "'10'";
  const fields = split(text, units as IntervalUnit[]);
  if (fields === null) return `'${shown}' is no interval of ${range}; it is written ${form}`;
  let size = 0;
  for (const [index, field] of fields.entries()) {
    const unit = units[index] as IntervalUnit;
    const max = index === 0 ? undefined : fieldMax[unit];
    if (max !== undefined && Math.floor(Number(field)) > max) {
      return `${unit} is at most ${max} in an interval of ${range}, found ${field}`;
    }
    const part = unit === "SECOND" ? secondsMs(field) : Number(field) * unitSizes[unit];
    if (part === null) return `'${shown}' is finer than a millisecond`;
    size += part;
  }
  return Number.isSafeInteger(size) ? size : `'${shown}' is too long an interval`;
}

function between(from: IntervalUnit, to: IntervalUnit): readonly IntervalUnit[] {
  return dayFields.slice(dayFields.indexOf(from), dayFields.indexOf(to) + 1);
}

/** The digits of each unit, or null when they are not set out as they must be. */
function split(text: string, units: readonly IntervalUnit[]): string[] | null {
  const pattern = units.map((unit, index) => {
    const digits = unit === "SECOND" ? "(\\d+(?:\\.\\d+)?)" : "(\\d+)";
    if (index === 0) return digits;
    return (unit === "MONTH" ? "-" : units[index - 1] === "DAY" ? "\\s+" : ":") + digits;
  });
  return new RegExp(`^${pattern.join("")}$`).exec(text)?.slice(1) ?? null;
}

/** Exact: 0.1 s is 100 ms, not 100.00000000000001. */
function secondsMs(text: string): number | null {
  const [whole = "0", fraction = ""] = text.split(".");
  if (/[1-9]/.test(fraction.slice(3))) return null;
  return Number(whole) * 1000 + Number(fraction.slice(0, 3).padEnd(3, "0"));
}

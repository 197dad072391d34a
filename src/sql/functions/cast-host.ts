/** What CASTs do that SQLite's own do not; `TRY_CAST` uses a twin that gives NULL for an error. */
import type { SqlValue } from "../plan/scalar.ts";
import { formatDecimal, parseDecimal, rescale, rescaleDown, unscaledOf } from "../types/decimal.ts";
import { formatDayInterval, formatYearInterval } from "../types/interval-text.ts";
import { formatDouble, formatFloat, parseDouble } from "../types/number-text.ts";
import {
  formatDate,
  formatTime,
  formatTimestamp,
  parseDate,
  parseTime,
  parseTimestamp,
} from "../types/time-text.ts";
import { toInstant, toWall } from "../types/time-zone.ts";
import { inPrecision, inRange, toFloat } from "./arithmetic-host.ts";
import { bytes, flag, type HostFunction, integer, number, strict, text } from "./host-function.ts";
import { isJsonText } from "./json-text.ts";
import { RowError, shown } from "./row-error.ts";

const integerNames: Readonly<Record<number, string>> = {
  8: "TINYINT",
  16: "SMALLINT",
  32: "INT",
  64: "BIGINT",
};

function toInteger(value: bigint, bits: number): bigint {
  return inRange(value, bits, integerNames[bits] ?? "BIGINT");
}

function noCast(value: string, typeName: string): never {
  throw new RowError(`Cannot cast ${shown(value)} to ${typeName}`);
}

/** Digits with an optional fraction, which is cut: as Flink reads whole numbers. */
function textToInteger(value: string, bits: number): bigint {
  const parts = /^([+-]?\d{1,100})(?:\.\d*)?$/.exec(value.trim());
  const name = integerNames[bits] ?? "BIGINT";
  return parts === null ? noCast(value, name) : toInteger(BigInt(parts[1] ?? "0"), bits);
}

const booleanWords: Readonly<Record<string, boolean>> = {
  t: true,
  true: true,
  y: true,
  yes: true,
  "1": true,
  f: false,
  false: false,
  n: false,
  no: false,
  "0": false,
};

function textToBoolean(value: string): bigint {
  const word = value.trim().toLowerCase();
  return Object.hasOwn(booleanWords, word)
    ? flag(booleanWords[word] ?? false)
    : noCast(value, "BOOLEAN");
}

function textToTimestamp(value: string): bigint {
  const parsed = parseTimestamp(value);
  if (parsed === null) return noCast(value, "TIMESTAMP(3)");
  // An offset that is written out names the wall of UTC.
  return BigInt(parsed.wallMs - (parsed.offsetMs ?? 0));
}

function textToInstant(value: string, zone: string): bigint {
  const parsed = parseTimestamp(value);
  if (parsed === null) return noCast(value, "TIMESTAMP_LTZ(3)");
  const { wallMs, offsetMs } = parsed;
  return BigInt(offsetMs === null ? toInstant(zone, wallMs) : wallMs - offsetMs);
}

function realToDecimal(value: number, precision: number, scale: number): SqlValue {
  const parsed = parseDecimal(String(value));
  if (parsed === null) throw new RowError(`Cannot cast ${value} to DECIMAL`);
  return inPrecision(rescale(parsed.unscaled, parsed.scale, scale), precision, scale);
}

const fallible: readonly HostFunction[] = [
  strict("mr_to_i8", 1, (value) => toInteger(integer(value), 8)),
  strict("mr_to_i16", 1, (value) => toInteger(integer(value), 16)),
  strict("mr_to_i32", 1, (value) => toInteger(integer(value), 32)),
  strict("mr_to_f32", 1, (value) => toFloat(number(value))),
  strict("mr_real_int", 2, (value, bits) =>
    toInteger(BigInt(Math.trunc(number(value))), number(bits)),
  ),
  strict("mr_dec_int", 3, (value, scale, bits) =>
    toInteger(rescaleDown(unscaledOf(value), number(scale), 0), number(bits)),
  ),
  strict("mr_text_int", 2, (value, bits) => textToInteger(text(value), number(bits))),
  strict("mr_text_real", 1, (value) => parseDouble(text(value)) ?? noCast(text(value), "DOUBLE")),
  strict("mr_text_f32", 1, (value) =>
    toFloat(parseDouble(text(value)) ?? noCast(text(value), "FLOAT")),
  ),
  strict("mr_text_boolean", 1, (value) => textToBoolean(text(value))),
  strict("mr_dec_cast", 4, (value, from, precision, scale) =>
    inPrecision(
      rescale(unscaledOf(value), number(from), number(scale)),
      number(precision),
      number(scale),
    ),
  ),
  strict("mr_real_dec", 3, (value, precision, scale) =>
    realToDecimal(number(value), number(precision), number(scale)),
  ),
  strict("mr_text_dec", 3, (value, precision, scale) => {
    const parsed = parseDecimal(text(value).trim());
    if (parsed === null) return noCast(text(value), `DECIMAL(${precision}, ${scale})`);
    const unscaled = rescale(parsed.unscaled, parsed.scale, number(scale));
    return inPrecision(unscaled, number(precision), number(scale));
  }),
  strict("mr_text_date", 1, (value) => {
    const days = parseDate(text(value));
    if (days !== null) return BigInt(days);
    const parsed = parseTimestamp(text(value));
    return parsed === null
      ? noCast(text(value), "DATE")
      : BigInt(Math.floor(parsed.wallMs / 86_400_000));
  }),
  strict("mr_text_time", 1, (value) =>
    BigInt(parseTime(text(value)) ?? noCast(text(value), "TIME")),
  ),
  strict("mr_text_timestamp", 1, (value) => textToTimestamp(text(value))),
  strict("mr_text_ltz", 2, (value, zone) => textToInstant(text(value), text(zone))),
  strict("mr_text_json", 1, (value) =>
    isJsonText(text(value)) ? text(value) : noCast(text(value), "JSON"),
  ),
];

function tryTwin(host: HostFunction): HostFunction {
  return {
    ...host,
    name: host.name.replace(/^mr_/, "mr_try_"),
    call: (args) => {
      try {
        return host.call(args);
      } catch (cause) {
        if (cause instanceof RowError) return null;
        throw cause;
      }
    },
  };
}

const texts: readonly HostFunction[] = [
  strict("mr_double_text", 1, (value) => formatDouble(number(value))),
  strict("mr_float_text", 1, (value) => formatFloat(number(value))),
  strict("mr_dec_text", 2, (value, scale) => formatDecimal(unscaledOf(value), number(scale))),
  strict("mr_date_text", 1, (value) => formatDate(number(value))),
  strict("mr_time_text", 1, (value) => formatTime(number(value))),
  strict("mr_timestamp_text", 1, (value) => formatTimestamp(number(value))),
  strict("mr_day_text", 1, (value) => formatDayInterval(number(value))),
  strict("mr_year_text", 1, (value) => formatYearInterval(number(value))),
  strict("mr_utf8", 1, (value) =>
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes(value)),
  ),
  strict("mr_cut", 2, (value, length) => [...text(value)].slice(0, number(length)).join("")),
  strict("mr_char", 2, (value, length) => {
    const kept = [...text(value)].slice(0, number(length));
    return kept.join("") + " ".repeat(number(length) - kept.length);
  }),
];

const others: readonly HostFunction[] = [
  strict("mr_dec_real", 2, (value, scale) =>
    Number(formatDecimal(unscaledOf(value), number(scale))),
  ),
  strict("mr_wall", 2, (value, zone) => BigInt(toWall(text(zone), number(value)))),
  strict("mr_instant", 2, (value, zone) => BigInt(toInstant(text(zone), number(value)))),
  strict("mr_date", 1, (value) => BigInt(Math.floor(number(value) / 86_400_000))),
  strict("mr_time", 1, (value) => {
    const milliseconds = number(value);
    return BigInt(milliseconds - Math.floor(milliseconds / 86_400_000) * 86_400_000);
  }),
];

export const castHosts: readonly HostFunction[] = [
  ...fallible,
  ...fallible.map(tryTwin),
  ...texts,
  ...others,
];

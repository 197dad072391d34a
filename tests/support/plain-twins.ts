/**
 * Functions that have a native twin, written plainly with bigints and Dates: what the twins must
 * agree with, errors included.
 */
import type { SqlValue } from "../../src/sql/plan/scalar.ts";
import { wideBlob, wideOfBlob } from "./sqlite.ts";

type Plain = (args: readonly SqlValue[]) => SqlValue;

/** NULL where an argument is. */
function strict(call: (...args: never[]) => SqlValue): Plain {
  return (args) => (args.includes(null) ? null : call(...(args as never[])));
}

function within(value: bigint, bits: number): bigint {
  if (BigInt.asIntN(bits, value) === value) return value;
  throw new Error(`${value} is out of range for ${bits} bits`);
}

function nonZero<Value extends number | bigint>(value: Value): Value {
  if (Number(value) === 0) throw new Error("Division by zero");
  return value;
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new Error("out of range");
}

function unscaled(value: SqlValue): bigint {
  return value instanceof Uint8Array ? wideOfBlob(value) : (value as bigint);
}

/** numerator / denominator, half away from zero. */
function rounded(numerator: bigint, denominator: bigint): bigint {
  const sign = numerator < 0n === denominator < 0n ? 1n : -1n;
  const [n, d] = [numerator, denominator].map((each) => (each < 0n ? -each : each)) as [
    bigint,
    bigint,
  ];
  return sign * ((2n * n + d) / (2n * d));
}

/** The rational number as a DECIMAL. */
function decimal(
  numerator: bigint,
  denominator: bigint,
  to: { readonly precision: bigint; readonly scale: bigint },
): SqlValue {
  const value = rounded(numerator * 10n ** to.scale, denominator);
  if ((value < 0n ? -value : value) >= 10n ** to.precision) throw new Error("too many digits");
  return to.precision <= 18n ? value : wideBlob(value);
}

type Operation = (a: bigint, b: bigint) => readonly [bigint, bigint];

/** On numerators over 10^scale; the operation gives numerator and denominator over 10^both. */
function decimalOperation(
  operate: (a: bigint, aUnit: bigint, b: bigint, bUnit: bigint) => ReturnType<Operation>,
): Plain {
  return strict(
    (
      a: SqlValue,
      aScale: bigint,
      b: SqlValue,
      bScale: bigint,
      precision: bigint,
      scale: bigint,
    ) => {
      const [numerator, denominator] = operate(
        unscaled(a),
        10n ** aScale,
        unscaled(b),
        10n ** bScale,
      );
      return decimal(numerator, denominator, { precision, scale });
    },
  );
}

const dayMs = 86_400_000;

function floorTo(unit: number, wall: number): number {
  const date = new Date(wall);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  const start = (atMonth: number) => new Date(0).setUTCFullYear(year, atMonth, 1);
  if (unit === 3) return start(0);
  if (unit === 4) return start(month - (month % 3));
  if (unit === 5) return start(month);
  if (unit === 6) return (Math.floor(wall / dayMs) - date.getUTCDay()) * dayMs;
  const length = [dayMs, 3_600_000, 60_000, 1000, 1][unit - 7] ?? 1;
  return Math.floor(wall / length) * length;
}

function field(unit: number, wall: number): number {
  const date = new Date(wall);
  switch (unit) {
    case 3:
      return date.getUTCFullYear();
    case 4:
      return Math.floor(date.getUTCMonth() / 3) + 1;
    case 5:
      return date.getUTCMonth() + 1;
    case 7:
      return date.getUTCDate();
    case 8:
      return date.getUTCHours();
    case 9:
      return date.getUTCMinutes();
    case 10:
      return date.getUTCSeconds();
    case 11:
      return date.getUTCSeconds() * 1000 + date.getUTCMilliseconds();
    case 15:
      return date.getUTCDay() + 1;
    default:
      return Math.floor(wall / 1000);
  }
}

function formatted(wall: number, pattern: string): string {
  const date = new Date(wall);
  const fields: Readonly<Record<string, number>> = {
    y: date.getUTCFullYear(),
    M: date.getUTCMonth() + 1,
    d: date.getUTCDate(),
    H: date.getUTCHours(),
    m: date.getUTCMinutes(),
    s: date.getUTCSeconds(),
    S: date.getUTCMilliseconds(),
  };
  return pattern.replaceAll(/''|([A-Za-z])\1*/g, (token) => {
    if (token === "''") return "'";
    const value = fields[token[0] ?? ""];
    if (value === undefined) throw new Error(`no field ${token}`);
    return String(value).padStart(token.length, "0");
  });
}

export const plainTwins: Readonly<Record<string, Plain>> = {
  mr_i8: strict((a: bigint) => within(a, 8)),
  mr_i16: strict((a: bigint) => within(a, 16)),
  mr_i32: strict((a: bigint) => within(a, 32)),
  mr_add: strict((a: bigint, b: bigint) => within(a + b, 64)),
  mr_sub: strict((a: bigint, b: bigint) => within(a - b, 64)),
  mr_mul: strict((a: bigint, b: bigint) => within(a * b, 64)),
  mr_div: strict((a: bigint, b: bigint) => within(a / nonZero(b), 64)),
  mr_mod: strict((a: bigint, b: bigint) => a % nonZero(b)),
  mr_finite: strict(finite),
  mr_f32: strict((a: number) => finite(Math.fround(a))),
  mr_div_real: strict((a: number, b: number) => finite(a / nonZero(b))),
  mr_real: strict((bits: bigint) => new Float64Array(new BigInt64Array([bits]).buffer)[0] ?? null),
  mr_dec_add: decimalOperation((a, aUnit, b, bUnit) => [a * bUnit + b * aUnit, aUnit * bUnit]),
  mr_dec_sub: decimalOperation((a, aUnit, b, bUnit) => [a * bUnit - b * aUnit, aUnit * bUnit]),
  mr_dec_mul: decimalOperation((a, aUnit, b, bUnit) => [a * b, aUnit * bUnit]),
  mr_dec_div: decimalOperation((a, aUnit, b, bUnit) => [a * bUnit, nonZero(b) * aUnit]),
  mr_dec_cast: strict((a: SqlValue, from: bigint, precision: bigint, scale: bigint) =>
    decimal(unscaled(a), 10n ** from, { precision, scale }),
  ),
  mr_char_length: strict((a: string) => BigInt([...a].length)),
  mr_lower: strict((a: string) => a.toLowerCase()),
  mr_upper: strict((a: string) => a.toUpperCase()),
  mr_concat: strict((...all: string[]) => all.join("")),
  mr_startswith: strict((a: string, b: string) => BigInt(a.startsWith(b))),
  mr_endswith: strict((a: string, b: string) => BigInt(a.endsWith(b))),
  mr_split_index: strict((a: string, b: string, index: bigint) =>
    a === "" || index < 0n ? null : (a.split(b === "" ? /\s/ : b)[Number(index)] ?? null),
  ),
  mr_floor_to: strict((unit: bigint, wall: bigint) => BigInt(floorTo(Number(unit), Number(wall)))),
  mr_extract: strict((unit: bigint, wall: bigint) => BigInt(field(Number(unit), Number(wall)))),
  mr_date_format: strict((wall: bigint, pattern: string) => formatted(Number(wall), pattern)),
};

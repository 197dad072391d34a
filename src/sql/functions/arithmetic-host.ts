/**
 * Checked arithmetic. SQLite's own turns an integer overflow into a DOUBLE and a division by zero
 * into NULL; here both are errors of the row.
 */
import type { SqlValue } from "../plan/scalar.ts";
import {
  decimalValue,
  divideHalfUp,
  fitsPrecision,
  formatDecimal,
  powerOfTen,
  rescale,
  rescaleDown,
  unscaledOf,
} from "../types/decimal.ts";
import { type HostFunction, integer, number, strict } from "./host-function.ts";
import { RowError } from "./row-error.ts";

const bigintMin = -(1n << 63n);
const bigintMax = (1n << 63n) - 1n;

export function inRange(value: bigint, bits: number, typeName: string): bigint {
  const limit = 1n << BigInt(bits - 1);
  if (value >= -limit && value < limit) return value;
  throw new RowError(`${value} is out of range for ${typeName}`);
}

export function inBigint(value: bigint): bigint {
  if (value >= bigintMin && value <= bigintMax) return value;
  throw new RowError(`${value} is out of range for BIGINT`);
}

export function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  if (Number.isNaN(value)) throw new RowError("The result is not a number (NaN)");
  throw new RowError("The result is out of range for DOUBLE");
}

export function toFloat(value: number): number {
  const rounded = Math.fround(value);
  if (Number.isFinite(rounded)) return rounded;
  throw new RowError(`${value} is out of range for FLOAT`);
}

function nonZero(divisor: bigint): bigint {
  if (divisor === 0n) throw new RowError("Division by zero");
  return divisor;
}

function nonZeroReal(divisor: number): number {
  if (divisor === 0) throw new RowError("Division by zero");
  return divisor;
}

/** A DECIMAL that must have at most `precision` digits. */
export function inPrecision(unscaled: bigint, precision: number, scale: number): SqlValue {
  if (fitsPrecision(unscaled, precision)) return decimalValue(unscaled, precision);
  const shownValue = formatDecimal(unscaled, scale);
  throw new RowError(`${shownValue} is out of range for DECIMAL(${precision}, ${scale})`);
}

type DecimalOperation = (a: bigint, aScale: number, b: bigint, bScale: number) => [bigint, number];

/** mr_dec_…(a, a's scale, b, b's scale, result's precision, result's scale). */
function decimalOperation(name: string, operate: DecimalOperation): HostFunction {
  return strict(name, 6, (a, aScale, b, bScale, precision, scale) => {
    const [unscaled, exactScale] = operate(
      unscaledOf(a),
      number(aScale),
      unscaledOf(b),
      number(bScale),
    );
    const rounded = rescale(unscaled, exactScale, number(scale));
    return inPrecision(rounded, number(precision), number(scale));
  });
}

/** Digits beyond the result's scale that a quotient is computed to, before it is rounded. */
const divisionGuardDigits = 40;

const add: DecimalOperation = (a, aScale, b, bScale) => {
  const scale = Math.max(aScale, bScale);
  return [rescale(a, aScale, scale) + rescale(b, bScale, scale), scale];
};

/** For −: b's sign is turned. */
const subtract: DecimalOperation = (a, aScale, b, bScale) => add(a, aScale, -b, bScale);

const remainder: DecimalOperation = (a, aScale, b, bScale) => {
  const scale = Math.max(aScale, bScale);
  return [rescale(a, aScale, scale) % nonZero(rescale(b, bScale, scale)), scale];
};

const checkedIntegers: readonly HostFunction[] = [
  strict("mr_i8", 1, (a) => inRange(integer(a), 8, "TINYINT")),
  strict("mr_i16", 1, (a) => inRange(integer(a), 16, "SMALLINT")),
  strict("mr_i32", 1, (a) => inRange(integer(a), 32, "INT")),
  strict("mr_add", 2, (a, b) => inBigint(integer(a) + integer(b))),
  strict("mr_sub", 2, (a, b) => inBigint(integer(a) - integer(b))),
  strict("mr_mul", 2, (a, b) => inBigint(integer(a) * integer(b))),
  strict("mr_div", 2, (a, b) => inBigint(integer(a) / nonZero(integer(b)))),
  strict("mr_mod", 2, (a, b) => integer(a) % nonZero(integer(b))),
];

const checkedReals: readonly HostFunction[] = [
  strict("mr_finite", 1, (a) => finite(number(a))),
  strict("mr_f32", 1, (a) => toFloat(number(a))),
  strict("mr_div_real", 2, (a, b) => finite(number(a) / nonZeroReal(number(b)))),
  strict("mr_mod_real", 2, (a, b) => finite(number(a) % nonZeroReal(number(b)))),
  strict("mr_real", 1, (bits) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigInt64(0, integer(bits));
    return view.getFloat64(0);
  }),
];

const decimals: readonly HostFunction[] = [
  decimalOperation("mr_dec_add", add),
  decimalOperation("mr_dec_sub", subtract),
  decimalOperation("mr_dec_mul", (a, aScale, b, bScale) => [a * b, aScale + bScale]),
  decimalOperation("mr_dec_mod", remainder),
  strict("mr_dec_div", 6, (a, aScale, b, bScale, precision, scale) => {
    const shift = divisionGuardDigits + number(bScale) - number(aScale);
    const dividend = unscaledOf(a) * powerOfTen(Math.max(0, shift));
    const divisor = nonZero(unscaledOf(b)) * powerOfTen(Math.max(0, -shift));
    const cut = dividend / divisor;
    // A sticky digit keeps what was cut off from looking like an exact half.
    const sticky = dividend === cut * divisor ? 0n : dividend < 0n === divisor < 0n ? 1n : -1n;
    const exact = cut * 10n + sticky;
    const target = number(scale);
    const rounded = divideHalfUp(exact, powerOfTen(divisionGuardDigits + 1 - target));
    return inPrecision(rounded, number(precision), target);
  }),
  strict("mr_dec_neg", 2, (a, precision) => decimalValue(-unscaledOf(a), number(precision))),
  strict("mr_dec_abs", 2, (a, precision) => {
    const value = unscaledOf(a);
    return decimalValue(value < 0n ? -value : value, number(precision));
  }),
  strict("mr_dec_sign", 2, (a, scale) => {
    const value = unscaledOf(a);
    const unit = powerOfTen(number(scale));
    return value > 0n ? unit : value < 0n ? -unit : 0n;
  }),
  /** mr_dec_round(a, scale, digits, precision, result's scale, half up: 1, cut: 0). */
  strict("mr_dec_round", 6, (a, scale, digits, precision, resultScale, isHalfUp) => {
    const turn = number(isHalfUp) === 1 ? rescale : rescaleDown;
    const from = number(scale);
    const kept = number(digits);
    const at = Math.max(-decimalDigitsMax, Math.min(kept, from));
    const value = unscaledOf(a);
    const rounded =
      at >= 0
        ? turn(value, from, at) * powerOfTen(from - at)
        : turn(value, from - at, 0) * powerOfTen(from - at);
    const unscaled = rescale(rounded, from, number(resultScale));
    return inPrecision(unscaled, number(precision), number(resultScale));
  }),
  /** mr_dec_edge(a, scale, precision, 1: CEIL, 0: FLOOR), with scale 0. */
  strict("mr_dec_edge", 4, (a, scale, precision, isUp) => {
    const unit = powerOfTen(number(scale));
    const value = unscaledOf(a);
    const cut = value / unit;
    const rest = value - cut * unit;
    const step = number(isUp) === 1 ? (rest > 0n ? 1n : 0n) : rest < 0n ? -1n : 0n;
    return inPrecision(cut + step, number(precision), 0);
  }),
];

const decimalDigitsMax = 38;

export const arithmeticHosts: readonly HostFunction[] = [
  ...checkedIntegers,
  ...checkedReals,
  ...decimals,
];

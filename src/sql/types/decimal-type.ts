/**
 * Result types of exact arithmetic, Flink's rules (LogicalTypeMerging): as many digits as the exact
 * result needs, and where that is more than 38, digits of the fraction are given up first, down to
 * six.
 */
import type { DataType } from "./data-type.ts";

export const decimalPrecisionMax = 38;
const scaleKept = 6;

export interface DecimalShape {
  readonly precision: number;
  readonly scale: number;
}

export type DecimalType = Extract<DataType, { readonly kind: "decimal" }>;

export function decimalType(precision: number, scale: number): DecimalType {
  return { kind: "decimal", precision, scale };
}

/** Digits of a whole number of each type, as a DECIMAL. */
const integerDigits: Readonly<Record<string, number>> = {
  tinyint: 3,
  smallint: 5,
  int: 10,
  bigint: 19,
};

/** The DECIMAL that holds every value of an exact type; null for other types. */
export function decimalShapeOf(type: DataType): DecimalShape | null {
  if (type.kind === "decimal") return type;
  const precision = integerDigits[type.kind];
  return precision === undefined ? null : { precision, scale: 0 };
}

export function additionType(left: DecimalShape, right: DecimalShape): DecimalType {
  const scale = Math.max(left.scale, right.scale);
  const whole = Math.max(left.precision - left.scale, right.precision - right.scale);
  return capped(whole + scale + 1, scale);
}

export function multiplicationType(left: DecimalShape, right: DecimalShape): DecimalType {
  return capped(left.precision + right.precision + 1, left.scale + right.scale);
}

export function divisionType(left: DecimalShape, right: DecimalShape): DecimalType {
  const scale = Math.max(scaleKept, left.scale + right.precision + 1);
  return capped(left.precision - left.scale + right.scale + scale, scale);
}

export function moduloType(left: DecimalShape, right: DecimalShape): DecimalType {
  const scale = Math.max(left.scale, right.scale);
  const whole = Math.min(left.precision - left.scale, right.precision - right.scale);
  return capped(whole + scale, scale);
}

/** SUM keeps the scale and takes every digit there is; AVG keeps at least six of the fraction. */
export function sumType(type: DecimalShape): DecimalType {
  return decimalType(decimalPrecisionMax, type.scale);
}

export function averageType(type: DecimalShape): DecimalType {
  return decimalType(decimalPrecisionMax, Math.max(type.scale, scaleKept));
}

/** ROUND to `digits` of the fraction: a carry may need one digit more before the point. */
export function roundType(type: DecimalShape, digits: number): DecimalType {
  if (digits >= type.scale) return decimalType(type.precision, type.scale);
  if (digits < 0) {
    const precision = Math.min(decimalPrecisionMax, 1 + type.precision - type.scale);
    return decimalType(precision, 0);
  }
  return decimalType(
    Math.min(decimalPrecisionMax, 1 + type.precision - type.scale + digits),
    digits,
  );
}

/** The DECIMAL that holds every value of both, as far as 38 digits reach. */
export function mergedType(left: DecimalShape, right: DecimalShape): DecimalType {
  const scale = Math.max(left.scale, right.scale);
  const whole = Math.max(left.precision - left.scale, right.precision - right.scale);
  return capped(whole + scale, scale);
}

function capped(precision: number, scale: number): DecimalType {
  if (precision <= decimalPrecisionMax) return decimalType(precision, scale);
  const whole = precision - scale;
  const kept = Math.max(decimalPrecisionMax - whole, Math.min(scale, scaleKept));
  return decimalType(decimalPrecisionMax, kept);
}

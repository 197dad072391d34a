/** Which type two values are brought to before they meet, and what widens without a CAST. */
import type { DataType } from "./data-type.ts";
import { decimalShapeOf, mergedType } from "./decimal-type.ts";
import {
  isApproximate,
  isCharacter,
  isExact,
  isIntegerKind,
  isNumeric,
  isSameType,
} from "./show-type.ts";

const integerRank = ["tinyint", "smallint", "int", "bigint"];

/**
 * The type that holds the values of both sides: of a comparison, a CASE, a UNION. Null: there is
 * none, and the statement is wrong without a CAST.
 */
export function commonType(left: DataType, right: DataType): DataType | null {
  if (left.kind === "null") return right;
  if (right.kind === "null" || isSameType(left, right)) return left;
  if (isNumeric(left) && isNumeric(right)) return commonNumeric(left, right);
  if (isCharacter(left) && isCharacter(right)) {
    if (left.length === null || right.length === null) return { kind: "varchar", length: null };
    const length = Math.max(left.length, right.length);
    return { kind: "varchar", length };
  }
  return commonTemporal(left, right) ?? commonTemporal(right, left);
}

function commonNumeric(left: DataType, right: DataType): DataType | null {
  if (isIntegerKind(left.kind) && isIntegerKind(right.kind)) {
    return integerRank.indexOf(left.kind) >= integerRank.indexOf(right.kind) ? left : right;
  }
  if (isExact(left) && isExact(right)) {
    const leftShape = decimalShapeOf(left);
    const rightShape = decimalShapeOf(right);
    return leftShape === null || rightShape === null ? null : mergedType(leftShape, rightShape);
  }
  const isWide =
    left.kind === "double" ||
    right.kind === "double" ||
    left.kind === "decimal" ||
    right.kind === "decimal";
  return isWide ? { kind: "double" } : { kind: "float" };
}

function commonTemporal(left: DataType, right: DataType): DataType | null {
  if (left.kind === "date" && (right.kind === "timestamp" || right.kind === "timestampLtz")) {
    return right;
  }
  if (left.kind === "timestamp" && right.kind === "timestampLtz") return right;
  return null;
}

/** The one type of several values; null where two of them have none in common. */
export function commonTypeOf(types: readonly DataType[]): DataType | null {
  let result: DataType | null = { kind: "null" };
  for (const type of types) {
    if (result === null) return null;
    result = commonType(result, type);
  }
  return result;
}

/**
 * Whether a value goes into a place of type `to` without a CAST: every value of `from` fits, or it
 * is checked at run time as Flink does when rows are written to a table (a narrower VARCHAR, a
 * DECIMAL of fewer digits).
 */
export function isAssignable(from: DataType, to: DataType): boolean {
  if (from.kind === "null" || isSameType(from, to)) return true;
  if (isExact(from) && to.kind === "decimal") return true;
  if (isIntegerKind(from.kind) && isIntegerKind(to.kind)) {
    return integerRank.indexOf(from.kind) <= integerRank.indexOf(to.kind);
  }
  if (isNumeric(from) && isApproximate(to)) {
    return !(from.kind === "double" && to.kind === "float");
  }
  if (isCharacter(from) && isCharacter(to)) return true;
  if (from.kind === "row" && to.kind === "row") {
    return (
      from.fields.length === to.fields.length &&
      from.fields.every((field, index) => {
        const target = to.fields[index];
        return target !== undefined && isAssignable(field.type, target.type);
      })
    );
  }
  return commonTemporal(from, to) !== null;
}

/** Whether `=`, `<` and their like are defined between values of this one type. */
export function isComparable(type: DataType): boolean {
  return type.kind !== "row" && type.kind !== "json";
}

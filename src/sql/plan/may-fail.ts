/** Which expressions have a value for every row, and which may be an error of one. */
import type { Scalar } from "./scalar.ts";
import { childrenOf } from "./scalar-walk.ts";

/** Calls that fail only where what is in them does. */
const total: ReadonlySet<string> = new Set([
  ...["and", "or", "not", "in", "eq", "ne", "lt", "le", "gt", "ge"],
  ...["isDistinctFrom", "isNotDistinctFrom", "isNull", "isNotNull"],
  ...["isTrue", "isNotTrue", "isFalse", "isNotFalse"],
]);

export function mayFail(scalar: Scalar): boolean {
  if (scalar.kind === "cast" || (scalar.kind === "call" && !total.has(scalar.name))) return true;
  return childrenOf(scalar).some(mayFail);
}

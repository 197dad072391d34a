/** Casts that are arithmetic, for the vector kernel. TRY_CAST leaves a failing row to SQLite. */
import type { Scalar } from "../plan/scalar.ts";
import { dayMs } from "../types/calendar.ts";
import { type DataType, valueKindOf } from "../types/data-type.ts";
import { scaleOf } from "../types/decimal.ts";
import { decimalShapeOf } from "../types/decimal-type.ts";
import {
  integerMax,
  isApproximate,
  isCharacter,
  isExact,
  isIntegerKind,
  isSameType,
} from "../types/show-type.ts";
import { boundsOf } from "./vector-arithmetic.ts";
import { compare, NotCovered, type VectorCompiler } from "./vector-compiler.ts";

/** So many digits divide by a power of ten to the nearest DOUBLE. */
const exactQuotientDigits = 15;
const notEqual = 1;

export function compileCast(
  scalar: Extract<Scalar, { kind: "cast" }>,
  compiler: VectorCompiler,
): number {
  const { input, type: to } = scalar;
  const from = input.type;
  const { code, compile } = compiler;
  if (from.kind === "null" || isSameType(from, to)) return compile(input);
  if (isCharacter(to)) {
    const fits =
      to.kind === "varchar" &&
      isCharacter(from) &&
      (to.length === null || (from.length !== null && from.length <= to.length));
    if (fits) return compile(input);
    throw new NotCovered();
  }
  if (isIntegerKind(to.kind)) return toInteger(compiler, input, to);
  if (to.kind === "decimal") {
    const shape = decimalShapeOf(from);
    if (!isExact(from) || shape === null) throw new NotCovered();
    const n = shape.scale | (to.precision << 8) | (to.scale << 16);
    return code.emit("castDecimal", valueKindOf(to), { a: compile(input), n });
  }
  if (isApproximate(to)) return toReal(compiler, input, to);
  if (to.kind === "boolean") {
    if (!isIntegerKind(from.kind)) throw new NotCovered();
    const zero: Scalar = { kind: "literal", value: 0n, type: from };
    return compare(compiler, [input, zero], notEqual);
  }
  return toTime(compiler, input, to);
}

function toInteger({ code, compile }: VectorCompiler, input: Scalar, to: DataType): number {
  const from = input.type;
  if (!isExact(from)) {
    if (from.kind === "boolean") return compile(input);
    throw new NotCovered();
  }
  const isWider =
    isIntegerKind(from.kind) &&
    isIntegerKind(to.kind) &&
    integerMax[from.kind] <= integerMax[to.kind];
  const a = compile(input);
  if (isWider) return a;
  return code.emit("castInteger", "integer", { a, n: scaleOf(from), ...boundsOf(to) });
}

function toReal({ code, compile }: VectorCompiler, input: Scalar, to: DataType): number {
  const from = input.type;
  if (from.kind === "float") return compile(input);
  const isExactQuotient = from.kind === "decimal" && from.precision <= exactQuotientDigits;
  if (!isExactQuotient && !isIntegerKind(from.kind)) throw new NotCovered();
  const n = scaleOf(from) + (to.kind === "float" ? 256 : 0);
  return code.emit("castReal", "real", { a: compile(input), n });
}

/** On the wall of UTC: other zones have rules of their own. */
function toTime({ code, compile, timeZone }: VectorCompiler, input: Scalar, to: DataType): number {
  const from = input.type;
  const touchesZone = from.kind === "timestampLtz" || to.kind === "timestampLtz";
  if (touchesZone && timeZone !== "UTC") throw new NotCovered();
  const isMoment = from.kind === "timestamp" || from.kind === "timestampLtz";
  const isTarget = to.kind === "timestamp" || to.kind === "timestampLtz";
  if (isMoment && (to.kind === "date" || to.kind === "time")) {
    const n = to.kind === "time" ? 1 : 0;
    return code.emit("splitTime", "integer", { a: compile(input), n });
  }
  if (isMoment && isTarget) return compile(input);
  if (from.kind !== "date" || !isTarget) throw new NotCovered();
  const b = code.constant("integer", [BigInt(dayMs)]);
  const operands = { a: compile(input), b, n: 2 };
  return code.emit("computeIntegers", "integer", { ...operands, ...boundsOf(to) });
}

/** Arithmetic for the vector kernel. Results out of range and divisors of 0 fail the row there. */
import { type DataType, valueKindOf } from "../types/data-type.ts";
import { scaleOf } from "../types/decimal.ts";
import {
  type IntegerKind,
  integerMax,
  isApproximate,
  isExact,
  isIntegerKind,
} from "../types/show-type.ts";
import type { ScalarCall, VectorCompiler } from "./vector-compiler.ts";

const operations: Readonly<Record<string, number>> = {
  plus: 0,
  minus: 1,
  times: 2,
  divide: 3,
  modulo: 4,
  intervalPlus: 0,
  intervalMinus: 1,
  intervalTimes: 2,
};
const subtract = 1;
const divide = 3;
const isFloatFlag = 256;

/** Least and greatest value; times and intervals have 64 bits. */
export function boundsOf(type: DataType): { readonly low: bigint; readonly high: bigint } {
  const high = integerMax[isIntegerKind(type.kind) ? (type.kind as IntegerKind) : "bigint"];
  return { low: -high - 1n, high };
}

export function compileArithmetic(call: ScalarCall, compiler: VectorCompiler): number | null {
  const { name, args, type } = call;
  const { code, compile } = compiler;
  if (name === "negate" || name === "intervalNegate") return compileNegate(call, compiler);
  const operation = operations[name];
  if (operation === undefined || args.length !== 2) return null;
  const [left, right] = args;
  if (left === undefined || right === undefined) return null;
  if (type.kind === "decimal") {
    if (operation > divide || !args.every((arg) => isExact(arg.type))) return null;
    const scales = scaleOf(left.type) | (scaleOf(right.type) << 8);
    const n = (scales | (type.precision << 16) | (type.scale << 24)) >>> 0;
    const [a, b] = [compile(left), compile(right)];
    return code.emit("computeDecimals", valueKindOf(type), { a, b, n, low: BigInt(operation) });
  }
  if (isApproximate(type)) {
    if (operation > divide || !args.every((arg) => isApproximate(arg.type))) return null;
    const n = operation + (type.kind === "float" ? isFloatFlag : 0);
    return code.emit("computeReals", "real", { a: compile(left), b: compile(right), n });
  }
  if (!args.every((arg) => valueKindOf(arg.type) === "integer")) return null;
  const operands = { a: compile(left), b: compile(right), n: operation };
  return code.emit("computeIntegers", "integer", { ...operands, ...boundsOf(type) });
}

function compileNegate({ args, type }: ScalarCall, compiler: VectorCompiler): number | null {
  const [value] = args;
  if (value === undefined || valueKindOf(type) !== "integer") return null;
  const { code, compile } = compiler;
  const a = code.constant("integer", [0n]);
  const operands = { a, b: compile(value), n: subtract };
  return code.emit("computeIntegers", "integer", { ...operands, ...boundsOf(type) });
}

/** + − * / % and sign, over numbers; the checker sends times and intervals to `temporal.ts`. */
import type { Scalar } from "../plan/scalar.ts";
import { commonType } from "../types/common-type.ts";
import { type DataType, narrowDecimalDigitsMax } from "../types/data-type.ts";
import { powerOfTen, scaleOf } from "../types/decimal.ts";
import {
  additionType,
  type DecimalShape,
  type DecimalType,
  decimalShapeOf,
  divisionType,
  moduloType,
  multiplicationType,
} from "../types/decimal-type.ts";
import { isApproximate, isIntegerKind, isNumeric, showType } from "../types/show-type.ts";
import {
  BindFault,
  coerce,
  define,
  type FunctionDefinition,
  isNullable,
  type Lower,
  type LowerContext,
} from "./definition.ts";

type DecimalRule = (left: DecimalShape, right: DecimalShape) => DecimalType;

interface Operator {
  readonly key: string;
  readonly symbol: string;
  readonly doc: string;
  readonly rule: DecimalRule;
  readonly lower: Lower;
  readonly sqlName?: string;
}

/**
 * Brings both sides of an operation to what it computes in. Exact numbers of which one is a DECIMAL
 * keep their own digits: the operation aligns them.
 */
function bindArithmetic(
  { key, symbol, rule }: Pick<Operator, "key" | "symbol" | "rule">,
  args: readonly Scalar[],
): Scalar {
  const [left, right] = args;
  if (left === undefined || right === undefined || args.length !== 2) {
    throw new BindFault(`${symbol} takes 2 arguments, not ${args.length}`);
  }
  const common = commonType(left.type, right.type);
  if (common === null || (!isNumeric(common) && common.kind !== "null")) {
    throw new BindFault(
      `${symbol} cannot be applied to ${showType(left.type)} and ${showType(right.type)}`,
    );
  }
  const nullable = isNullable(left) || isNullable(right);
  if (common.kind !== "decimal") {
    const type: DataType = common.kind === "null" ? { kind: "int" } : common;
    const coerced = args.map((arg) => coerce(arg, type));
    // A remainder is smaller than its divisor and has the divisor's type.
    const isRemainder = key === "modulo" && isIntegerKind(right.type.kind);
    return {
      kind: "call",
      name: key,
      args: coerced,
      type: isRemainder ? right.type : type,
      nullable,
    };
  }
  const leftShape = decimalShapeOf(left.type) ?? common;
  const rightShape = decimalShapeOf(right.type) ?? common;
  const type = rule(leftShape, rightShape);
  return { kind: "call", name: key, args: [left, right], type, nullable };
}

/** Integers of less than 64 bits are computed in 64 and checked afterwards. */
export function checked(type: DataType, expression: string): string {
  if (type.kind === "tinyint") return `mr_i8(${expression})`;
  if (type.kind === "smallint") return `mr_i16(${expression})`;
  if (type.kind === "int") return `mr_i32(${expression})`;
  if (type.kind === "float") return `mr_f32(${expression})`;
  return `mr_finite(${expression})`;
}

function isNarrow(type: DataType): boolean {
  return type.kind === "decimal"
    ? type.precision <= narrowDecimalDigitsMax
    : isIntegerKind(type.kind);
}

function decimalCall(name: string, args: readonly string[], context: LowerContext): string {
  const type = context.type as DecimalType;
  const [left, right] = context.types.map(scaleOf);
  return `${name}(${args[0]}, ${left}, ${args[1]}, ${right}, ${type.precision}, ${type.scale})`;
}

/** An operand of a sum whose digits all fit 64 bits, at the scale of the sum. */
function aligned(expression: string | undefined, from: number, to: number): string {
  return from === to ? `${expression}` : `${expression} * ${powerOfTen(to - from)}`;
}

function lowerSum(symbol: "+" | "-", checkedName: string, decimalName: string): Lower {
  return (args, context) => {
    const { type, types } = context;
    if (type.kind === "bigint") return `${checkedName}(${args.join(", ")})`;
    if (type.kind !== "decimal") return checked(type, `${args[0]} ${symbol} ${args[1]}`);
    const scales = types.map(scaleOf);
    const exact = Math.max(...scales) === type.scale;
    if (!isNarrow(type) || !exact || !types.every(isNarrow)) {
      return decimalCall(decimalName, args, context);
    }
    const [left, right] = args.map((arg, index) => aligned(arg, scales[index] ?? 0, type.scale));
    return `(${left} ${symbol} ${right})`;
  };
}

const lowerProduct: Lower = (args, context) => {
  const { type, types } = context;
  if (type.kind === "bigint") return `mr_mul(${args.join(", ")})`;
  if (type.kind !== "decimal") return checked(type, `${args[0]} * ${args[1]}`);
  return isNarrow(type) && types.every(isNarrow)
    ? `(${args[0]} * ${args[1]})`
    : decimalCall("mr_dec_mul", args, context);
};

/** A divisor that is written out and neither 0 nor −1 needs no check. */
function isSafeDivisor(scalar: Scalar | undefined): boolean {
  if (scalar?.kind === "cast") return isSafeDivisor(scalar.input);
  if (scalar?.kind !== "literal") return false;
  return typeof scalar.value === "bigint" && scalar.value !== 0n && scalar.value !== -1n;
}

function lowerDivision(symbol: "/" | "%", name: string): Lower {
  return (args, context) => {
    const { type } = context;
    if (type.kind === "decimal") return decimalCall(`mr_dec_${name}`, args, context);
    if (isApproximate(type)) {
      const quotient = `mr_${name}_real(${args.join(", ")})`;
      return type.kind === "float" ? `mr_f32(${quotient})` : quotient;
    }
    if (isSafeDivisor(context.args[1])) return `(${args[0]} ${symbol} ${args[1]})`;
    const result = `mr_${name}(${args.join(", ")})`;
    return type.kind === "bigint" || symbol === "%" ? result : checked(type, result);
  };
}

function operation({ key, symbol, doc, rule, lower, sqlName }: Operator): FunctionDefinition {
  const base = define({
    group: "arithmetic",
    key,
    names: sqlName ?? "",
    syntax:
      sqlName === undefined ? `numeric1 ${symbol} numeric2` : `${sqlName}(numeric1, numeric2)`,
    doc,
    takes: ["numeric", "numeric"],
    gives: { kind: "int" },
    lower,
  });
  return { ...base, bind: (args) => bindArithmetic({ key, symbol, rule }, args) };
}

export const arithmeticFunctions: readonly FunctionDefinition[] = [
  operation({
    key: "plus",
    symbol: "+",
    doc: "Sum; also of a time and an INTERVAL.",
    rule: additionType,
    lower: lowerSum("+", "mr_add", "mr_dec_add"),
  }),
  operation({
    key: "minus",
    symbol: "-",
    doc: "Difference; also of a time and an INTERVAL.",
    rule: additionType,
    lower: lowerSum("-", "mr_sub", "mr_dec_sub"),
  }),
  operation({
    key: "times",
    symbol: "*",
    doc: "Product.",
    rule: multiplicationType,
    lower: lowerProduct,
  }),
  operation({
    key: "divide",
    symbol: "/",
    doc: "Quotient; of whole numbers a whole number. Division by zero is an error.",
    rule: divisionType,
    lower: lowerDivision("/", "div"),
  }),
  operation({
    key: "modulo",
    symbol: "%",
    sqlName: "MOD",
    doc: "Remainder, with the sign of the dividend; also `%`.",
    rule: moduloType,
    lower: lowerDivision("%", "mod"),
  }),
  define({
    group: "arithmetic",
    key: "negate",
    names: "",
    syntax: "- numeric",
    doc: "The number with its sign turned.",
    takes: ["numeric"],
    gives: ([value]) => value?.type ?? { kind: "int" },
    lower: ([value], { type }) => {
      if (type.kind === "bigint") return `mr_sub(0, ${value})`;
      if (isIntegerKind(type.kind)) return checked(type, `-${value}`);
      if (type.kind === "decimal" && !isNarrow(type)) {
        return `mr_dec_neg(${value}, ${type.precision})`;
      }
      return `(-${value})`;
    },
  }),
];

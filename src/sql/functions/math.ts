/** Mathematical functions. Those of DOUBLEs are JavaScript's; what is no number is an error. */
import type { Scalar } from "../plan/scalar.ts";
import type { DataType } from "../types/data-type.ts";
import { scaleOf } from "../types/decimal.ts";
import { type DecimalType, decimalType, roundType } from "../types/decimal-type.ts";
import {
  doubleType,
  intType,
  isApproximate,
  isIntegerKind,
  stringType,
} from "../types/show-type.ts";
import { checked } from "./arithmetic.ts";
import { finite, inBigint } from "./arithmetic-host.ts";
import { define, type FunctionDefinition, type Lower, type LowerContext } from "./definition.ts";
import {
  bytes,
  type HostFunction,
  hosted,
  integer,
  number,
  strict,
  text,
} from "./host-function.ts";
import { RowError, shown } from "./row-error.ts";

interface RealFunction {
  readonly name: string;
  readonly syntax: string;
  readonly doc: string;
  readonly compute: (...args: number[]) => number;
  readonly count?: number;
}

function real(options: RealFunction): readonly [FunctionDefinition, HostFunction] {
  const count = options.count ?? 1;
  const key = options.name.toLowerCase();
  return [
    define({
      group: "arithmetic",
      names: options.name,
      syntax: options.syntax,
      doc: options.doc,
      takes: Array.from({ length: count }, () => "double" as const),
      gives: doubleType,
    }),
    strict(`mr_${key}`, count, (...args) => finite(options.compute(...args.map(number)))),
  ];
}

const reals = [
  { name: "POWER", syntax: "POWER(base, exponent)", doc: "Power.", compute: Math.pow, count: 2 },
  { name: "SQRT", syntax: "SQRT(x)", doc: "Square root.", compute: Math.sqrt },
  { name: "LN", syntax: "LN(x)", doc: "Natural logarithm.", compute: Math.log },
  { name: "LOG10", syntax: "LOG10(x)", doc: "Logarithm to base 10.", compute: Math.log10 },
  { name: "LOG2", syntax: "LOG2(x)", doc: "Logarithm to base 2.", compute: log2 },
  { name: "EXP", syntax: "EXP(x)", doc: "e to the power of x.", compute: Math.exp },
  { name: "SIN", syntax: "SIN(x)", doc: "Sine of radians.", compute: Math.sin },
  { name: "COS", syntax: "COS(x)", doc: "Cosine of radians.", compute: Math.cos },
  { name: "TAN", syntax: "TAN(x)", doc: "Tangent of radians.", compute: Math.tan },
  { name: "COT", syntax: "COT(x)", doc: "Cotangent of radians.", compute: cotangent },
  { name: "SINH", syntax: "SINH(x)", doc: "Hyperbolic sine.", compute: Math.sinh },
  { name: "COSH", syntax: "COSH(x)", doc: "Hyperbolic cosine.", compute: Math.cosh },
  { name: "TANH", syntax: "TANH(x)", doc: "Hyperbolic tangent.", compute: Math.tanh },
  { name: "ASIN", syntax: "ASIN(x)", doc: "Arc sine in radians.", compute: Math.asin },
  { name: "ACOS", syntax: "ACOS(x)", doc: "Arc cosine in radians.", compute: Math.acos },
  { name: "ATAN", syntax: "ATAN(x)", doc: "Arc tangent in radians.", compute: Math.atan },
  {
    name: "ATAN2",
    syntax: "ATAN2(y, x)",
    doc: "Angle of the point (x, y) in radians.",
    compute: Math.atan2,
    count: 2,
  },
  { name: "DEGREES", syntax: "DEGREES(x)", doc: "Radians as degrees.", compute: degrees },
  { name: "RADIANS", syntax: "RADIANS(x)", doc: "Degrees as radians.", compute: radians },
].map(real);

function log2(x: number): number {
  return Math.log(x) / Math.LN2;
}

function cotangent(x: number): number {
  return 1 / Math.tan(x);
}

/** As in Java, one product: both constants are the nearest doubles. */
function degrees(x: number): number {
  return x * 57.29577951308232;
}

function radians(x: number): number {
  return x * 0.017453292519943295;
}

function ownType([value]: readonly Scalar[]): DataType {
  return value?.type ?? intType;
}

/** A narrow unscaled number as a value of a wide DECIMAL. */
function wideOf(value: string, { precision, scale }: DecimalType): string {
  return `mr_dec_cast(${value}, ${scale}, ${precision}, ${scale})`;
}

function edge(name: "CEIL" | "FLOOR", names: string): FunctionDefinition {
  const isUp = name === "CEIL" ? 1 : 0;
  return define({
    group: "arithmetic",
    names,
    syntax: `${name}(numeric)`,
    doc: isUp === 1 ? "The least whole number not below it." : "The greatest one not above it.",
    takes: ["numeric"],
    gives: ([value]) =>
      value?.type.kind === "decimal"
        ? decimalType(value.type.precision, 0)
        : ownType([value as Scalar]),
    lower: ([value], { types, type }) => {
      const [from] = types;
      if (from !== undefined && isIntegerKind(from.kind)) return `${value}`;
      if (from?.kind !== "decimal") return `${name.toLowerCase()}(${value})`;
      return `mr_dec_edge(${value}, ${from.scale}, ${(type as DecimalType).precision}, ${isUp})`;
    },
  });
}

/** The digits of ROUND and TRUNCATE where they are written out: they decide the type. */
function literalDigits(scalar: Scalar | undefined): number {
  if (scalar === undefined) return 0;
  if (scalar.kind === "cast") return literalDigits(scalar.input);
  if (scalar.kind === "call" && scalar.name === "negate") return -literalDigits(scalar.args[0]);
  return scalar.kind === "literal" && typeof scalar.value === "bigint" ? Number(scalar.value) : 0;
}

function rounding(name: "ROUND" | "TRUNCATE", isHalfUp: 0 | 1): FunctionDefinition {
  return define({
    group: "arithmetic",
    names: name,
    syntax: `${name}(numeric[, digits])`,
    doc: `${isHalfUp === 1 ? "Rounded half up" : "Cut"} to so many digits of the fraction (0).`,
    takes: ["numeric", "int?"],
    gives: ([value, digits]) => {
      if (value?.type.kind !== "decimal") return ownType([value as Scalar]);
      return roundType(value.type, literalDigits(digits));
    },
    lower: lowerRounding(isHalfUp),
  });
}

function lowerRounding(isHalfUp: 0 | 1): Lower {
  return ([value, digits = "0"], { types, type }: LowerContext) => {
    const [from] = types;
    if (from === undefined || isApproximate(from)) {
      const rounded = `mr_round(${value}, ${digits}, ${isHalfUp})`;
      return from?.kind === "float" ? `mr_f32(${rounded})` : rounded;
    }
    const shape = type.kind === "decimal" ? type : { precision: 19, scale: 0 };
    const name = type.kind === "decimal" ? "mr_dec_round" : "mr_int_round";
    const target = `${shape.precision}, ${shape.scale}, ${isHalfUp}`;
    const rounded = `${name}(${value}, ${scaleOf(from)}, ${digits}, ${target})`;
    return isIntegerKind(type.kind) && type.kind !== "bigint" ? checked(type, rounded) : rounded;
  };
}

const definitions: readonly FunctionDefinition[] = [
  define({
    group: "arithmetic",
    names: "ABS",
    syntax: "ABS(numeric)",
    doc: "The number without its sign.",
    takes: ["numeric"],
    gives: ownType,
    lower: ([value], { type }) => {
      if (type.kind === "decimal") {
        return type.precision > 18 ? `mr_dec_abs(${value}, ${type.precision})` : `abs(${value})`;
      }
      // Of −0.0 SQLite's own is −0.0.
      if (isApproximate(type)) return `(abs(${value}) + 0.0)`;
      const size = `abs(${value})`;
      return isIntegerKind(type.kind) && type.kind !== "bigint" ? checked(type, size) : size;
    },
  }),
  define({
    group: "arithmetic",
    names: "SIGN",
    syntax: "SIGN(numeric)",
    doc: "−1, 0 or 1, in the number's own type.",
    takes: ["numeric"],
    gives: ownType,
    lower: ([value], { type }) => {
      if (type.kind === "decimal") {
        return type.precision > 18
          ? wideOf(`mr_dec_sign(${value}, ${type.scale})`, type)
          : `mr_dec_sign(${value}, ${type.scale})`;
      }
      return isApproximate(type) ? `(sign(${value}) * 1.0)` : `sign(${value})`;
    },
  }),
  edge("CEIL", "CEIL CEILING"),
  edge("FLOOR", "FLOOR"),
  rounding("ROUND", 1),
  rounding("TRUNCATE", 0),
  define({
    group: "arithmetic",
    names: "LOG",
    syntax: "LOG([base, ]x)",
    doc: "Natural logarithm, or logarithm to the base.",
    takes: ["double", "double?"],
    gives: doubleType,
  }),
  define({
    group: "arithmetic",
    names: "PI",
    syntax: "PI()",
    doc: "π.",
    takes: [],
    gives: doubleType,
    lower: () => "mr_real(4614256656552045848)",
  }),
  define({
    group: "arithmetic",
    names: "E",
    syntax: "E()",
    doc: "Euler's number.",
    takes: [],
    gives: doubleType,
    lower: () => "mr_real(4613303445314885481)",
  }),
  define({
    group: "arithmetic",
    names: "BIN",
    syntax: "BIN(integer)",
    doc: "The whole number in binary digits.",
    takes: ["bigint"],
    gives: stringType,
  }),
  define({
    group: "arithmetic",
    names: "HEX",
    syntax: "HEX(integer or string)",
    doc: "Upper-case hexadecimal digits of the number, or of the text's UTF-8 bytes.",
    takes: ["any"],
    gives: stringType,
  }),
  define({
    group: "arithmetic",
    names: "UNHEX",
    syntax: "UNHEX(string)",
    doc: "The bytes that hexadecimal digits stand for; NULL where there are others.",
    takes: ["string"],
    gives: { kind: "bytes" },
    nullable: "always",
  }),
  define({
    group: "arithmetic",
    names: "CONV",
    syntax: "CONV(number, fromBase, toBase)",
    doc: "A whole number's digits in another base of 2 to 36.",
    takes: ["any", "int", "int"],
    gives: stringType,
    nullable: "always",
  }),
];

const encoder = new TextEncoder();

function convert(digits: string, from: number, to: number): string | null {
  const isBase = (base: number) => Math.abs(base) >= 2 && Math.abs(base) <= 36;
  if (!isBase(from) || !isBase(to)) return null;
  const sign = digits.trim().startsWith("-") ? -1n : 1n;
  let value = 0n;
  for (const digit of digits.trim().replace(/^[+-]/, "").toLowerCase()) {
    const weight = Number.parseInt(digit, 36);
    if (Number.isNaN(weight) || weight >= Math.abs(from)) break;
    value = value * BigInt(Math.abs(from)) + BigInt(weight);
    if (value >= 1n << 64n) throw new RowError(`${shown(digits)} is out of range for CONV`);
  }
  const signed = to < 0 ? BigInt.asIntN(64, sign * value) : BigInt.asUintN(64, sign * value);
  return signed.toString(Math.abs(to)).toUpperCase();
}

/** Half away from zero at a decimal digit of the shortest form, as BigDecimal.valueOf does. */
function roundReal(value: number, digits: number, isHalfUp: boolean): number {
  if (value === 0) return 0;
  if (!Number.isFinite(value) || digits > 330) return value;
  if (digits < -330) return 0;
  const [mantissa = "", exponentText = "0"] = Math.abs(value).toExponential().split("e");
  const plain = mantissa.replace(".", "");
  const kept = Number(exponentText) + 1 + digits;
  if (kept >= plain.length) return value;
  if (kept < 0) return 0;
  const head = BigInt(plain.slice(0, kept) || "0");
  const isUp = isHalfUp && Number(plain[kept]) >= 5;
  const size = Number(`${head + (isUp ? 1n : 0n)}e${-digits}`);
  return value < 0 && size !== 0 ? -size : size;
}

export const mathFunctions: readonly FunctionDefinition[] = [
  ...reals.map(([definition]) => definition),
  ...definitions,
];

export const mathHosts: readonly HostFunction[] = [
  ...reals.map(([, host]) => host),
  strict("mr_log", -1, (first, second) =>
    second === undefined
      ? finite(Math.log(number(first)))
      : finite(Math.log(number(second)) / Math.log(number(first))),
  ),
  strict("mr_round", 3, (value, digits, isHalfUp) =>
    finite(roundReal(number(value), number(digits), number(isHalfUp) === 1)),
  ),
  strict("mr_int_round", 6, (value, _scale, digits, _precision, _result, isHalfUp) => {
    const kept = number(digits);
    if (kept >= 0) return integer(value);
    if (kept < -19) return 0n;
    const unit = 10n ** BigInt(-kept);
    const half = number(isHalfUp) === 1 ? unit / 2n : 0n;
    const whole = integer(value);
    return inBigint(((whole + (whole < 0n ? -half : half)) / unit) * unit);
  }),
  strict("mr_bin", 1, (value) => BigInt.asUintN(64, integer(value)).toString(2)),
  strict("mr_hex", 1, (value) => {
    if (typeof value === "bigint") return BigInt.asUintN(64, value).toString(16).toUpperCase();
    const raw = typeof value === "string" ? encoder.encode(value) : bytes(value);
    return Array.from(raw, (byte) => byte.toString(16).padStart(2, "0"))
      .join("")
      .toUpperCase();
  }),
  strict("mr_unhex", 1, (value) => {
    const digits = text(value);
    const even = digits.length % 2 === 0 ? digits : `0${digits}`;
    if (!/^[\da-f]*$/i.test(even)) return null;
    return Uint8Array.from(even.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  }),
  hosted("mr_conv", 3, (value = null, from = null, to = null) =>
    value === null || from === null || to === null
      ? null
      : convert(text(value), number(from), number(to)),
  ),
];

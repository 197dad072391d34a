/** Times for the vector kernel, on the wall of UTC: other zones have rules of their own. */
import { type FieldUnit, unitCode, unitOf } from "../functions/time-fields.ts";
import type { Scalar } from "../plan/scalar.ts";
import { dayMs, hourMs, minuteMs } from "../types/calendar.ts";
import { boundsOf } from "./vector-arithmetic.ts";
import { NotCovered, type ScalarCall, type VectorCompiler } from "./vector-compiler.ts";

const fieldFunctions: Readonly<Record<string, FieldUnit>> = {
  year: "YEAR",
  quarter: "QUARTER",
  month: "MONTH",
  dayofmonth: "DAY",
  dayofweek: "DOW",
  hour: "HOUR",
  minute: "MINUTE",
  second: "SECOND",
};

/** Fields that the kernel computes; EXTRACT has a rule of its own for milliseconds. */
const fields = new Set<FieldUnit>([...Object.values(fieldFunctions), "EPOCH"]);

export function compileTime(call: ScalarCall, compiler: VectorCompiler): number | null {
  const { name, args } = call;
  const [first, second] = args;
  if (first === undefined) return null;
  const unit = fieldFunctions[name];
  if (unit !== undefined) return timeField(compiler, unit, first);
  if (second === undefined) return null;
  switch (name) {
    case "extract": {
      const isUnit = first.kind === "literal" && typeof first.value === "bigint";
      return isUnit ? timeField(compiler, unitOf(Number(first.value)), second) : null;
    }
    case "timePlus":
    case "timeMinus":
      return moveTime(call, compiler);
    case "date_format":
      return formatTime(compiler, first, second);
    default:
      return null;
  }
}

function timeField(compiler: VectorCompiler, unit: FieldUnit, value: Scalar): number | null {
  if (!fields.has(unit)) return null;
  const a = wallOf(compiler, value, unit === "EPOCH");
  return compiler.code.emit("timeField", "integer", { a, n: unitCode(unit) });
}

/** Wall milliseconds of a time. */
function wallOf({ code, compile, timeZone }: VectorCompiler, value: Scalar, isUtc = false): number {
  switch (value.type.kind) {
    case "timestamp":
    case "time":
      return compile(value);
    case "timestampLtz":
      if (timeZone !== "UTC" && !isUtc) throw new NotCovered();
      return compile(value);
    case "date": {
      const operands = { a: compile(value), b: code.constant("integer", [BigInt(dayMs)]), n: 2 };
      return code.emit("computeIntegers", "integer", { ...operands, ...boundsOf(value.type) });
    }
    default:
      throw new NotCovered();
  }
}

function moveTime({ name, args }: ScalarCall, { code, compile }: VectorCompiler): number | null {
  const [time, length] = args;
  const isTimestamp = time?.type.kind === "timestamp" || time?.type.kind === "timestampLtz";
  if (!isTimestamp || length?.type.kind !== "intervalDay") return null;
  const operands = { a: compile(time), b: compile(length), n: name === "timeMinus" ? 1 : 0 };
  return code.emit("moveTime", "integer", operands);
}

const patternBytesMax = 64;
/** Letters that stand together and the milliseconds within which their text is the same. */
const patternParts = new Map([
  ["yyyy", dayMs],
  ["MM", dayMs],
  ["dd", dayMs],
  ["HH", hourMs],
  ["mm", minuteMs],
  ["ss", 1000],
  ["SSS", 1],
]);

function formatTime(compiler: VectorCompiler, value: Scalar, pattern: Scalar): number | null {
  if (pattern.kind !== "literal" || typeof pattern.value !== "string") return null;
  const text = pattern.value;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII begins with them.
  if (text.length > patternBytesMax || !/^[\x00-\x26\x28-\x7f]*$/.test(text)) return null;
  let grain = dayMs;
  for (const [letters] of text.matchAll(/([A-Za-z])\1*/g)) {
    const within = patternParts.get(letters);
    if (within === undefined) return null;
    grain = Math.min(grain, within);
  }
  const a = wallOf(compiler, value);
  const data = new TextEncoder().encode(text);
  return compiler.code.emit("formatTimes", "text", { a, low: BigInt(grain), data });
}

/** Texts for the vector kernel: what is the same on bytes of UTF-8 as on characters. */
import type { Scalar } from "../plan/scalar.ts";
import type { ScalarCall, VectorCompiler } from "./vector-compiler.ts";
import { patternProgram } from "./vector-pattern.ts";

const places = { start: 0, end: 1, anywhere: 2, all: 3 } as const;
/** SQLite's texts end at a NUL there. */
const likeFlag = 4;

const firstCapital = 65;
const firstSmall = 97;
const partsMax = 1_000_000n;

const encoder = new TextEncoder();

export function compileText(call: ScalarCall, compiler: VectorCompiler): number | null {
  const { name, args } = call;
  const { code, compile } = compiler;
  const [first, second] = args;
  if (first === undefined) return null;
  switch (name) {
    case "lower":
    case "upper": {
      const n = name === "lower" ? firstCapital : firstSmall;
      return code.emit("mapCase", "text", { a: compile(first), n });
    }
    case "char_length":
      return code.emit("charLength", "integer", { a: compile(first) });
    case "concat":
    case "concatenate":
      return args.map(compile).reduce((a, b) => code.emit("joinTexts", "text", { a, b }));
    case "startswith":
      return match(compiler, first, textOf(second), places.start);
    case "endswith":
      return match(compiler, first, textOf(second), places.end);
    case "like":
      return args.length === 2 ? compileLike(compiler, first, textOf(second)) : null;
    case "split_index":
      return compileSplit(call, compiler);
    case "regexp":
    case "regexp_extract":
    case "regexp_substr":
      return compilePattern(call, compiler);
    default:
      return null;
  }
}

function textOf(scalar: Scalar | undefined): string | null {
  return scalar?.kind === "literal" && typeof scalar.value === "string" ? scalar.value : null;
}

function match(
  { code, compile }: VectorCompiler,
  value: Scalar,
  part: string | null,
  n: number,
): number | null {
  if (part === null) return null;
  return code.emit("matchText", "integer", { a: compile(value), n, data: encoder.encode(part) });
}

/** Patterns of a text with `%` at its ends. */
function compileLike(
  compiler: VectorCompiler,
  value: Scalar,
  pattern: string | null,
): number | null {
  const parts = pattern === null ? null : /^(%*)([^%_\0]*)(%*)$/.exec(pattern);
  if (parts === null) return null;
  const [, before = "", part = "", after = ""] = parts;
  const isOpen = { start: before !== "", end: after !== "" };
  // A pattern of nothing but `%` is open at both ends.
  const isAny = part === "" && isOpen.start;
  if (isAny || (isOpen.start && isOpen.end)) {
    return match(compiler, value, part, places.anywhere + likeFlag);
  }
  const place = isOpen.start ? places.end : isOpen.end ? places.start : places.all;
  return match(compiler, value, part, place + likeFlag);
}

function compileSplit({ args }: ScalarCall, { code, compile }: VectorCompiler): number | null {
  const [value, delimiter, place] = args;
  const part = textOf(delimiter);
  if (value === undefined || part === null || part === "" || place?.kind !== "literal") return null;
  const index = place.value;
  if (typeof index !== "bigint" || index < 0n || index > partsMax) return null;
  const data = encoder.encode(part);
  return code.emit("splitPart", "text", { a: compile(value), n: Number(index), data });
}

function compilePattern({ name, args }: ScalarCall, { code, compile }: VectorCompiler) {
  const [value, pattern, place] = args;
  const text = textOf(pattern);
  if (value === undefined || text === null) return null;
  const group = place === undefined ? 0n : place.kind === "literal" ? place.value : null;
  if (typeof group !== "bigint" || group < 0n || group > partsMax) return null;
  const data = patternProgram(text, Number(group));
  if (data === null) return null;
  const isTest = name === "regexp";
  const operation = isTest ? "testMatch" : "extractMatch";
  return code.emit(operation, isTest ? "integer" : "text", { a: compile(value), data });
}

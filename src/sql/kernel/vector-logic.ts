/** Comparison, logic and choice for the vector kernel. */
import { valueKindOf } from "../types/data-type.ts";
import {
  choose,
  compare,
  literalTypes,
  NotCovered,
  type ScalarCall,
  type VectorCompiler,
} from "./vector-compiler.ts";

const comparisons: Readonly<Record<string, number>> = { eq: 0, ne: 1, lt: 2, le: 3, gt: 4, ge: 5 };

/** Answers for FALSE, TRUE and NULL as bits. */
const truthTests: Readonly<Record<string, number>> = {
  isTrue: 0b010,
  isNotTrue: 0b101,
  isFalse: 0b001,
  isNotFalse: 0b110,
};

export function compileLogic(call: ScalarCall, compiler: VectorCompiler): number | null {
  const { code, compile } = compiler;
  const { name, args } = call;
  const comparison = comparisons[name];
  if (comparison !== undefined) return compare(compiler, args, comparison);
  const answers = truthTests[name];
  const [first] = args;
  if (first === undefined) return null;
  if (answers !== undefined) {
    return code.emit("testTruth", "integer", { a: compile(first), n: answers });
  }
  switch (name) {
    case "and":
    case "or": {
      const n = name === "or" ? 1 : 0;
      return args.map(compile).reduce((a, b) => code.emit("joinTruths", "integer", { a, b, n }));
    }
    case "not":
      return code.emit("negateTruth", "integer", { a: compile(first) });
    case "isNull":
    case "isNotNull":
      return code.emit("testNull", "integer", { a: compile(first), n: name === "isNull" ? 1 : 0 });
    case "isDistinctFrom":
    case "isNotDistinctFrom":
      return compileDistinct(call, compiler);
    case "in":
      return compileIn(call, compiler);
    default:
      return compileConditional(call, compiler);
  }
}

/** Equal, or both NULL: NULL is what neither `=` nor a test of one side alone can tell. */
function compileDistinct({ name, args }: ScalarCall, compiler: VectorCompiler): number {
  const { code, compile } = compiler;
  const [left, right] = args.map(compile);
  if (left === undefined || right === undefined) throw new NotCovered();
  const isEqual = compare(compiler, args, 0);
  const equal = code.emit("testTruth", "integer", { a: isEqual, n: truthTests["isTrue"] ?? 0 });
  const [a, b] = [left, right].map((each) => code.emit("testNull", "integer", { a: each, n: 1 }));
  if (a === undefined || b === undefined) throw new NotCovered();
  const areNull = code.emit("joinTruths", "integer", { a, b, n: 0 });
  const isSame = code.emit("joinTruths", "integer", { a: equal, b: areNull, n: 1 });
  if (name === "isNotDistinctFrom") return isSame;
  return code.emit("negateTruth", "integer", { a: isSame });
}

/** A list that is looked through for every row is short. */
const itemsMax = 64;

function compileIn({ args }: ScalarCall, { code, compile }: VectorCompiler): number {
  const [first, ...items] = args;
  if (first === undefined || items.length === 0 || items.length > itemsMax) throw new NotCovered();
  const kind = valueKindOf(first.type);
  if (kind !== "integer" && kind !== "text") throw new NotCovered();
  const values = items.map((item) => {
    const isPlain = item.kind === "literal" && typeof item.value === literalTypes[kind];
    if (!isPlain) throw new NotCovered();
    return item.value;
  });
  const a = compile(first);
  if (code.kindOf(a) !== kind) throw new NotCovered();
  const b = code.constant(kind, values);
  return code.emit(kind === "text" ? "inTexts" : "inIntegers", "integer", {
    ...{ a, b, n: values.length },
  });
}

function compileConditional(
  { name, args, type }: ScalarCall,
  compiler: VectorCompiler,
): number | null {
  const kind = valueKindOf(type);
  const { code, compile } = compiler;
  switch (name) {
    case "coalesce":
    case "ifnull":
      return args
        .map(compile)
        .reduceRight((second, first) =>
          choose(compiler, { kind, test: first, first: second, second: first, isByNull: true }),
        );
    case "if": {
      const [test, first, second] = args.map(compile);
      if (test === undefined || first === undefined || second === undefined) return null;
      return choose(compiler, { kind, test, first, second });
    }
    case "nullif": {
      const [value] = args;
      if (value === undefined) return null;
      const test = compare(compiler, args, 0);
      const first = code.constant(kind, [null]);
      return choose(compiler, { kind, test, first, second: compile(value) });
    }
    default:
      return null;
  }
}

/** Comparison and logic. SQLite's operators mean what Flink's do on values of one type. */
import type { Scalar } from "../plan/scalar.ts";
import { isComparable } from "../types/common-type.ts";
import { booleanType, showType } from "../types/show-type.ts";
import { BindFault, define, type FunctionDefinition, type Lower } from "./definition.ts";
import { likeToGlob } from "./like.ts";

function comparison(key: string, operator: string, doc: string): FunctionDefinition {
  const base = define({
    group: "comparison",
    key,
    names: "",
    syntax: `value1 ${operator} value2`,
    doc,
    takes: ["same", "same"],
    gives: booleanType,
    lower: ([left, right]) => `(${left} ${operator} ${right})`,
  });
  return { ...base, bind: (args) => compared(base, operator, args) };
}

function compared(base: FunctionDefinition, operator: string, args: readonly Scalar[]): Scalar {
  const wrong = args.find(({ type }) => !isComparable(type));
  if (wrong !== undefined) {
    throw new BindFault(`${operator} does not compare values of type ${showType(wrong.type)}`);
  }
  const [left, right] = args;
  try {
    return base.bind(args);
  } catch (cause) {
    if (!(cause instanceof BindFault) || left === undefined || right === undefined) throw cause;
    throw new BindFault(
      `${operator} cannot compare ${showType(left.type)} with ${showType(right.type)}: CAST one of them`,
    );
  }
}

function distinctness(key: string, operator: string, sql: string): FunctionDefinition {
  return define({
    group: "comparison",
    key,
    names: "",
    syntax: `value1 ${operator} value2`,
    doc: "Compares with NULL as a value of its own; never NULL.",
    takes: ["same", "same"],
    gives: booleanType,
    nullable: "never",
    lower: ([left, right]) => `(${left} ${sql} ${right})`,
  });
}

function test(key: string, syntax: string, doc: string, sql: (x: string) => string) {
  const isNullTest = key === "isNull" || key === "isNotNull";
  return define({
    group: isNullTest ? "comparison" : "logical",
    key,
    names: "",
    syntax,
    doc,
    takes: [isNullTest ? "any" : "boolean"],
    gives: booleanType,
    nullable: "never",
    lower: ([value]) => sql(value ?? "NULL"),
  });
}

function logic(key: string, operator: string, doc: string): FunctionDefinition {
  return define({
    group: "logical",
    key,
    names: "",
    syntax: `boolean1 ${operator} boolean2`,
    doc,
    takes: ["boolean*"],
    gives: booleanType,
    lower: (args) => balanced(args, operator),
  });
}

/** As flat a tree as can be: SQLite takes none that is more than 1000 high. */
function balanced(args: readonly string[], operator: string): string {
  if (args.length <= 8) return `(${args.join(` ${operator} `)})`;
  const middle = args.length >> 1;
  const left = balanced(args.slice(0, middle), operator);
  return `(${left} ${operator} ${balanced(args.slice(middle), operator)})`;
}

/** A literal pattern without escape is a GLOB, which SQLite matches itself. */
const lowerLike: Lower = (args, { args: scalars }) => {
  const pattern = scalars[1];
  if (scalars.length === 2 && pattern?.kind === "literal" && typeof pattern.value === "string") {
    const glob = likeToGlob(pattern.value);
    if (glob !== null) return `(${args[0]} GLOB '${glob.replaceAll("'", "''")}')`;
  }
  return `mr_like(${args.join(", ")})`;
};

export const comparisonFunctions: readonly FunctionDefinition[] = [
  comparison("eq", "=", "TRUE where both are equal."),
  comparison("ne", "<>", "TRUE where they differ."),
  comparison("lt", "<", "TRUE where the first is less."),
  comparison("le", "<=", "TRUE where the first is less or equal."),
  comparison("gt", ">", "TRUE where the first is greater."),
  comparison("ge", ">=", "TRUE where the first is greater or equal."),
  distinctness("isDistinctFrom", "IS DISTINCT FROM", "IS NOT"),
  distinctness("isNotDistinctFrom", "IS NOT DISTINCT FROM", "IS"),
  test("isNull", "value IS NULL", "TRUE where the value is NULL.", (x) => `(${x} IS NULL)`),
  test("isNotNull", "value IS NOT NULL", "TRUE where there is one.", (x) => `(${x} IS NOT NULL)`),
  define({
    group: "comparison",
    key: "in",
    names: "",
    syntax: "value [NOT] IN (value1, value2, …)",
    doc: "TRUE where the list has the value; NULL where it has not but has a NULL.",
    takes: ["same", "same*"],
    gives: booleanType,
    lower: ([value, ...items]) => `(${value} IN (${items.join(", ")}))`,
  }),
  define({
    group: "comparison",
    key: "like",
    names: "",
    syntax: "string [NOT] LIKE pattern [ESCAPE character]",
    doc: "`%` stands for any text, `_` for one character; upper and lower case differ.",
    takes: ["string", "string", "string?"],
    gives: booleanType,
    lower: lowerLike,
  }),
  define({
    group: "comparison",
    key: "similar",
    names: "",
    syntax: "string [NOT] SIMILAR TO pattern [ESCAPE character]",
    doc: "SQL's regular expression, which the whole text must match.",
    takes: ["string", "string", "string?"],
    gives: booleanType,
  }),
  logic("and", "AND", "TRUE where both are."),
  logic("or", "OR", "TRUE where one is."),
  define({
    group: "logical",
    key: "not",
    names: "",
    syntax: "NOT boolean",
    doc: "TRUE where it is FALSE.",
    takes: ["boolean"],
    gives: booleanType,
    lower: ([value]) => `(NOT ${value})`,
  }),
  test("isTrue", "boolean IS TRUE", "TRUE where it is TRUE.", (x) => `(${x} IS TRUE)`),
  test("isNotTrue", "boolean IS NOT TRUE", "FALSE or NULL.", (x) => `(${x} IS NOT TRUE)`),
  test("isFalse", "boolean IS FALSE", "TRUE where it is FALSE.", (x) => `(${x} IS FALSE)`),
  test("isNotFalse", "boolean IS NOT FALSE", "TRUE or NULL.", (x) => `(${x} IS NOT FALSE)`),
];

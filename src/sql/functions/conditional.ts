/** Conditional functions. CASE is a scalar of its own. */
import type { Scalar } from "../plan/scalar.ts";
import { isComparable } from "../types/common-type.ts";
import type { DataType } from "../types/data-type.ts";
import { booleanType, nullType, showType, stringType } from "../types/show-type.ts";
import { BindFault, coerce, define, type FunctionDefinition, isNullable } from "./definition.ts";
import { flag, type HostFunction, hosted, text } from "./host-function.ts";
import { sqlText } from "./literal.ts";

function firstType(args: readonly Scalar[]): DataType {
  return args[0]?.type ?? nullType;
}

/** NULL only where all are. */
function coalesceLike(names: string, syntax: string, doc: string): FunctionDefinition {
  const base = define({
    group: "conditional",
    names,
    syntax,
    doc,
    takes: names === "IFNULL" ? ["same", "same"] : ["same", "same*"],
    gives: firstType,
    lower: (args) => (args.length === 1 ? `${args[0]}` : `coalesce(${args.join(", ")})`),
  });
  return {
    ...base,
    bind: (args) => {
      const bound = base.bind(args);
      return bound.kind === "call" ? { ...bound, nullable: bound.args.every(isNullable) } : bound;
    },
  };
}

function extreme(name: "GREATEST" | "LEAST", sql: "max" | "min"): FunctionDefinition {
  const base = define({
    group: "conditional",
    names: name,
    syntax: `${name}(value1, value2, …)`,
    doc: `The ${name.toLowerCase()} of them; NULL where one is.`,
    takes: ["same", "same*"],
    gives: firstType,
    lower: (args) => (args.length === 1 ? `${args[0]}` : `${sql}(${args.join(", ")})`),
  });
  return {
    ...base,
    bind: (args) => {
      const wrong = args.find(({ type }) => !isComparable(type));
      if (wrong !== undefined) {
        throw new BindFault(`${name} does not compare values of type ${showType(wrong.type)}`);
      }
      return base.bind(args);
    },
  };
}

function textTest(name: string, doc: string): FunctionDefinition {
  return define({
    group: "conditional",
    names: name,
    syntax: `${name}(string)`,
    doc,
    takes: ["string"],
    gives: booleanType,
    nullable: "never",
  });
}

/** Compares in a type that holds both values; what it gives is of the first's own. */
const nullIf = define({
  group: "conditional",
  names: "NULLIF",
  syntax: "NULLIF(value1, value2)",
  doc: "NULL where both are equal, else the first.",
  takes: ["same", "same"],
  gives: firstType,
  nullable: "always",
  lower: ([left, right]) => `nullif(${left}, ${right})`,
});

export const conditionalFunctions: readonly FunctionDefinition[] = [
  { ...nullIf, bind: (args) => coerce(nullIf.bind(args), firstType(args)) },
  coalesceLike("COALESCE", "COALESCE(value1, value2, …)", "The first that is not NULL."),
  coalesceLike("IFNULL", "IFNULL(value, other)", "The value, or the other where it is NULL."),
  define({
    group: "conditional",
    names: "IF",
    syntax: "IF(condition, value1, value2)",
    doc: "The first value where the condition is TRUE, else the second.",
    takes: ["boolean", "same", "same"],
    gives: ([, value]) => value?.type ?? nullType,
    nullable: "always",
    lower: ([condition, value, other]) => `iif(${condition}, ${value}, ${other})`,
  }),
  extreme("GREATEST", "max"),
  extreme("LEAST", "min"),
  textTest("IS_ALPHA", "Whether all characters are letters."),
  textTest("IS_DECIMAL", "Whether the text is a number."),
  textTest("IS_DIGIT", "Whether all characters are digits."),
  define({
    group: "conversion",
    names: "TYPEOF",
    syntax: "TYPEOF(value)",
    doc: "The name of the value's type.",
    takes: ["any"],
    gives: stringType,
    nullable: "never",
    lower: (_, { types }) => sqlText(showType(types[0] ?? nullType)),
  }),
];

function textHost(name: string, pattern: RegExp): HostFunction {
  return hosted(name, 1, (value = null) => flag(value !== null && pattern.test(text(value))));
}

export const conditionalHosts: readonly HostFunction[] = [
  textHost("mr_is_alpha", /^\p{L}+$/u),
  textHost("mr_is_decimal", /^[\0- ]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[dDfF]?[\0- ]*$/),
  textHost("mr_is_digit", /^\p{Nd}+$/u),
];

/** Scalars as SQL for people: what EXPLAIN shows. */
import { functionByKey } from "../functions/catalog.ts";
import { timeUnits } from "../functions/time-fields.ts";
import type { DataType } from "../types/data-type.ts";
import { formatDecimal, unscaledOf } from "../types/decimal.ts";
import { formatDayInterval, formatYearInterval } from "../types/interval-text.ts";
import { formatDouble } from "../types/number-text.ts";
import { showType } from "../types/show-type.ts";
import { formatDate, formatTime, formatTimestamp } from "../types/time-text.ts";
import type { Scalar, SqlValue } from "./scalar.ts";

const infix: Readonly<Record<string, string>> = {
  eq: "=",
  ne: "<>",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
  plus: "+",
  minus: "-",
  times: "*",
  divide: "/",
  modulo: "%",
  and: "AND",
  or: "OR",
  concatenate: "||",
  timePlus: "+",
  timeMinus: "-",
  intervalPlus: "+",
  intervalMinus: "-",
  intervalTimes: "*",
  isDistinctFrom: "IS DISTINCT FROM",
  isNotDistinctFrom: "IS NOT DISTINCT FROM",
  like: "LIKE",
  similar: "SIMILAR TO",
};

const postfix: Readonly<Record<string, string>> = {
  isNull: "IS NULL",
  isNotNull: "IS NOT NULL",
  isTrue: "IS TRUE",
  isNotTrue: "IS NOT TRUE",
  isFalse: "IS FALSE",
  isNotFalse: "IS NOT FALSE",
};

/** Names that need no backquotes. */
export function hasPlainName(name: string): boolean {
  return /^[A-Za-z_$][\w$.]*$/.test(name);
}

export function showScalar(scalar: Scalar, nameOf: (index: number) => string): string {
  const inner = (each: Scalar): string => {
    const text = showScalar(each, nameOf);
    return each.kind === "call" && infix[each.name] !== undefined ? `(${text})` : text;
  };
  const plain = (each: Scalar): string => showScalar(each, nameOf);
  switch (scalar.kind) {
    case "column":
      return nameOf(scalar.index);
    case "literal":
      return scalar.shown ?? showLiteral(scalar.value, scalar.type);
    case "cast":
      return `${castName(scalar.isTry)}(${plain(scalar.input)} AS ${showType(scalar.type)})`;
    case "case": {
      const branches = scalar.branches.map(
        ({ when, result }) => `WHEN ${plain(when)} THEN ${plain(result)}`,
      );
      return `CASE ${branches.join(" ")} ELSE ${plain(scalar.otherwise)} END`;
    }
    case "call":
      return showCall(scalar.name, scalar.args, inner, plain);
  }
}

function showCall(
  name: string,
  args: readonly Scalar[],
  inner: (scalar: Scalar) => string,
  plain: (scalar: Scalar) => string,
): string {
  const [first, second, ...others] = args;
  const operator = infix[name];
  if (operator !== undefined) return args.map(inner).join(` ${operator} `);
  if (first === undefined) return `${sqlName(name)}()`;
  const test = postfix[name];
  if (test !== undefined) return `${inner(first)} ${test}`;
  switch (name) {
    case "not":
      return `NOT ${inner(first)}`;
    case "negate":
    case "intervalNegate":
      return `-${inner(first)}`;
    case "in":
      return `${inner(first)} IN (${args.slice(1).map(plain).join(", ")})`;
    case "field":
      return second?.kind === "literal" ? `${inner(first)}.${second.value}` : `${inner(first)}.?`;
    case "extract":
      return second === undefined ? "?" : `EXTRACT(${unitName(first)} FROM ${plain(second)})`;
    case "floorTo":
    case "ceilTo":
      return `${edgeName(name)}(${plain(first)} TO ${second ? unitName(second) : "?"})`;
    case "timestampadd":
    case "timestampdiff": {
      const rest = [...(second === undefined ? [] : [second]), ...others].map(plain);
      return `${sqlName(name)}(${[unitName(first), ...rest].join(", ")})`;
    }
    default:
      return `${sqlName(name)}(${args.map(plain).join(", ")})`;
  }
}

function castName(isTry: boolean): string {
  return isTry ? "TRY_CAST" : "CAST";
}

function edgeName(key: string): string {
  return key === "floorTo" ? "FLOOR" : "CEIL";
}

function sqlName(key: string): string {
  return functionByKey(key).sqlNames[0] ?? key.toUpperCase();
}

function unitName(scalar: Scalar): string {
  return scalar.kind === "literal" ? (timeUnits[Number(scalar.value)] ?? "?") : "?";
}

function showLiteral(value: SqlValue, type: DataType): string {
  if (value === null) return "NULL";
  switch (type.kind) {
    case "boolean":
      return value === 1n ? "TRUE" : "FALSE";
    case "decimal":
      return formatDecimal(unscaledOf(value), type.scale);
    case "date":
      return `DATE '${formatDate(Number(value))}'`;
    case "time":
      return `TIME '${formatTime(Number(value))}'`;
    case "timestamp":
    case "timestampLtz":
      return `TIMESTAMP '${formatTimestamp(Number(value))}'`;
    case "intervalDay":
      return `INTERVAL '${formatDayInterval(Number(value))}' DAY TO SECOND`;
    case "intervalYear":
      return `INTERVAL '${formatYearInterval(Number(value))}' YEAR TO MONTH`;
    default:
      break;
  }
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === "number") return formatDouble(value);
  if (value instanceof Uint8Array) {
    return `X'${Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("")}'`;
  }
  return String(value);
}

/** Functions of dates and times. Units are literals of their number in `timeUnits`. */
import type { Scalar } from "../plan/scalar.ts";
import { dayMs } from "../types/calendar.ts";
import type { DataType } from "../types/data-type.ts";
import {
  bigintType,
  intType,
  isCharacter,
  isInterval,
  isTemporal,
  showType,
  stringType,
} from "../types/show-type.ts";
import { atInstant, onWall } from "./cast.ts";
import {
  BindFault,
  coerce,
  define,
  type FunctionDefinition,
  isNullable,
  type LowerContext,
} from "./definition.ts";
import { sqlText } from "./literal.ts";
import { type FieldUnit, unitCode, unitMonths, unitMs, unitOf } from "./time-fields.ts";

const timestampType: DataType = { kind: "timestamp" };
const ltzType: DataType = { kind: "timestampLtz" };

/** Wall milliseconds of a value of any time type. */
function wallText(value: string | undefined, type: DataType | undefined, zone: string): string {
  if (type?.kind === "date") return `(${value} * ${dayMs})`;
  return type?.kind === "timestampLtz" ? onWall(`${value}`, zone) : `${value}`;
}

/** A wall time back in the type that it came from. */
function backText(value: string, type: DataType | undefined, zone: string): string {
  if (type?.kind === "date") return `mr_date(${value})`;
  return type?.kind === "timestampLtz" ? atInstant(value, zone) : value;
}

function unitAt(args: readonly Scalar[], index: number): FieldUnit {
  const unit = args[index];
  return unit?.kind === "literal" && typeof unit.value === "bigint"
    ? unitOf(Number(unit.value))
    : "DAY";
}

/** EXTRACT of a time; TIMESTAMP_LTZ as the session's clock shows it, save for EPOCH. */
const extract = define({
  group: "temporal",
  names: "EXTRACT",
  syntax: "EXTRACT(unit FROM time)",
  doc: "A field: YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, QUARTER, WEEK, DOY, DOW, EPOCH, …",
  takes: ["int", "moment"],
  gives: bigintType,
  lower: ([unit, value], { types, args, timeZone }) => {
    const field = unitAt(args, 0);
    const zone = field === "EPOCH" ? "UTC" : timeZone;
    const extracted = `mr_extract(${unit}, ${wallText(value, types[1], zone)})`;
    return field === "MILLISECOND" ? `(${extracted} % 1000)` : extracted;
  },
});

function fieldFunction(name: string, unit: FieldUnit): FunctionDefinition {
  return define({
    group: "temporal",
    names: name,
    syntax: `${name}(time)`,
    doc: `EXTRACT(${unit} FROM time).`,
    takes: ["moment"],
    gives: bigintType,
    lower: ([value], { types, timeZone }) =>
      `mr_extract(${unitCode(unit)}, ${wallText(value, types[0], timeZone)})`,
  });
}

function edgeFunction(key: string, name: string, host: string): FunctionDefinition {
  return define({
    group: "temporal",
    key,
    names: "",
    syntax: `${name}(time TO unit)`,
    doc: `The ${name === "FLOOR" ? "last" : "next"} start of a YEAR, MONTH, DAY, HOUR, …`,
    takes: ["moment", "int"],
    gives: ([value]) => value?.type ?? timestampType,
    lower: ([value, unit], { types, timeZone }) => {
      const [type] = types;
      return backText(`${host}(${unit}, ${wallText(value, type, timeZone)})`, type, timeZone);
    },
  });
}

/** A DATE stays one under steps of whole days. */
function stepType(unit: FieldUnit, type: DataType | undefined): DataType {
  if (type?.kind !== "date") return type ?? timestampType;
  const isWhole = unitMonths[unit] !== undefined || (unitMs[unit] ?? 0) >= dayMs;
  return isWhole ? type : timestampType;
}

/** Steps are taken in UTC, as Flink takes them: a day is 24 hours. */
function lowerStep(args: readonly string[], context: LowerContext): string {
  const [unit, count, value] = args;
  const [, , from] = context.types;
  const wall = wallText(value, from, "UTC");
  const moved = `mr_time_step(${unit}, ${count}, ${wall})`;
  if (context.type.kind === "time") return `mr_time(${moved})`;
  return context.type.kind === "date" ? `mr_date(${moved})` : moved;
}

const steps: readonly FunctionDefinition[] = [
  define({
    group: "temporal",
    names: "TIMESTAMPADD",
    syntax: "TIMESTAMPADD(unit, count, time)",
    doc: "So many units later.",
    takes: ["int", "int", "moment"],
    gives: (args) => stepType(unitAt(args, 0), args[2]?.type),
    lower: lowerStep,
  }),
  define({
    group: "temporal",
    names: "TIMESTAMPDIFF",
    syntax: "TIMESTAMPDIFF(unit, time1, time2)",
    doc: "Whole units from the first time to the second.",
    takes: ["int", "moment", "moment"],
    gives: intType,
    lower: ([unit, from, to], { types }) =>
      `mr_time_diff(${unit}, ${wallText(from, types[1], "UTC")}, ${wallText(to, types[2], "UTC")})`,
  }),
];

function intervalStep(key: "timePlus" | "timeMinus", symbol: "+" | "-"): FunctionDefinition {
  const base = define({
    group: "temporal",
    key,
    names: "",
    syntax: `time ${symbol} INTERVAL`,
    doc: "A time moved by an interval; months keep the day where the month has it.",
    takes: ["moment", "any"],
    gives: ([value]) => value?.type ?? timestampType,
    lower: ([value, length], { types, type }) => {
      const signed = symbol === "-" ? `-${length}` : `${length}`;
      const [from, by] = types;
      if (type.kind === "time") return `mr_clock_add(${value}, ${signed})`;
      const host = by?.kind === "intervalYear" ? "mr_months_add" : "mr_time_add";
      const moved = `${host}(${wallText(value, from, "UTC")}, ${signed})`;
      return type.kind === "date" ? `mr_date(${moved})` : moved;
    },
  });
  return { ...base, bind: (args) => bindIntervalStep(key, symbol, args) };
}

function bindIntervalStep(key: string, symbol: string, args: readonly Scalar[]): Scalar {
  const [time, length] = args;
  if (time === undefined || length === undefined)
    throw new BindFault(`${symbol} takes 2 arguments`);
  if (!isTemporal(time.type) || !isInterval(length.type)) {
    throw new BindFault(
      `${symbol} cannot be applied to ${showType(time.type)} and ${showType(length.type)}`,
    );
  }
  if (time.type.kind === "time" && length.type.kind === "intervalYear") {
    throw new BindFault(`${symbol} cannot move a TIME by months`);
  }
  const nullable = isNullable(time) || isNullable(length);
  const isWholeDays =
    length.type.kind === "intervalYear" ||
    (length.kind === "literal" &&
      typeof length.value === "bigint" &&
      length.value % BigInt(dayMs) === 0n);
  const base = time.type.kind === "date" && !isWholeDays ? coerce(time, timestampType) : time;
  return { kind: "call", name: key, args: [base, length], type: base.type, nullable };
}

/** Sums of intervals, and a multiple of one. */
function intervalArithmetic(key: string, syntax: string, host: string): FunctionDefinition {
  return define({
    group: "temporal",
    key,
    names: "",
    syntax,
    doc: "Arithmetic of intervals.",
    takes: ["any", "any"],
    gives: ([left, right]) =>
      (left !== undefined && isInterval(left.type) ? left.type : right?.type) ?? {
        kind: "intervalDay",
      },
    lower: ([left, right]) => `${host}(${left}, ${right})`,
  });
}

/** DATE_FORMAT also takes a STRING, which is read as a TIMESTAMP first. */
function dateFormat(): FunctionDefinition {
  const base = define({
    group: "temporal",
    names: "DATE_FORMAT",
    syntax: "DATE_FORMAT(time, pattern)",
    doc: "Text in a pattern of y M d H m s S a E Q D h k K n and quoted text.",
    takes: ["moment", "string"],
    gives: stringType,
    lower: ([value, pattern], { types, timeZone }) =>
      `mr_date_format(${wallText(value, types[0], timeZone)}, ${pattern})`,
  });
  return {
    ...base,
    bind: ([value, ...rest]) => {
      if (value === undefined) return base.bind([]);
      return base.bind([isCharacter(value.type) ? coerce(value, timestampType) : value, ...rest]);
    },
  };
}

const texts: readonly FunctionDefinition[] = [
  dateFormat(),
  define({
    group: "temporal",
    names: "TO_DATE",
    syntax: "TO_DATE(string[, pattern])",
    doc: "The date that the text is (`yyyy-MM-dd`); NULL where it is none.",
    takes: ["string", "string?"],
    gives: { kind: "date" },
    nullable: "always",
  }),
  define({
    group: "temporal",
    names: "TO_TIMESTAMP",
    syntax: "TO_TIMESTAMP(string[, pattern])",
    doc: "The TIMESTAMP that the text is (`yyyy-MM-dd HH:mm:ss[.SSS]`); NULL where it is none.",
    takes: ["string", "string?"],
    gives: timestampType,
    nullable: "always",
  }),
  toTimestampLtz(),
  define({
    group: "temporal",
    names: "FROM_UNIXTIME",
    syntax: "FROM_UNIXTIME(seconds[, pattern])",
    doc: "Text of so many seconds since 1970, on the session's clock.",
    takes: ["bigint", "string?"],
    gives: stringType,
    lower: ([seconds, pattern = "''"], { timeZone }) =>
      `mr_from_unixtime(${seconds}, ${pattern}, ${sqlText(timeZone)})`,
  }),
  define({
    group: "temporal",
    names: "UNIX_TIMESTAMP",
    syntax: "UNIX_TIMESTAMP(string[, pattern])",
    doc: "Seconds since 1970 of a text on the session's clock.",
    takes: ["string", "string?"],
    gives: bigintType,
    lower: ([value, pattern = "''"], { timeZone }) =>
      `mr_unix_timestamp(${value}, ${pattern}, ${sqlText(timeZone)})`,
  }),
  define({
    group: "temporal",
    names: "CONVERT_TZ",
    syntax: "CONVERT_TZ(string, zone1, zone2)",
    doc: "A time of one zone as a text of another.",
    takes: ["string", "string", "string"],
    gives: stringType,
    nullable: "always",
  }),
];

function toTimestampLtz(): FunctionDefinition {
  const base = define({
    group: "temporal",
    names: "TO_TIMESTAMP_LTZ",
    syntax: "TO_TIMESTAMP_LTZ(number[, 0 | 3]), TO_TIMESTAMP_LTZ(string[, pattern[, zone]])",
    doc: "The instant of so many milliseconds (3) or seconds (0) since 1970, or of a text.",
    takes: ["any", "any?", "string?"],
    gives: ltzType,
    nullable: "always",
    lower: ([value, second, zone], { types, timeZone }) => {
      const [from] = types;
      if (from === undefined || !isCharacter(from)) return `mr_to_ltz(${value}, ${second ?? "3"})`;
      return `mr_to_ltz_text(${value}, ${second ?? "''"}, ${zone ?? sqlText(timeZone)})`;
    },
  });
  return { ...base, bind: (args) => base.bind(ltzArguments(args)) };
}

function ltzArguments(args: readonly Scalar[]): readonly Scalar[] {
  const [value, second] = args;
  if (value === undefined) return args;
  const isText = isCharacter(value.type);
  const isNumber = ["tinyint", "smallint", "int", "bigint", "double", "float", "decimal", "null"];
  if (!isText && !isNumber.includes(value.type.kind)) {
    throw new BindFault(
      `TO_TIMESTAMP_LTZ takes a number or a STRING, not ${showType(value.type)}`,
      0,
    );
  }
  if (second !== undefined && isCharacter(second.type) !== isText) {
    throw new BindFault(
      "TO_TIMESTAMP_LTZ takes a number and a precision, or a STRING and a pattern",
      1,
    );
  }
  if (isText || ["tinyint", "smallint", "int", "bigint", "null"].includes(value.type.kind))
    return args;
  return [coerce(value, { kind: "double" }), ...args.slice(1)];
}

export const temporalFunctions: readonly FunctionDefinition[] = [
  extract,
  fieldFunction("YEAR", "YEAR"),
  fieldFunction("QUARTER", "QUARTER"),
  fieldFunction("MONTH", "MONTH"),
  fieldFunction("WEEK", "WEEK"),
  fieldFunction("DAYOFYEAR", "DOY"),
  fieldFunction("DAYOFMONTH", "DAY"),
  fieldFunction("DAYOFWEEK", "DOW"),
  fieldFunction("HOUR", "HOUR"),
  fieldFunction("MINUTE", "MINUTE"),
  fieldFunction("SECOND", "SECOND"),
  edgeFunction("floorTo", "FLOOR", "mr_floor_to"),
  edgeFunction("ceilTo", "CEIL", "mr_ceil_to"),
  ...steps,
  intervalStep("timePlus", "+"),
  intervalStep("timeMinus", "-"),
  intervalArithmetic("intervalPlus", "INTERVAL + INTERVAL", "mr_add"),
  intervalArithmetic("intervalMinus", "INTERVAL - INTERVAL", "mr_sub"),
  intervalArithmetic("intervalTimes", "INTERVAL * integer", "mr_mul"),
  define({
    group: "temporal",
    key: "intervalNegate",
    names: "",
    syntax: "- INTERVAL",
    doc: "The interval backwards.",
    takes: ["any"],
    gives: ([value]) => value?.type ?? { kind: "intervalDay" },
    lower: ([value]) => `mr_sub(0, ${value})`,
  }),
  ...texts,
];

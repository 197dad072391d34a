/** JSON functions and ROWs, whose value is the JSON text of an object. */
import type { Scalar } from "../plan/scalar.ts";
import type { DataType } from "../types/data-type.ts";
import { booleanType, intType, isCharacter, showType, stringType } from "../types/show-type.ts";
import { textOf } from "./cast.ts";
import { BindFault, define, type FunctionDefinition, type LowerContext } from "./definition.ts";
import { sqlText } from "./literal.ts";

/** The value as JSON text. NULL stays NULL: the caller says what becomes of it. */
function jsonTextOf(value: string, scalar: Scalar, timeZone: string): string {
  const { type } = scalar;
  const isJson = scalar.kind === "call" && /^json_(object|array|query)$/.test(scalar.name);
  switch (type.kind) {
    case "boolean":
      return `CASE ${value} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END`;
    case "tinyint":
    case "smallint":
    case "int":
    case "bigint":
      return `CAST(${value} AS TEXT)`;
    case "float":
      return `mr_float_text(${value})`;
    case "double":
      return `mr_double_text(${value})`;
    case "decimal":
      return `mr_dec_text(${value}, ${type.scale})`;
    case "json":
    case "row":
      return value;
    case "null":
      return "NULL";
    default:
      return isJson ? value : `mr_json_string(${textOf(value, type, timeZone)})`;
  }
}

function checkJsonInput(args: readonly Scalar[]): void {
  const [input] = args;
  if (input === undefined) return;
  if (!isCharacter(input.type) && input.type.kind !== "json" && input.type.kind !== "null") {
    throw new BindFault(`This takes JSON or a STRING, not ${showType(input.type)}`, 0);
  }
}

interface JsonFunction {
  readonly key: string;
  readonly syntax: string;
  readonly doc: string;
  readonly count: number;
  readonly gives: DataType;
}

/** Those whose clauses the checker turns to arguments. */
function clauseFunction({ key, syntax, doc, count, gives }: JsonFunction): FunctionDefinition {
  const base = define({
    group: "json",
    key,
    names: "",
    syntax,
    doc,
    takes: Array.from({ length: count }, () => "any" as const),
    gives,
    nullable: "always",
  });
  return {
    ...base,
    bind: (args) => {
      checkJsonInput(args);
      return base.bind(args);
    },
  };
}

/** How the text of a field becomes a value of its type: see `mr_field`. */
function fieldConversion(type: DataType, timeZone: string): string {
  switch (type.kind) {
    case "boolean":
      return "'mr_text_boolean'";
    case "tinyint":
      return "'mr_text_int', 8";
    case "smallint":
      return "'mr_text_int', 16";
    case "int":
      return "'mr_text_int', 32";
    case "bigint":
      return "'mr_text_int', 64";
    case "float":
      return "'mr_text_f32'";
    case "double":
      return "'mr_text_real'";
    case "decimal":
      return `'mr_text_dec', ${type.precision}, ${type.scale}`;
    case "date":
      return "'mr_text_date'";
    case "time":
      return "'mr_text_time'";
    case "timestamp":
      return "'mr_text_timestamp'";
    case "timestampLtz":
      return `'mr_text_ltz', ${sqlText(timeZone)}`;
    case "row":
    case "json":
      return "'json'";
    default:
      return "'text'";
  }
}

/** A row value: field names are literals, each before its value. */
function lowerRow(args: readonly string[], { args: scalars, timeZone }: LowerContext): string {
  const members = scalars.map((scalar, index) =>
    index % 2 === 0 ? args[index] : jsonTextOf(args[index] ?? "NULL", scalar, timeZone),
  );
  return `mr_json_object(0, ${members.join(", ")})`;
}

function lowerArray(args: readonly string[], { args: scalars, timeZone }: LowerContext): string {
  const items = scalars.map((scalar, index) =>
    index === 0 ? args[0] : jsonTextOf(args[index] ?? "NULL", scalar, timeZone),
  );
  return `mr_json_array(${items.join(", ")})`;
}

function lowerObject(args: readonly string[], { args: scalars, timeZone }: LowerContext): string {
  const members = scalars.map((scalar, index) =>
    index % 2 === 1 || index === 0
      ? args[index]
      : jsonTextOf(args[index] ?? "NULL", scalar, timeZone),
  );
  return `mr_json_object(${members.join(", ")})`;
}

export const jsonFunctions: readonly FunctionDefinition[] = [
  clauseFunction({
    key: "json_value",
    syntax: "JSON_VALUE(json, path [RETURNING type] [… ON EMPTY] [… ON ERROR])",
    doc: "The scalar at a path; NULL: there is none.",
    count: 6,
    gives: stringType,
  }),
  clauseFunction({
    key: "json_query",
    syntax: "JSON_QUERY(json, path [… WRAPPER] [… ON EMPTY] [… ON ERROR])",
    doc: "The object or array at a path, as JSON.",
    count: 5,
    gives: stringType,
  }),
  clauseFunction({
    key: "json_exists",
    syntax: "JSON_EXISTS(json, path [… ON ERROR])",
    doc: "Whether the path leads to something.",
    count: 3,
    gives: booleanType,
  }),
  clauseFunction({
    key: "is_json",
    syntax: "string IS [NOT] JSON [VALUE | OBJECT | ARRAY | SCALAR]",
    doc: "Whether the text is JSON, of that kind.",
    count: 2,
    gives: booleanType,
  }),
  define({
    group: "json",
    key: "json_object",
    names: "",
    syntax: "JSON_OBJECT([KEY] key VALUE value, … [NULL | ABSENT ON NULL])",
    doc: "A JSON object of these members.",
    takes: ["any*"],
    gives: stringType,
    nullable: "never",
    lower: lowerObject,
  }),
  define({
    group: "json",
    key: "json_array",
    names: "",
    syntax: "JSON_ARRAY(value, … [NULL | ABSENT ON NULL])",
    doc: "A JSON array of these items.",
    takes: ["any*"],
    gives: stringType,
    nullable: "never",
    lower: lowerArray,
  }),
  define({
    group: "json",
    names: "JSON_STRING",
    syntax: "JSON_STRING(value)",
    doc: "Any value as JSON text.",
    takes: ["any"],
    gives: stringType,
    lower: ([value], { args, timeZone }) => {
      const [scalar] = args;
      return scalar === undefined ? "NULL" : jsonTextOf(`${value}`, scalar, timeZone);
    },
  }),
  define({
    group: "json",
    names: "JSON_QUOTE",
    syntax: "JSON_QUOTE(string)",
    doc: "The text as a JSON string.",
    takes: ["string"],
    gives: stringType,
    lower: ([value]) => `mr_json_string(${value})`,
  }),
  define({
    group: "json",
    names: "JSON_UNQUOTE",
    syntax: "JSON_UNQUOTE(string)",
    doc: "The text that a JSON string stands for; what is none stays as it is.",
    takes: ["string"],
    gives: stringType,
  }),
  define({
    group: "json",
    key: "row",
    names: "",
    syntax: "ROW(value, …)",
    doc: "A row of these fields.",
    takes: ["any*"],
    gives: ([...args]) => ({
      kind: "row",
      fields: args.flatMap((arg, index) => {
        const value = args[index + 1];
        return index % 2 === 0 && arg.kind === "literal" && value !== undefined
          ? [{ name: String(arg.value), type: value.type }]
          : [];
      }),
    }),
    nullable: "never",
    lower: lowerRow,
  }),
  fieldAccess(),
];

function fieldAccess(): FunctionDefinition {
  const base = define({
    group: "json",
    key: "field",
    names: "",
    syntax: "row.field",
    doc: "A field of a ROW.",
    takes: ["row", "string"],
    gives: intType,
    nullable: "always",
    lower: ([row, name], { type, timeZone }) =>
      `mr_field(${row}, ${name}, ${fieldConversion(type, timeZone)})`,
  });
  return {
    ...base,
    bind: (args) => {
      const [row, name] = args;
      const wanted = name?.kind === "literal" ? name.value : null;
      const found =
        row?.type.kind === "row"
          ? row.type.fields.find((field) => field.name === wanted)
          : undefined;
      if (found === undefined) throw new BindFault(`There is no field "${wanted}"`, 1);
      return { kind: "call", name: "field", args, type: found.type, nullable: true };
    },
  };
}

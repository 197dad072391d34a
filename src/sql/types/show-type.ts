import type { DataType } from "./data-type.ts";

/** The type as Flink writes it: `DECIMAL(10, 2)`, `TIMESTAMP(3)`, `ROW<a INT, b STRING>`. */
export function showType(type: DataType): string {
  switch (type.kind) {
    case "decimal":
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case "char":
      return type.length === null ? "STRING" : `CHAR(${type.length})`;
    case "varchar":
      return type.length === null ? "STRING" : `VARCHAR(${type.length})`;
    case "row":
      return `ROW<${type.fields.map(({ name, type }) => `${name} ${showType(type)}`).join(", ")}>`;
    default:
      return plainNames[type.kind];
  }
}

type PlainKind = Exclude<DataType["kind"], "decimal" | "char" | "varchar" | "row">;

const plainNames: Readonly<Record<PlainKind, string>> = {
  null: "NULL",
  boolean: "BOOLEAN",
  tinyint: "TINYINT",
  smallint: "SMALLINT",
  int: "INT",
  bigint: "BIGINT",
  float: "FLOAT",
  double: "DOUBLE",
  bytes: "BYTES",
  date: "DATE",
  time: "TIME(3)",
  timestamp: "TIMESTAMP(3)",
  timestampLtz: "TIMESTAMP_LTZ(3)",
  intervalDay: "INTERVAL DAY TO SECOND(3)",
  intervalYear: "INTERVAL YEAR TO MONTH",
  json: "JSON",
};

export function isSameType(left: DataType, right: DataType): boolean {
  if (left.kind !== right.kind) return false;
  if (left.kind === "decimal" && right.kind === "decimal") {
    return left.precision === right.precision && left.scale === right.scale;
  }
  if (isCharacter(left) && isCharacter(right)) return left.length === right.length;
  if (left.kind === "row" && right.kind === "row") {
    return (
      left.fields.length === right.fields.length &&
      left.fields.every((field, index) => {
        const other = right.fields[index];
        return (
          other !== undefined && other.name === field.name && isSameType(field.type, other.type)
        );
      })
    );
  }
  return true;
}

export type CharacterType = Extract<DataType, { readonly kind: "char" | "varchar" }>;

export function isCharacter(type: DataType): type is CharacterType {
  return type.kind === "char" || type.kind === "varchar";
}

/** The whole-number types from narrow to wide, with the greatest value of each. */
export const integerMax: Readonly<Record<IntegerKind, bigint>> = {
  tinyint: 127n,
  smallint: 32767n,
  int: 2147483647n,
  bigint: 9223372036854775807n,
};

export type IntegerKind = "tinyint" | "smallint" | "int" | "bigint";

export function isIntegerKind(kind: string): kind is IntegerKind {
  return Object.hasOwn(integerMax, kind);
}

export function isExact(type: DataType): boolean {
  return isIntegerKind(type.kind) || type.kind === "decimal";
}

export function isApproximate(type: DataType): boolean {
  return type.kind === "float" || type.kind === "double";
}

export function isNumeric(type: DataType): boolean {
  return isExact(type) || isApproximate(type);
}

export function isTemporal(type: DataType): boolean {
  return ["date", "time", "timestamp", "timestampLtz"].includes(type.kind);
}

export function isInterval(type: DataType): boolean {
  return type.kind === "intervalDay" || type.kind === "intervalYear";
}

export const stringType: DataType = { kind: "varchar", length: null };
export const booleanType: DataType = { kind: "boolean" };
export const intType: DataType = { kind: "int" };
export const bigintType: DataType = { kind: "bigint" };
export const doubleType: DataType = { kind: "double" };
export const nullType: DataType = { kind: "null" };

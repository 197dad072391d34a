/** The type that JSON values of a field have in common. */
import type { DataType } from "./data-type.ts";
import { parseTimestamp } from "./time-text.ts";

const text: DataType = { kind: "varchar", length: null };

/** The type of `value` together with what was seen before; null: NULLs tell nothing. */
export function inferType(value: unknown, before: DataType | null): DataType | null {
  const type = typeOfValue(value);
  if (type === null) return before;
  return before === null ? type : common(before, type);
}

function typeOfValue(value: unknown): DataType | null {
  switch (typeof value) {
    case "boolean":
      return { kind: "boolean" };
    case "number":
      return { kind: Number.isInteger(value) ? "bigint" : "double" };
    case "string":
      return isTimestamp(value) ? { kind: "timestamp" } : text;
    default:
      if (value === null || value === undefined) return null;
      if (Array.isArray(value)) return { kind: "json" };
      return rowOf(value as Record<string, unknown>);
  }
}

function rowOf(value: Record<string, unknown>): DataType {
  const fields = Object.entries(value).flatMap(([name, field]) => {
    const type = inferType(field, null);
    return type === null ? [] : [{ name, type }];
  });
  return fields.length === 0 ? { kind: "json" } : { kind: "row", fields };
}

/** With a date and a time, as Flink writes one or as ISO 8601 does. */
function isTimestamp(value: string): boolean {
  return /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d/.test(value) && parseTimestamp(value) !== null;
}

function common(before: DataType, type: DataType): DataType {
  if (before.kind === type.kind) {
    return before.kind === "row" && type.kind === "row" ? commonRow(before, type) : before;
  }
  const kinds = [before.kind, type.kind];
  if (kinds.every((kind) => kind === "bigint" || kind === "double")) return { kind: "double" };
  if (kinds.every((kind) => kind === "row" || kind === "json")) return { kind: "json" };
  return text;
}

type RowType = Extract<DataType, { kind: "row" }>;

function commonRow(before: RowType, type: RowType): DataType {
  const fields = new Map(before.fields.map((field) => [field.name, field.type]));
  for (const { name, type: each } of type.fields) {
    const known = fields.get(name);
    fields.set(name, known === undefined ? each : common(known, each));
  }
  return { kind: "row", fields: [...fields].map(([name, each]) => ({ name, type: each })) };
}

import { unreachable } from "../../base/assert.ts";
import { type FieldShape, type FieldType, type PrimitiveKind, zeroUuid } from "./field-table.ts";

const emptyBytes = new Uint8Array(0);
const emptyArray: readonly never[] = Object.freeze([]);

function zeroOf(type: FieldType): unknown {
  if (type.kind === "array") return emptyArray;
  if (type.kind === "struct") return Object.freeze(structDefault(type.fields));
  return primitiveZero(type.kind);
}

function primitiveZero(kind: PrimitiveKind): unknown {
  switch (kind) {
    case "bool":
      return false;
    case "int8":
    case "int16":
    case "uint16":
    case "int32":
    case "uint32":
    case "int64":
    case "float64":
      return 0;
    case "uuid":
      return zeroUuid;
    case "string":
      return "";
    case "bytes":
      return emptyBytes;
    case "records":
      return null;
    default:
      return unreachable(kind);
  }
}

/** The value that stands for a field's absence; objects among them are frozen and shared. */
export function fieldDefault(field: FieldShape): unknown {
  return field.options.default === undefined ? zeroOf(field.type) : field.options.default;
}

/** A new struct in which every field has its default. */
export function structDefault(
  fields: Readonly<Record<string, FieldShape>>,
): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) value[name] = fieldDefault(field);
  return value;
}

/** Tells whether leaving the field out says the same as `value`. */
export function isFieldDefault(field: FieldShape, value: unknown): boolean {
  if (value === undefined) return true;
  const absent = fieldDefault(field);
  if (value === null || absent === null) return value === absent;
  if (field.type.kind === "array") return Array.isArray(value) && value.length === 0;
  if (field.type.kind === "struct") {
    const struct = value as Readonly<Record<string, unknown>>;
    return Object.entries(field.type.fields).every(([name, inner]) =>
      isFieldDefault(inner, struct[name]),
    );
  }
  if (field.type.kind === "bytes") return value instanceof Uint8Array && value.length === 0;
  return value === absent;
}

/** One line per field of a message version, from our table and from Kafka's schema. */
import { fieldDefault } from "../../../src/wire/kafka/field-default.ts";
import {
  type FieldShape,
  type FieldType,
  int64Max,
  type MessageShape,
  zeroUuid,
} from "../../../src/wire/kafka/field-table.ts";

/** What Kafka's schema says of a field; all texts. */
export interface SchemaField {
  readonly type: string;
  readonly versions: string;
  readonly nullableVersions?: string;
  readonly tag?: string;
  readonly flexibleVersions?: string;
  readonly default?: string;
  readonly ignorable?: string;
}

interface Facts {
  readonly path: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly tag: string;
  readonly absent: string;
  readonly ignorable: boolean;
  readonly oldLayout: boolean;
}

function line(facts: Facts): string {
  return JSON.stringify(facts);
}

function typeText(type: FieldType): string {
  return type.kind === "array" ? `[]${typeText(type.element)}` : type.kind;
}

function innerFields(type: FieldType): Readonly<Record<string, FieldShape>> {
  if (type.kind === "array") return innerFields(type.element);
  return type.kind === "struct" ? type.fields : {};
}

function absentText(value: unknown): string {
  if (value instanceof Uint8Array || Array.isArray(value)) return "empty";
  if (typeof value === "object" && value !== null) return "struct";
  return String(value);
}

/** Fields of `version` by our table. */
export function tableFacts(message: MessageShape, version: number): readonly string[] {
  const lines: string[] = [];
  const add = (fields: Readonly<Record<string, FieldShape>>, parent: string): void => {
    for (const [name, field] of Object.entries(fields)) {
      const { since = 0, until = version, nullableSince = version + 1, tag } = field.options;
      if (version < since || version > until) continue;
      const path = parent + name;
      lines.push(
        line({
          path,
          type: typeText(field.type),
          nullable: version >= nullableSince,
          tag: String(tag ?? "none"),
          absent: absentText(fieldDefault(field)),
          ignorable: field.options.ignorable === true,
          oldLayout: field.options.flexible === false,
        }),
      );
      add(innerFields(field.type), `${path}.`);
    }
  };
  add(message.fields, "");
  return lines;
}

function includes(versions: string | undefined, version: number): boolean {
  if (versions === undefined || versions === "none") return false;
  const [first = "", last = versions.endsWith("+") ? "Infinity" : first] = versions
    .replace("+", "")
    .split("-");
  return version >= Number(first) && version <= Number(last);
}

const primitives = /^(bool|u?int\d+|float64|uuid|string|bytes|records)$/;

function schemaType(type: string): string {
  if (type.startsWith("[]")) return `[]${schemaType(type.slice(2))}`;
  return primitives.test(type) ? type : "struct";
}

function schemaAbsent(field: SchemaField): string {
  const type = schemaType(field.type);
  const given = field.default;
  if (given === "null") return "null";
  if (type.startsWith("[]") || type === "bytes") return "empty";
  if (type === "struct") return "struct";
  if (type === "records") return "null";
  if (type === "string") return given ?? "";
  if (type === "uuid") return zeroUuid;
  if (type === "bool") return given ?? "false";
  return String(given === "9223372036854775807" ? int64Max : Number(given ?? 0));
}

/** Fields of `version` by Kafka's schema, keyed by path, parents before children. */
export function schemaFacts(
  fields: Readonly<Record<string, SchemaField>>,
  version: number,
): readonly string[] {
  const lines: string[] = [];
  const lacking: string[] = [];
  for (const [path, field] of Object.entries(fields)) {
    if (lacking.some((parent) => path.startsWith(parent))) continue;
    if (!includes(field.versions, version)) {
      lacking.push(`${path}.`);
      continue;
    }
    lines.push(
      line({
        path,
        type: schemaType(field.type),
        nullable: includes(field.nullableVersions, version),
        tag: field.tag ?? "none",
        absent: schemaAbsent(field),
        ignorable: field.ignorable === "true",
        oldLayout: field.flexibleVersions === "none",
      }),
    );
  }
  return lines;
}

/** First flexible version by Kafka's schema; undefined: none. */
export function schemaFlexibleSince(flexibleVersions: string): number | undefined {
  return flexibleVersions === "none" ? undefined : Number(flexibleVersions.replace("+", ""));
}

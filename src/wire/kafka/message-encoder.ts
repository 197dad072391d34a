/** Makes the function that writes one version of a message, as message-decoder.ts the reader. */
import { present } from "../../base/assert.ts";
import { fieldDefault, isFieldDefault } from "./field-default.ts";
import type {
  FieldShape,
  FieldType,
  MessageShape,
  PrimitiveKind,
  RecordsPayload,
} from "./field-table.ts";
import { hasField, isNullable, layoutOf } from "./message-decoder.ts";
import { WireFault, within } from "./wire-fault.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Writes `value`, which has the type that the table demands. */
export type Encode = (writer: WireWriter, value: unknown) => void;

type Layout = ReturnType<typeof layoutOf>;
type Struct = Readonly<Record<string, unknown>>;

interface FieldEncoder {
  readonly name: string;
  readonly encode: Encode;
  readonly absent: unknown;
}

interface TaggedEncoder extends FieldEncoder {
  readonly tag: number;
  readonly field: FieldShape;
}

/** Compiles the writer of `version`, which must be one that the message has. */
export function compileEncoder(message: MessageShape, version: number): Encode {
  return structEncoder(message.fields, layoutOf(message, version));
}

function structEncoder(
  fields: Readonly<Record<string, FieldShape>>,
  { version, flexible }: Layout,
): Encode {
  const plain: FieldEncoder[] = [];
  const tagged: TaggedEncoder[] = [];
  const lost: [string, FieldShape][] = [];
  for (const [name, field] of Object.entries(fields)) {
    if (!hasField(field, version)) {
      if (!isDispensable(field)) lost.push([name, field]);
      continue;
    }
    const layout = { version, flexible: flexible && field.options.flexible !== false };
    const encode = fieldEncoder(field.type, isNullable(field, version), layout);
    const encoder = { name, encode, absent: fieldDefault(field) };
    const { tag } = field.options;
    if (tag === undefined) plain.push(encoder);
    else tagged.push({ ...encoder, tag, field });
  }
  tagged.sort((left, right) => left.tag - right.tag);
  return (writer, value) => {
    const struct = value as Struct;
    for (const [name, field] of lost) refuseLost(writer, { name, field, struct, version });
    let index = 0;
    try {
      for (; index < plain.length; index++) {
        const { name, encode, absent } = plain[index] as FieldEncoder;
        const given = struct[name];
        encode(writer, given === undefined ? absent : given);
      }
    } catch (error) {
      throw within(error, present(plain[index], "field that failed").name);
    }
    if (flexible) writeTags(writer, tagged, struct);
  };
}

/**
 * Readers skip tags that they do not know, so a tagged field never carries what a message cannot
 * do without; a version that lacks it leaves it out.
 */
function isDispensable({ options }: FieldShape): boolean {
  return options.ignorable === true || options.tag !== undefined;
}

interface LostField {
  readonly name: string;
  readonly field: FieldShape;
  readonly struct: Struct;
  readonly version: number;
}

/** What a version cannot say must not be said, unless the table says that it does not matter. */
function refuseLost(writer: WireWriter, { name, field, struct, version }: LostField): void {
  if (isFieldDefault(field, struct[name])) return;
  const problem = `version ${version} lacks the field, but it has a value`;
  throw new WireFault(problem, writer.byteLength, "unsupported_version").within(name);
}

function writeTags(writer: WireWriter, tagged: readonly TaggedEncoder[], struct: Struct): void {
  let count = 0;
  for (const { field, name } of tagged) if (!isFieldDefault(field, struct[name])) count++;
  writer.uvarint(count);
  if (count === 0) return;
  for (const { field, name, tag, encode } of tagged) {
    if (isFieldDefault(field, struct[name])) continue;
    writer.uvarint(tag);
    try {
      writer.sized(() => encode(writer, struct[name]));
    } catch (error) {
      throw within(error, name);
    }
  }
}

function fieldEncoder(type: FieldType, nullable: boolean, layout: Layout): Encode {
  if (type.kind === "array") return arrayEncoder(type.element, nullable, layout);
  if (type.kind === "struct") {
    const encodeStruct = structEncoder(type.fields, layout);
    if (!nullable) return (writer, value) => encodeStruct(writer, notNull(writer, value));
    return (writer, value) => {
      writer.int8(value === null ? -1 : 1);
      if (value !== null) encodeStruct(writer, value);
    };
  }
  return primitiveEncoder(type.kind, nullable, layout.flexible);
}

function arrayEncoder(element: FieldType, nullable: boolean, layout: Layout): Encode {
  const compact = layout.flexible;
  const encodeElement = fieldEncoder(element, false, layout);
  return (writer, value) => {
    if (value === null) {
      writeNull(writer, nullable, compact);
      return;
    }
    const values = value as readonly unknown[];
    writer.length(values.length, compact);
    let index = 0;
    try {
      for (; index < values.length; index++) encodeElement(writer, values[index]);
    } catch (error) {
      throw within(error, `[${index}]`);
    }
  };
}

function notNull(writer: WireWriter, value: unknown): unknown {
  if (value === null || value === undefined) throw writer.fault("null is not allowed here");
  return value;
}

function writeNull(writer: WireWriter, nullable: boolean, compact: boolean): void {
  if (!nullable) throw writer.fault("null is not allowed here");
  writer.length(-1, compact);
}

function primitiveEncoder(kind: PrimitiveKind, nullable: boolean, compact: boolean): Encode {
  switch (kind) {
    case "string":
      return (writer, value) => {
        if (!nullable) notNull(writer, value);
        writer.string(value as string | null, compact);
      };
    case "bytes":
    case "records":
      return (writer, value) => {
        if (value === null) writeNull(writer, nullable, compact);
        else writePayload(writer, value as RecordsPayload, compact);
      };
    default:
      return fixedEncoders[kind];
  }
}

function writePayload(writer: WireWriter, payload: RecordsPayload, compact: boolean): void {
  if (payload instanceof Uint8Array) {
    writer.length(payload.length, compact);
    writer.raw(payload);
    return;
  }
  let byteLength = 0;
  for (const part of payload) byteLength += part.length;
  writer.length(byteLength, compact);
  for (const part of payload) writer.raw(part);
}

// The table's interface makes the compiler check the values, so the casts below state what is so.
const fixedEncoders: Readonly<
  Record<Exclude<PrimitiveKind, "string" | "bytes" | "records">, Encode>
> = {
  bool: (writer, value) => writer.bool(value as boolean),
  int8: (writer, value) => writer.int8(value as number),
  int16: (writer, value) => writer.int16(value as number),
  uint16: (writer, value) => writer.uint16(value as number),
  int32: (writer, value) => writer.int32(value as number),
  uint32: (writer, value) => writer.uint32(value as number),
  int64: (writer, value) => writer.int64(value as number),
  float64: (writer, value) => writer.float64(value as number),
  uuid: (writer, value) => writer.uuid(value as string),
};

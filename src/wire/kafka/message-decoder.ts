/**
 * Makes the function that reads one version of a message: a closure per field, made once, so that
 * reading looks at no table. (Generated code would be faster still, but workerd forbids it.)
 */
import { present } from "../../base/assert.ts";
import { structDefault } from "./field-default.ts";
import type { FieldShape, FieldType, MessageShape, PrimitiveKind } from "./field-table.ts";
import { within } from "./wire-fault.ts";
import type { WireReader } from "./wire-reader.ts";

export type Decode = (reader: WireReader) => unknown;

interface Decoder {
  readonly decode: Decode;
  /** The fewest bytes that a value takes; bounds what a short message can claim to hold. */
  readonly bytesMin: number;
}

interface TaggedField {
  readonly name: string;
  readonly decode: Decode;
}

interface Layout {
  readonly version: number;
  /** Compact lengths and tagged sections. */
  readonly flexible: boolean;
}

/** Tells whether `version` of the message has the field. */
export function hasField({ options }: FieldShape, version: number): boolean {
  return version >= (options.since ?? 0) && version <= (options.until ?? version);
}

/** Tells whether the field may be null in `version`. */
export function isNullable({ options }: FieldShape, version: number): boolean {
  return options.nullableSince !== undefined && version >= options.nullableSince;
}

/** The layout of `version` of a message. */
export function layoutOf(message: MessageShape, version: number): Layout {
  return { version, flexible: version >= (message.flexibleSince ?? version + 1) };
}

/** Compiles the reader of `version`, which must be one that the message has. */
export function compileDecoder(message: MessageShape, version: number): Decode {
  return structDecoder(message.fields, layoutOf(message, version)).decode;
}

function structDecoder(
  fields: Readonly<Record<string, FieldShape>>,
  { version, flexible }: Layout,
): Decoder {
  const template = structDefault(fields);
  const names: string[] = [];
  const decoders: Decode[] = [];
  const tagged = new Map<number, TaggedField>();
  let bytesMin = flexible ? 1 : 0;
  for (const [name, field] of Object.entries(fields)) {
    if (!hasField(field, version)) continue;
    const layout = { version, flexible: flexible && field.options.flexible !== false };
    const decoder = fieldDecoder(field.type, isNullable(field, version), layout);
    if (field.options.tag !== undefined) {
      tagged.set(field.options.tag, { name, decode: decoder.decode });
      continue;
    }
    names.push(name);
    decoders.push(decoder.decode);
    bytesMin += decoder.bytesMin;
  }
  const decode = (reader: WireReader): unknown => {
    const value = { ...template };
    let index = 0;
    try {
      for (; index < names.length; index++) {
        value[names[index] as string] = (decoders[index] as Decode)(reader);
      }
    } catch (error) {
      throw within(error, present(names[index], "field that failed"));
    }
    if (flexible) readTags(reader, tagged, value);
    return value;
  };
  return { decode, bytesMin };
}

/** Reads a tagged section (KIP-482) into `value`; unknown tags are from the future and skipped. */
function readTags(
  reader: WireReader,
  tagged: ReadonlyMap<number, TaggedField>,
  value: Record<string, unknown>,
): void {
  if (tagged.size === 0) {
    reader.skipTags();
    return;
  }
  const count = reader.uvarint();
  reader.checkCount(count, 2);
  for (let index = 0; index < count; index++) {
    const field = tagged.get(reader.uvarint());
    const size = reader.uvarint();
    if (field === undefined) reader.take(size);
    else value[field.name] = readTagged(reader, field, size);
  }
}

function readTagged(reader: WireReader, { name, decode }: TaggedField, size: number): unknown {
  const { end: outerEnd, position } = reader;
  try {
    reader.take(size);
    reader.position = position;
    reader.end = position + size;
    const value = decode(reader);
    if (reader.remaining > 0) throw reader.fault(`${reader.remaining} bytes are left over`);
    reader.end = outerEnd;
    return value;
  } catch (error) {
    throw within(error, name);
  }
}

function fieldDecoder(type: FieldType, nullable: boolean, layout: Layout): Decoder {
  if (type.kind === "array") return arrayDecoder(type.element, nullable, layout);
  if (type.kind === "struct") {
    const struct = structDecoder(type.fields, layout);
    if (!nullable) return struct;
    const decode: Decode = (reader) => (reader.int8() < 0 ? null : struct.decode(reader));
    return { decode, bytesMin: 1 };
  }
  return primitiveDecoder(type.kind, nullable, layout.flexible);
}

function arrayDecoder(element: FieldType, nullable: boolean, layout: Layout): Decoder {
  const compact = layout.flexible;
  const { decode: decodeElement, bytesMin: elementBytesMin } = fieldDecoder(element, false, layout);
  const decode: Decode = (reader) => {
    const count = reader.length(compact);
    if (count < 0) return nullOr(reader, nullable);
    reader.checkCount(count, Math.max(1, elementBytesMin));
    const values: unknown[] = [];
    let index = 0;
    try {
      for (; index < count; index++) values.push(decodeElement(reader));
    } catch (error) {
      throw within(error, `[${index}]`);
    }
    return values;
  };
  return { decode, bytesMin: compact ? 1 : 4 };
}

function nullOr(reader: WireReader, nullable: boolean): null {
  if (nullable) return null;
  throw reader.fault("null is not allowed here");
}

function primitiveDecoder(kind: PrimitiveKind, nullable: boolean, compact: boolean): Decoder {
  switch (kind) {
    case "string":
      return {
        decode: (reader) => {
          const length = reader.stringLength(compact);
          return length < 0 ? nullOr(reader, nullable) : reader.text(length);
        },
        bytesMin: compact ? 1 : 2,
      };
    case "bytes":
    case "records":
      return {
        decode: (reader) => {
          const length = reader.length(compact);
          return length < 0 ? nullOr(reader, nullable) : reader.take(length);
        },
        bytesMin: compact ? 1 : 4,
      };
    default:
      return fixedDecoders[kind];
  }
}

const fixedDecoders: Readonly<
  Record<Exclude<PrimitiveKind, "string" | "bytes" | "records">, Decoder>
> = {
  bool: { decode: (reader) => reader.bool(), bytesMin: 1 },
  int8: { decode: (reader) => reader.int8(), bytesMin: 1 },
  int16: { decode: (reader) => reader.int16(), bytesMin: 2 },
  uint16: { decode: (reader) => reader.uint16(), bytesMin: 2 },
  int32: { decode: (reader) => reader.int32(), bytesMin: 4 },
  uint32: { decode: (reader) => reader.uint32(), bytesMin: 4 },
  int64: { decode: (reader) => reader.int64(), bytesMin: 8 },
  float64: { decode: (reader) => reader.float64(), bytesMin: 8 },
  uuid: { decode: (reader) => reader.uuid(), bytesMin: 16 },
};

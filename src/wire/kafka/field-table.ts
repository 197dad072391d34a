/**
 * The description of Kafka's messages, of which the one codec (codec.ts) makes bytes and values.
 *
 * A message is a table: an object with one entry per field, in the order of the wire. `since` and
 * `until` say in which versions the field is there, `nullableSince` from which version it may be
 * null, `tag` that it travels in the tagged section (KIP-482) of flexible versions. Names are
 * Kafka's in camel case. Beside each table stands its interface; `FieldTable<T>` makes the compiler
 * refuse a table that lacks a field, has another or gives it another type.
 *
 * An interface marks with `?` what a writer may leave out: the codec then writes the default. What
 * it reads is `Decoded<T>`, in which nothing is missing: a field that the version lacks has its
 * default.
 */

/** Inclusive range of message versions. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/**
 * What a `records` field may be given as: the record batches as one buffer or as the parts that
 * follow each other on the wire. It is always read as one view.
 */
export type RecordsPayload = Uint8Array | readonly Uint8Array[];

/** Kafka's all-zero uuid, the default of every uuid field: no id. Uuids are base64url text. */
export const zeroUuid = "AAAAAAAAAAAAAAAAAAAAAA";

/**
 * How an int64 of all ones but the sign (Java's Long.MAX_VALUE, "no bound") is held: the number
 * next to it. Any other value is below 2^53 in magnitude or is refused.
 */
export const int64Max = 2 ** 63;

/** A message as read: no field is missing, and records are one view into the frame. */
export type Decoded<T> = T extends Uint8Array
  ? T
  : T extends readonly Uint8Array[]
    ? never
    : T extends readonly (infer Element)[]
      ? readonly Decoded<Element>[]
      : T extends object
        ? { readonly [K in keyof T]-?: Decoded<Exclude<T[K], undefined>> }
        : T;

export type PrimitiveKind =
  | "bool"
  | "int8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "float64"
  | "uuid"
  | "string"
  | "bytes"
  | "records";

/** The wire type of a field or of an array's element. */
export type FieldType =
  | { readonly kind: PrimitiveKind }
  | { readonly kind: "array"; readonly element: FieldType }
  | { readonly kind: "struct"; readonly fields: Readonly<Record<string, FieldShape>> };

export interface FieldOptions<T> {
  /** First version that has the field; default 0. */
  readonly since?: number;
  /** Last version that has the field; default: all later ones. */
  readonly until?: number;
  /** First version in which null may be written; also makes the value's type nullable. */
  readonly nullableSince?: number;
  /** Number in the tagged section. Such a field is written only when it is not the default. */
  readonly tag?: number;
  /** What absence means; unless given, the type's zero value (null for records). */
  readonly default?: T;
  /**
   * Writing a version that lacks the field drops its value; else a value other than the default is
   * an error. Tagged fields are always dropped.
   */
  readonly ignorable?: boolean;
  /** False: the field keeps the layout of old versions also in flexible ones. */
  readonly flexible?: boolean;
}

/** A field without its value's TypeScript type: what the codec sees. */
export interface FieldShape {
  readonly type: FieldType;
  readonly options: FieldOptions<unknown>;
}

declare const valueType: unique symbol;

/** A field whose value has exactly type T. */
export interface Field<T> extends FieldShape {
  readonly [valueType]?: (value: T) => T;
}

/** The table that interface T demands. */
export type FieldTable<T> = { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> };

/** A message without its value's TypeScript type. */
export interface MessageShape {
  /** For error messages: `ProduceRequest`. */
  readonly name: string;
  readonly versions: VersionRange;
  /** First version with compact lengths and tagged sections; undefined: none has them. */
  readonly flexibleSince?: number;
  readonly fields: Readonly<Record<string, FieldShape>>;
}

/** A message whose value has exactly type T. */
export interface MessageTable<T> extends MessageShape {
  readonly fields: FieldTable<T> & Readonly<Record<string, FieldShape>>;
  readonly [valueType]?: (value: T) => T;
}

/** Declares a message: `defineMessage<ProduceRequest>({ … })`. */
export function defineMessage<T>(description: {
  readonly name: string;
  readonly versions: VersionRange;
  readonly flexibleSince?: number;
  readonly fields: FieldTable<T>;
}): MessageTable<T> {
  // A FieldTable has FieldShapes under all its keys; the compiler cannot see that for an open T.
  return description as MessageTable<T>;
}

interface NullableOptions<T> extends FieldOptions<T | null> {
  readonly nullableSince: number;
}

interface FieldOf<T> {
  (options: NullableOptions<T>): Field<T | null>;
  (options?: FieldOptions<T>): Field<T>;
}

function primitive<T>(kind: PrimitiveKind): FieldOf<T> {
  const type: FieldType = { kind };
  return (options: FieldOptions<unknown> = {}) => ({ type, options });
}

export const bool: FieldOf<boolean> = primitive("bool");
export const int8: FieldOf<number> = primitive("int8");
export const int16: FieldOf<number> = primitive("int16");
export const uint16: FieldOf<number> = primitive("uint16");
export const int32: FieldOf<number> = primitive("int32");
export const uint32: FieldOf<number> = primitive("uint32");
/** A number below 2^53 in magnitude, or int64Max. */
export const int64: FieldOf<number> = primitive("int64");
export const float64: FieldOf<number> = primitive("float64");
/** Base64url text of 16 bytes, as Kafka prints it. */
export const uuid: FieldOf<string> = primitive("uuid");
export const string: FieldOf<string> = primitive("string");
/** Read as a view into the frame. */
export const bytes: FieldOf<Uint8Array> = primitive("bytes");
/** Record batches: read as a view into the frame, written without being copied. */
export const records: FieldOf<RecordsPayload> = primitive("records");

/** An array of the type of `element`, whose own options do not count: `arrayOf(int32())`. */
export function arrayOf<E>(
  element: Field<E>,
  options: NullableOptions<readonly E[]>,
): Field<readonly E[] | null>;
export function arrayOf<E>(
  element: Field<E>,
  options?: FieldOptions<readonly E[]>,
): Field<readonly E[]>;
export function arrayOf(element: FieldShape, options: FieldOptions<unknown> = {}): FieldShape {
  return { type: { kind: "array", element: element.type }, options };
}

/** One nested struct. */
export function struct<T>(fields: FieldTable<T>, options: NullableOptions<T>): Field<T | null>;
export function struct<T>(fields: FieldTable<T>, options?: FieldOptions<T>): Field<T>;
export function struct(
  fields: Readonly<Record<string, FieldShape>>,
  options: FieldOptions<unknown> = {},
): FieldShape {
  return { type: { kind: "struct", fields }, options };
}

/** An array of structs. */
export function structs<T>(
  fields: FieldTable<T>,
  options: NullableOptions<readonly T[]>,
): Field<readonly T[] | null>;
export function structs<T>(
  fields: FieldTable<T>,
  options?: FieldOptions<readonly T[]>,
): Field<readonly T[]>;
export function structs(
  fields: Readonly<Record<string, FieldShape>>,
  options: FieldOptions<unknown> = {},
): FieldShape {
  return { type: { kind: "array", element: { kind: "struct", fields } }, options };
}

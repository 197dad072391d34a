/**
 * The columns that rows become on their way out as Arrow, and the Arrow type of each. A DATE is
 * Date32, a TIME milliseconds in 32 bits, a timestamp milliseconds in 64.
 */
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Field,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  Schema,
  TimeMillisecond,
  TimestampMillisecond,
  Utf8,
} from "apache-arrow";

export type ArrowColumnType =
  | { readonly kind: "bool" }
  | { readonly kind: "int"; readonly bits: 8 | 16 | 32 | 64 }
  | { readonly kind: "float"; readonly bits: 32 | 64 }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number }
  | { readonly kind: "text" }
  /** In JSON, base64. */
  | { readonly kind: "binary" }
  | { readonly kind: "date" }
  | { readonly kind: "time" }
  | { readonly kind: "timestamp"; readonly isUtc: boolean }
  /** Text that is itself JSON: any value's source. */
  | { readonly kind: "json" };

export interface ArrowColumn {
  readonly name: string;
  readonly type: ArrowColumnType;
}

export function arrowSchema(columns: readonly ArrowColumn[]): Schema {
  return new Schema(columns.map(({ name, type }) => new Field(name, arrowType(type), true)));
}

export function arrowType(type: ArrowColumnType): DataType {
  switch (type.kind) {
    case "bool":
      return new Bool();
    case "int":
      return { 8: new Int8(), 16: new Int16(), 32: new Int32(), 64: new Int64() }[type.bits];
    case "float":
      return type.bits === 32 ? new Float32() : new Float64();
    case "decimal":
      return new Decimal(type.scale, type.precision, 128);
    case "text":
    case "json":
      return new Utf8();
    case "binary":
      return new Binary();
    case "date":
      return new DateDay();
    case "time":
      return new TimeMillisecond();
    case "timestamp":
      return new TimestampMillisecond(type.isUtc ? "UTC" : null);
  }
}

/** Columns as apache-arrow knows them. */
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
import type { ArrowColumn, ArrowColumnType } from "./arrow-column.ts";

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

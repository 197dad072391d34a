/**
 * The types of SQL values, Flink's names and meanings, and how each lies in memory. A value is one
 * of four kinds that SQLite knows, or a 128-bit integer, which SQLite sees as a BLOB of 16 bytes
 * whose byte order is the numbers' order (big-endian two's complement with the sign bit flipped).
 *
 * | type                          | kind    | value                                         |
 * |-------------------------------|---------|-----------------------------------------------|
 * | BOOLEAN                       | integer | 0, 1                                          |
 * | TINYINT … BIGINT              | integer | itself                                        |
 * | FLOAT, DOUBLE                 | real    | a FLOAT is rounded to 32 bits                 |
 * | DECIMAL(p, s), p ≤ 18         | integer | unscaled: 1.50 as DECIMAL(10, 2) is 150       |
 * | DECIMAL(p, s), p > 18         | wide    | unscaled                                      |
 * | CHAR, VARCHAR, STRING, JSON   | text    | UTF-8                                         |
 * | ROW                           | text    | the JSON text of the object                   |
 * | BYTES                         | blob    | itself                                        |
 * | DATE                          | integer | days since 1970-01-01                         |
 * | TIME(3)                       | integer | milliseconds since midnight                   |
 * | TIMESTAMP(3), TIMESTAMP_LTZ(3)| integer | milliseconds since 1970-01-01T00:00:00 (UTC)  |
 * | INTERVAL DAY TO SECOND        | integer | milliseconds                                  |
 * | INTERVAL YEAR TO MONTH        | integer | months                                        |
 */
export type DataType =
  | { readonly kind: "null" }
  | { readonly kind: "boolean" }
  | { readonly kind: "tinyint" }
  | { readonly kind: "smallint" }
  | { readonly kind: "int" }
  | { readonly kind: "bigint" }
  | { readonly kind: "float" }
  | { readonly kind: "double" }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number }
  /** `length` is null for STRING, which is VARCHAR(2147483647). */
  | { readonly kind: "char" | "varchar"; readonly length: number | null }
  | { readonly kind: "bytes" }
  | { readonly kind: "date" }
  | { readonly kind: "time" }
  | { readonly kind: "timestamp" }
  | { readonly kind: "timestampLtz" }
  | { readonly kind: "intervalDay" }
  | { readonly kind: "intervalYear" }
  | { readonly kind: "json" }
  | { readonly kind: "row"; readonly fields: readonly RowField[] };

export interface RowField {
  readonly name: string;
  readonly type: DataType;
}

/** How a value lies in memory: see the table above. */
export type ValueKind = "integer" | "real" | "text" | "blob" | "wide";

/** DECIMALs of more digits do not fit an int64. */
export const narrowDecimalDigitsMax = 18;

export function valueKindOf(type: DataType): ValueKind {
  switch (type.kind) {
    case "float":
    case "double":
      return "real";
    case "decimal":
      return type.precision <= narrowDecimalDigitsMax ? "integer" : "wide";
    case "char":
    case "varchar":
    case "json":
    case "row":
      return "text";
    case "bytes":
      return "blob";
    default:
      return "integer";
  }
}

/** What each SQL type is in Arrow, read from the JSON that rows are. */
import type { ArrowColumn, ArrowColumnType } from "../../arrow/arrow-column.ts";
import type { ResultColumn } from "../../pipeline/sql-result.ts";
import type { DataType } from "../../sql/types/data-type.ts";

export function arrowColumnOf({ name, type }: ResultColumn): ArrowColumn {
  return { name, type: arrowTypeOf(type) };
}

function arrowTypeOf(type: DataType): ArrowColumnType {
  switch (type.kind) {
    case "boolean":
      return { kind: "bool" };
    case "tinyint":
      return { kind: "int", bits: 8 };
    case "smallint":
      return { kind: "int", bits: 16 };
    case "int":
      return { kind: "int", bits: 32 };
    // Intervals are counts: of milliseconds, of months.
    case "bigint":
    case "intervalDay":
    case "intervalYear":
      return { kind: "int", bits: 64 };
    case "float":
      return { kind: "float", bits: 32 };
    case "double":
      return { kind: "float", bits: 64 };
    case "decimal":
      return { kind: "decimal", precision: type.precision, scale: type.scale };
    case "null":
    case "char":
    case "varchar":
      return { kind: "text" };
    case "bytes":
      return { kind: "binary" };
    case "date":
      return { kind: "date" };
    case "time":
      return { kind: "time" };
    case "timestamp":
      return { kind: "timestamp", isUtc: false };
    case "timestampLtz":
      return { kind: "timestamp", isUtc: true };
    case "json":
    case "row":
      return { kind: "json" };
  }
}

/** Which CASTs there are: Flink's matrix, for the types that we have. */
import type { DataType } from "./data-type.ts";
import { isCharacter, isNumeric, isSameType } from "./show-type.ts";

/** Null: the CAST exists; else why it does not, with what to write instead. */
export function castFault(from: DataType, to: DataType): string | null {
  if (from.kind === "row" && to.kind === "row") {
    return isSameType(from, to) ? null : "a CAST between ROW types is not supported yet";
  }
  if (from.kind === "null" || from.kind === to.kind) return null;
  if (isCharacter(to)) return null;
  if (isCharacter(from) && to.kind === "row") return "a CAST to ROW is not supported yet";
  if (isCharacter(from)) {
    return to.kind === "intervalDay" || to.kind === "intervalYear"
      ? "write the interval as a literal: INTERVAL '10' SECOND"
      : null;
  }
  if (isNumeric(from) && (to.kind === "timestamp" || to.kind === "timestampLtz")) {
    return "use TO_TIMESTAMP_LTZ(milliseconds, 3) or TO_TIMESTAMP(FROM_UNIXTIME(seconds))";
  }
  if ((from.kind === "timestamp" || from.kind === "timestampLtz") && isNumeric(to)) {
    return "use UNIX_TIMESTAMP(CAST(x AS STRING)), EXTRACT(EPOCH FROM x) or TIMESTAMPDIFF";
  }
  if (isNumeric(from) && isNumeric(to)) return null;
  const targets = others[from.kind] ?? [];
  if (targets.includes(to.kind)) return null;
  return "there is no such CAST; go by STRING if the text form is what you want";
}

const others: Readonly<Record<string, readonly string[]>> = {
  boolean: ["tinyint", "smallint", "int", "bigint", "float", "double", "decimal"],
  tinyint: ["boolean"],
  smallint: ["boolean"],
  int: ["boolean"],
  bigint: ["boolean"],
  float: ["boolean"],
  double: ["boolean"],
  decimal: ["boolean"],
  date: ["timestamp", "timestampLtz"],
  time: ["timestamp", "timestampLtz"],
  timestamp: ["date", "time", "timestampLtz"],
  timestampLtz: ["date", "time", "timestamp"],
  row: ["json"],
};

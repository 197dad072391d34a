/** What records hold, written plainly: the reference for the kernel that writes them. */
import type { EmitField } from "../../src/sql/sqlite/emitter.ts";
import type { DataType } from "../../src/sql/types/data-type.ts";
import type { CellValue } from "./sqlite.ts";

export function jsonObject(fields: readonly EmitField[], row: readonly CellValue[]): string {
  const members = fields.map(
    ({ name, type, column }) => `${JSON.stringify(name)}:${jsonValue(type, row[column] ?? null)}`,
  );
  return `{${members.join(",")}}`;
}

export function jsonValue(type: DataType, cell: CellValue): string {
  if (cell === null) return "null";
  if (cell instanceof Uint8Array) return `"${btoa(String.fromCharCode(...cell))}"`;
  if (typeof cell === "string") {
    return type.kind === "json" || type.kind === "row" ? cell : JSON.stringify(cell);
  }
  if (typeof cell === "number") {
    return Number.isFinite(cell) ? JSON.stringify(cell) : `"${cell}"`;
  }
  switch (type.kind) {
    case "boolean":
      return String(cell !== 0n);
    case "decimal":
      return decimalText(cell, type.scale);
    case "date":
      return `"${dayText(Number(cell) * 86_400_000)}"`;
    case "time": {
      const time = new Date(Number(cell)).toISOString().slice(11, 23);
      return `"${time.replace(/\.000$/, "")}"`;
    }
    case "timestamp":
      return `"${timestampText(Number(cell))}"`;
    case "timestampLtz":
      return `"${timestampText(Number(cell))}Z"`;
    default:
      return String(cell);
  }
}

function decimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? "-" : "";
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function dayText(ms: number): string {
  const [year = "", rest = ""] = splitYear(ms);
  return `${year}${rest.slice(0, 6)}`;
}

function timestampText(ms: number): string {
  const [year = "", rest = ""] = splitYear(ms);
  return `${year}${rest.slice(0, 6)} ${rest.slice(7, 19)}`;
}

/** Date writes years of six digits beyond 0 to 9999; ISO 8601 wants as many as are needed. */
function splitYear(ms: number): string[] {
  const text = new Date(ms).toISOString();
  const [, sign = "", digits = "", rest = ""] = /^([+-]?)(\d+)(-.*)$/.exec(text) ?? [];
  return [`${sign}${sign === "" ? digits : digits.replace(/^0{1,2}/, "")}`, rest];
}

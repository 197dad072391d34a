/** Values as SQLite literals that read back as exactly the same value. */
import type { SqlValue } from "../plan/scalar.ts";

const bigintMin = -(1n << 63n);
/** Up to so many digits, and powers of ten, SQLite's reading of a number is exact beyond doubt. */
const plainDigitsMax = 15;
const plainExponentMax = 22;

export function sqlLiteral(value: SqlValue): string {
  if (value === null) return "NULL";
  if (typeof value === "string") return sqlText(value);
  if (typeof value === "bigint") return integerText(value);
  if (typeof value === "number") return realText(value);
  return `X'${hexOf(value)}'`;
}

/** A text that has a NUL, which would end the statement, goes by its bytes. */
export function sqlText(value: string): string {
  if (!value.includes("\0")) return `'${value.replaceAll("'", "''")}'`;
  return `CAST(X'${hexOf(new TextEncoder().encode(value))}' AS TEXT)`;
}

function integerText(value: bigint): string {
  if (value >= 0n) return value.toString();
  // The number after a minus would be read first, and 2^63 alone is a DOUBLE to SQLite.
  return value === bigintMin ? `(${value + 1n} - 1)` : `(${value})`;
}

function realText(value: number): string {
  const [mantissa = "", exponent = "0"] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  if (Object.is(value, -0)) return "(-0.0)";
  const scale = Math.abs(Number(exponent) - digits.length + 1);
  if (digits.length <= plainDigitsMax && scale <= plainExponentMax) {
    const plain = value.toString();
    const marked = /[.e]/.test(plain) ? plain : `${plain}.0`;
    return value < 0 ? `(${marked})` : marked;
  }
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return `mr_real(${integerText(view.getBigInt64(0))})`;
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

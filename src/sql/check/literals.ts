/** Literals with Flink's types: 1 is an INT, 0.50 a DECIMAL(3, 2), 1E0 a DOUBLE, 'ab' a CHAR(2). */
import type { Scalar, SqlValue } from "../plan/scalar.ts";
import type { Literal, NumberLiteral } from "../syntax/ast.ts";
import type { DataType } from "../types/data-type.ts";
import { decimalValue, fitsPrecision, parseDecimal } from "../types/decimal.ts";
import { decimalPrecisionMax, decimalType } from "../types/decimal-type.ts";
import { integerMax } from "../types/show-type.ts";
import type { CheckContext } from "./context.ts";

export function literal(value: SqlValue, type: DataType): Scalar {
  return { kind: "literal", value, type };
}

export function bindLiteral(context: CheckContext, node: Literal): Scalar {
  switch (node.kind) {
    case "number":
      return bindNumber(context, node, false);
    case "string":
      return literal(node.value, { kind: "char", length: Math.max(1, [...node.value].length) });
    case "binaryString":
      return literal(
        Uint8Array.from(node.hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
        { kind: "bytes" },
      );
    case "boolean":
      return literal(node.value ? 1n : 0n, { kind: "boolean" });
    case "null":
      return literal(null, { kind: "null" });
    case "datetime":
      if (node.fractionDigits > 3 && node.type !== "date" && /\.\d{3}\d*[1-9]/.test(node.text)) {
        return context.refuse(node, "times are kept in milliseconds: three digits of the second");
      }
      return literal(BigInt(node.value), { kind: node.type });
    case "interval": {
      const isMonths = ["YEAR", "QUARTER", "MONTH"].includes(node.from);
      return literal(BigInt(node.value), { kind: isMonths ? "intervalYear" : "intervalDay" });
    }
  }
}

/** `isNegative`: the number behind a minus, which reaches one further. */
export function bindNumber(
  context: CheckContext,
  node: NumberLiteral,
  isNegative: boolean,
): Scalar {
  const { text } = node;
  if (/[eE]/.test(text)) {
    const value = Number(text);
    if (!Number.isFinite(value)) return context.fail(node, `${text} is out of range for DOUBLE`);
    return literal(isNegative ? -value : value, { kind: "double" });
  }
  const parsed = parseDecimal(text);
  if (parsed === null) return context.fail(node, `${text} is out of range`);
  const unscaled = isNegative ? -parsed.unscaled : parsed.unscaled;
  if (parsed.scale === 0 && !text.includes(".")) {
    const inReach = (max: bigint) => unscaled <= max && unscaled >= -max - 1n;
    if (inReach(integerMax.int)) return literal(unscaled, { kind: "int" });
    if (inReach(integerMax.bigint)) return literal(unscaled, { kind: "bigint" });
  }
  const digits = text.replace(/\D/g, "").replace(/^0+/, "").length;
  const precision = Math.max(digits, parsed.scale + (text.includes(".") ? 1 : 0), 1);
  if (precision > decimalPrecisionMax || !fitsPrecision(unscaled, precision)) {
    return context.fail(node, `${text} has more than ${decimalPrecisionMax} digits`);
  }
  return literal(decimalValue(unscaled, precision), decimalType(precision, parsed.scale));
}

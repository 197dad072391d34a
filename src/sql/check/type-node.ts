/** Types as they are written, to types. */
import type { TypeNode } from "../syntax/type-node.ts";
import type { DataType } from "../types/data-type.ts";
import { decimalPrecisionMax } from "../types/decimal-type.ts";
import type { CheckContext } from "./context.ts";

const lengthMax = 2_147_483_647;
/** Times are kept in milliseconds. */
const timePrecisionMax = 3;

export function dataTypeOf(context: CheckContext, node: TypeNode): DataType {
  switch (node.kind) {
    case "row":
      return {
        kind: "row",
        fields: node.fields.map(({ name, type }) => ({
          name: name.text,
          type: dataTypeOf(context, type),
        })),
      };
    case "interval":
      return ["YEAR", "QUARTER", "MONTH"].includes(node.from)
        ? { kind: "intervalYear" }
        : { kind: "intervalDay" };
    case "array":
    case "multiset":
    case "map":
      return context.refuse(node, `${node.kind.toUpperCase()} types are not supported yet`);
    case "scalar":
      return scalarType(context, node);
  }
}

type ScalarTypeNode = Extract<TypeNode, { readonly kind: "scalar" }>;

function scalarType(context: CheckContext, node: ScalarTypeNode): DataType {
  const [first, second] = node.parameters;
  switch (node.name) {
    case "BOOLEAN":
      return { kind: "boolean" };
    case "TINYINT":
      return { kind: "tinyint" };
    case "SMALLINT":
      return { kind: "smallint" };
    case "INT":
      return { kind: "int" };
    case "BIGINT":
      return { kind: "bigint" };
    case "FLOAT":
      return { kind: "float" };
    case "DOUBLE":
      return { kind: "double" };
    case "DECIMAL":
      return decimal(context, node, first ?? 10, second ?? 0);
    case "CHAR":
      return { kind: "char", length: length(context, node, first ?? 1) };
    case "VARCHAR":
      return { kind: "varchar", length: length(context, node, first ?? 1) };
    case "STRING":
      return { kind: "varchar", length: null };
    case "BINARY":
    case "VARBINARY":
      if (first === lengthMax) return { kind: "bytes" };
      return context.refuse(node, `${node.name} of a length is not supported yet: use BYTES`);
    case "BYTES":
      return { kind: "bytes" };
    case "DATE":
      return { kind: "date" };
    case "TIME":
      return withPrecision(context, node, first, { kind: "time" });
    case "TIMESTAMP":
      return withPrecision(context, node, first, { kind: "timestamp" });
    case "TIMESTAMP_LTZ":
      return withPrecision(context, node, first, { kind: "timestampLtz" });
    case "JSON":
      return { kind: "json" };
  }
}

function decimal(
  context: CheckContext,
  node: ScalarTypeNode,
  precision: number,
  scale: number,
): DataType {
  if (precision < 1 || precision > decimalPrecisionMax || scale > precision) {
    return context.fail(
      node,
      `DECIMAL(p, s) has 1 to ${decimalPrecisionMax} digits, at most p of them behind the point`,
    );
  }
  return { kind: "decimal", precision, scale };
}

function length(context: CheckContext, node: ScalarTypeNode, given: number): number | null {
  if (given === lengthMax) return null;
  if (given >= 1 && given < lengthMax) return given;
  return context.fail(node, `the length of ${node.name} is 1 to ${lengthMax}`);
}

/** Flink's default is 6 digits of the second; without digits ours is what we keep: 3. */
function withPrecision(
  context: CheckContext,
  node: ScalarTypeNode,
  precision: number | undefined,
  type: DataType,
): DataType {
  if (precision === undefined || precision <= timePrecisionMax) return type;
  return context.refuse(
    node,
    `${node.name}(${precision}) is not supported: times are kept in milliseconds, ${node.name}(3)`,
  );
}

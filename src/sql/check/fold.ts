/** CASTs of literals, computed when the statement is checked: a wrong one is an error there. */

import { castHosts } from "../functions/cast-host.ts";
import { RowError } from "../functions/row-error.ts";
import type { Scalar, SqlValue } from "../plan/scalar.ts";
import type { AstNode } from "../syntax/node.ts";
import type { DataType } from "../types/data-type.ts";
import { decimalShapeOf } from "../types/decimal-type.ts";
import { isCharacter, isIntegerKind } from "../types/show-type.ts";
import type { CheckContext } from "./context.ts";

type CastScalar = Extract<Scalar, { readonly kind: "cast" }>;

const hosts = new Map(castHosts.map((host) => [host.name, host]));

export function foldCast(context: CheckContext, node: AstNode, cast: CastScalar): Scalar {
  const { input, type } = cast;
  if (input.kind !== "literal") return cast;
  if (input.value === null) return { ...input, type };
  try {
    const value = convert(input.value, input.type, type, context.options.timeZone);
    return value === undefined ? cast : { kind: "literal", value, type };
  } catch (fault) {
    if (!(fault instanceof RowError)) throw fault;
    if (cast.isTry) return { kind: "literal", value: null, type };
    return context.fail(node, fault.message.charAt(0).toLowerCase() + fault.message.slice(1));
  }
}

function call(name: string, ...args: SqlValue[]): SqlValue {
  const host = hosts.get(name);
  if (host === undefined) throw new RangeError(`There is no conversion ${name}`);
  return host.call(args);
}

const bits = { tinyint: 8n, smallint: 16n, int: 32n, bigint: 64n };

/** The value of a type that a text stands for; undefined: CAST knows no way from here. */
export function valueOfText(text: string, type: DataType, timeZone: string): SqlValue | undefined {
  return isCharacter(type) ? text : convertText(text, type, timeZone);
}

/** Undefined: left to run time. */
function convert(
  value: NonNullable<SqlValue>,
  from: DataType,
  to: DataType,
  timeZone: string,
): SqlValue | undefined {
  if (isCharacter(from)) return convertText(value, to, timeZone);
  const shape = decimalShapeOf(from);
  if (shape === null) return undefined;
  const scale = BigInt(shape.scale);
  if (isIntegerKind(to.kind)) return call("mr_dec_int", value, scale, bits[to.kind]);
  if (to.kind === "decimal") {
    return call("mr_dec_cast", value, scale, BigInt(to.precision), BigInt(to.scale));
  }
  return to.kind === "double" ? call("mr_dec_real", value, scale) : undefined;
}

function convertText(
  value: NonNullable<SqlValue>,
  to: DataType,
  timeZone: string,
): SqlValue | undefined {
  switch (to.kind) {
    case "tinyint":
    case "smallint":
    case "int":
    case "bigint":
      return call("mr_text_int", value, bits[to.kind]);
    case "decimal":
      return call("mr_text_dec", value, BigInt(to.precision), BigInt(to.scale));
    case "double":
      return call("mr_text_real", value);
    case "boolean":
      return call("mr_text_boolean", value);
    case "date":
      return call("mr_text_date", value);
    case "time":
      return call("mr_text_time", value);
    case "timestamp":
      return call("mr_text_timestamp", value);
    case "timestampLtz":
      return call("mr_text_ltz", value, timeZone);
    default:
      return undefined;
  }
}

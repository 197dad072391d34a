/** What binding an expression needs, and the steps that all kinds of expressions share. */
import { functionByKey } from "../functions/catalog.ts";
import { BindFault, coerce } from "../functions/definition.ts";
import type { Scalar } from "../plan/scalar.ts";
import { scalarNullable } from "../plan/scalar-walk.ts";
import type { Call, Expression } from "../syntax/ast.ts";
import type { AstNode } from "../syntax/node.ts";
import { castFault } from "../types/cast-rules.ts";
import type { DataType } from "../types/data-type.ts";
import { showType } from "../types/show-type.ts";
import type { CheckContext } from "./context.ts";
import { foldCast } from "./fold.ts";
import type { Relation } from "./relation.ts";

/** Where an expression stands. */
export interface Binding {
  readonly context: CheckContext;
  readonly relation: Relation;
  /** Aggregates and ROW_NUMBER(); null where they make no sense, with what to say. */
  readonly onAggregate: ((call: Call) => Scalar) | null;
  readonly place: string;
  /** Binds an expression at the same place. */
  readonly bind: (node: Expression) => Scalar;
  /** Where each column was named, for complaints that come later. */
  readonly places: WeakMap<Scalar, AstNode>;
}

/** Calls `bind` and puts its complaint at the node, or at the argument that it blames. */
export function guarded(
  context: CheckContext,
  node: AstNode,
  args: readonly AstNode[],
  bind: () => Scalar,
): Scalar {
  try {
    return bind();
  } catch (cause) {
    if (!(cause instanceof BindFault)) throw cause;
    const at = cause.argument === null ? node : (args[cause.argument] ?? node);
    return context.fail(at, cause.message);
  }
}

export function bindKey(
  binding: Binding,
  node: AstNode,
  key: string,
  args: readonly Scalar[],
  nodes: readonly AstNode[] = [],
): Scalar {
  return guarded(binding.context, node, nodes, () => functionByKey(key).bind(args));
}

/** The coercion, computed here and now where the value is a literal. */
export function coerceTo(
  context: CheckContext,
  node: AstNode,
  scalar: Scalar,
  type: DataType,
): Scalar {
  const coerced = coerce(scalar, type);
  return coerced.kind === "cast" ? foldCast(context, node, coerced) : coerced;
}

export function makeCast(
  context: CheckContext,
  node: AstNode,
  input: Scalar,
  type: DataType,
  isTry: boolean,
): Scalar {
  const fault = castFault(input.type, type);
  if (fault !== null) {
    return context.fail(node, `cannot cast ${showType(input.type)} to ${showType(type)}: ${fault}`);
  }
  const nullable = isTry || scalarNullable(input);
  return foldCast(context, node, { kind: "cast", input, type, nullable, isTry });
}

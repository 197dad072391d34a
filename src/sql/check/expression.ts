/** Expressions to typed scalars: names resolved, coercions explicit, or an error at its place. */
import { coerce } from "../functions/definition.ts";
import { timeUnits } from "../functions/time-fields.ts";
import type { Scalar } from "../plan/scalar.ts";
import { scalarNullable } from "../plan/scalar-walk.ts";
import type {
  Between,
  Binary,
  BinaryOperator,
  Case,
  Cast,
  Expression,
  InList,
  IsTest,
  Like,
  Unary,
} from "../syntax/ast.ts";
import type { AstNode, Identifier } from "../syntax/node.ts";
import { commonTypeOf } from "../types/common-type.ts";
import {
  booleanType,
  isCharacter,
  isExact,
  isInterval,
  isTemporal,
  showType,
} from "../types/show-type.ts";
import { type Binding, bindKey, coerceTo, makeCast } from "./binding.ts";
import { bindCall, bindJson, bindTrim } from "./call.ts";
import type { CheckContext } from "./context.ts";
import { bindLiteral, bindNumber, literal } from "./literals.ts";
import type { Relation } from "./relation.ts";
import { fieldScalar, resolveName } from "./scope.ts";
import { dataTypeOf } from "./type-node.ts";
import { bindValueSubquery } from "./value-subquery.ts";

/** A binding for the expressions of one clause; `onAggregate` takes its aggregates, if any. */
export function bindingOf(
  context: CheckContext,
  relation: Relation,
  place: string,
  onAggregate: Binding["onAggregate"] = null,
): Binding {
  const binding: Binding = {
    context,
    relation,
    onAggregate,
    place,
    bind: (node) => bindExpression(binding, node),
    places: new WeakMap(),
  };
  return binding;
}

export function bindExpression(binding: Binding, node: Expression): Scalar {
  const { context } = binding;
  switch (node.kind) {
    case "number":
    case "string":
    case "binaryString":
    case "boolean":
    case "null":
    case "datetime":
    case "interval":
      return bindLiteral(context, node);
    case "name":
      return bindName(binding, node, node.parts);
    case "unary":
      return bindUnary(binding, node);
    case "binary":
      return bindBinary(binding, node);
    case "is":
      return bindTest(binding, node);
    case "between":
      return bindBetween(binding, node);
    case "inList":
      return bindIn(binding, node);
    case "like":
      return bindLike(binding, node);
    case "case":
      return bindCase(binding, node);
    case "cast":
      return bindCast(binding, node);
    case "call":
      return bindCall(binding, node);
    case "trim":
      return bindTrim(binding, node);
    case "row":
      return bindRow(binding, node.items);
    case "field":
      return accessField(binding, bindExpression(binding, node.operand), [node.field]);
    case "jsonPath":
    case "jsonObject":
    case "jsonArray":
      return bindJson(binding, node);
    case "unit":
      return context.fail(node, `${node.unit} is a unit of time, not a value`);
    case "inQuery":
    case "exists":
    case "subquery":
      return bindValueSubquery(binding, node);
    case "array":
    case "map":
    case "element":
      return context.refuse(node, "ARRAY and MAP values are not supported yet");
  }
}

/** A TIMESTAMP of whole seconds is cut to them here: every type of times keeps milliseconds. */
function bindCast(binding: Binding, node: Cast): Scalar {
  const { context } = binding;
  const { type } = node;
  const input = bindExpression(binding, node.operand);
  const cast = makeCast(context, node, input, dataTypeOf(context, type), node.isTry);
  const digits = type.kind === "scalar" && isTemporal(cast.type) ? type.parameters[0] : undefined;
  if (digits === undefined || digits === timeDigits) return cast;
  if (digits > 0) {
    return context.refuse(node, `a CAST to ${digits} digits of a second is not supported: 0 or 3`);
  }
  const second = literal(BigInt(timeUnits.indexOf("SECOND")), { kind: "int" });
  return bindKey(binding, node, "floorTo", [cast, second], [node.operand]);
}

/** Digits of the fraction of a second that times have. */
const timeDigits = 3;

/** An expression that must be TRUE or FALSE. */
export function bindCondition(binding: Binding, node: Expression): Scalar {
  const scalar = bindExpression(binding, node);
  if (scalar.type.kind === "boolean" || scalar.type.kind === "null") {
    return coerce(scalar, booleanType);
  }
  return binding.context.fail(
    node,
    `${binding.place} takes a BOOLEAN, not ${showType(scalar.type)}`,
  );
}

function bindName(binding: Binding, node: AstNode, parts: readonly Identifier[]): Scalar {
  const { context, relation, places } = binding;
  const { index, rest } = resolveName(context, relation.fields, node, parts);
  if (relation.fields[index]?.isRank === true && rest.length > 0) {
    return context.fail(node, "ROW_NUMBER() has no fields");
  }
  const column = fieldScalar(relation, index);
  places.set(column, node);
  return accessField(binding, column, rest);
}

function accessField(binding: Binding, row: Scalar, rest: readonly Identifier[]): Scalar {
  let value = row;
  for (const part of rest) {
    if (value.type.kind !== "row") {
      return binding.context.fail(part, `${showType(value.type)} has no field "${part.text}"`);
    }
    const { fields } = value.type;
    if (!fields.some(({ name }) => name === part.text)) {
      const known = fields.map(({ name }) => name);
      const problem = `the row has no field "${part.text}"`;
      return binding.context.failUnknown(part, problem, part.text, known);
    }
    const name = literal(part.text, { kind: "varchar", length: null });
    value = bindKey(binding, part, "field", [value, name]);
  }
  return value;
}

function bindUnary(binding: Binding, node: Unary): Scalar {
  const { context } = binding;
  if (node.operator === "NOT") {
    return bindKey(binding, node, "not", [bindExpression(binding, node.operand)], [node.operand]);
  }
  if (node.operator === "-" && node.operand.kind === "number") {
    return bindNumber(context, node.operand, true);
  }
  const value = bindExpression(binding, node.operand);
  if (node.operator === "+") return value;
  if (isInterval(value.type)) {
    return value.kind === "literal" && typeof value.value === "bigint"
      ? literal(-value.value, value.type)
      : bindKey(binding, node, "intervalNegate", [value]);
  }
  return bindKey(binding, node, "negate", [value], [node.operand]);
}

type Comparison = "=" | "<>" | "<" | "<=" | ">" | ">=";

const comparisonKeys: Readonly<Record<Comparison, string>> = {
  "=": "eq",
  "<>": "ne",
  "<": "lt",
  "<=": "le",
  ">": "gt",
  ">=": "ge",
};

function isComparisonOperator(operator: BinaryOperator): operator is Comparison {
  return Object.hasOwn(comparisonKeys, operator);
}

const otherKeys: Readonly<Record<Exclude<BinaryOperator, Comparison>, string>> = {
  OR: "or",
  AND: "and",
  "IS DISTINCT FROM": "isDistinctFrom",
  "IS NOT DISTINCT FROM": "isNotDistinctFrom",
  "+": "plus",
  "-": "minus",
  "*": "times",
  "/": "divide",
  "%": "modulo",
  "||": "concatenate",
};

function bindBinary(binding: Binding, node: Binary): Scalar {
  const { operator } = node;
  if (operator === "AND" || operator === "OR") return bindChain(binding, node, operator);
  const left = bindExpression(binding, node.left);
  const right = bindExpression(binding, node.right);
  const at: AstNode = { at: node.operatorAt };
  if (isComparisonOperator(operator)) {
    return compare(binding, at, comparisonKeys[operator], left, right);
  }
  if (operator.startsWith("IS")) return compare(binding, at, otherKeys[operator], left, right);
  if (["+", "-", "*"].includes(operator)) {
    const timed = bindTimeArithmetic(binding, at, operator, left, right);
    if (timed !== null) return timed;
  }
  return bindKey(binding, at, otherKeys[operator], [left, right], [node.left, node.right]);
}

/** A long chain of ANDs is one call, so that it nests no deeper than it was written. */
function bindChain(binding: Binding, node: Binary, operator: "AND" | "OR"): Scalar {
  const operands: Expression[] = [];
  let rest: Expression = node;
  while (rest.kind === "binary" && rest.operator === operator) {
    operands.push(rest.right);
    rest = rest.left;
  }
  operands.push(rest);
  operands.reverse();
  const args = operands.map((operand) => bindExpression(binding, operand));
  return bindKey(binding, { at: node.operatorAt }, otherKeys[operator], args, operands);
}

/** A string literal that meets a time is read as one, at its place if it is none. */
export function compare(
  binding: Binding,
  at: AstNode,
  key: string,
  left: Scalar,
  right: Scalar,
): Scalar {
  const { context } = binding;
  const meeting = (literalSide: Scalar, other: Scalar): Scalar => {
    if (literalSide.kind !== "literal" || other.kind === "literal") return literalSide;
    if (isCharacter(literalSide.type) && isTemporal(other.type)) {
      return makeCast(context, at, literalSide, other.type, false);
    }
    if (!isExact(other.type)) return literalSide;
    // A number that the other side's type holds is compared in that type, without a CAST per row.
    const same = coerce(literalSide, other.type);
    return same.kind === "literal" ? same : literalSide;
  };
  return bindKey(binding, at, key, [meeting(left, right), meeting(right, left)]);
}

function bindTimeArithmetic(
  binding: Binding,
  at: AstNode,
  operator: string,
  left: Scalar,
  right: Scalar,
): Scalar | null {
  const leftIsInterval = isInterval(left.type);
  const rightIsInterval = isInterval(right.type);
  if (operator === "*") {
    if (leftIsInterval === rightIsInterval) return null;
    const count = leftIsInterval ? right : left;
    if (!["tinyint", "smallint", "int", "bigint"].includes(count.type.kind)) {
      return binding.context.fail(at, `an INTERVAL times ${showType(count.type)} is not known`);
    }
    return bindKey(binding, at, "intervalTimes", [left, right]);
  }
  if (leftIsInterval && rightIsInterval && left.type.kind === right.type.kind) {
    const key = operator === "+" ? "intervalPlus" : "intervalMinus";
    return bindKey(binding, at, key, [left, right]);
  }
  if (rightIsInterval) {
    return bindKey(binding, at, operator === "+" ? "timePlus" : "timeMinus", [left, right]);
  }
  if (leftIsInterval && operator === "+") return bindKey(binding, at, "timePlus", [right, left]);
  if (isTemporal(left.type) && isTemporal(right.type)) {
    return binding.context.fail(at, "times cannot be subtracted: use TIMESTAMPDIFF(unit, a, b)");
  }
  return null;
}

function bindTest(binding: Binding, node: IsTest): Scalar {
  const value = bindExpression(binding, node.operand);
  const suffix = node.isNegated ? "Not" : "";
  switch (node.test) {
    case "NULL":
    case "UNKNOWN":
      return bindKey(binding, node, `is${suffix}Null`, [value]);
    case "TRUE":
      return bindKey(binding, node, `is${suffix}True`, [value], [node.operand]);
    case "FALSE":
      return bindKey(binding, node, `is${suffix}False`, [value], [node.operand]);
    default: {
      const wanted = node.test.replace("JSON", "").trim();
      const kind = literal(wanted, { kind: "varchar", length: null });
      const test = bindKey(binding, node, "is_json", [value, kind], [node.operand]);
      return negatedIf(binding, node, test, node.isNegated);
    }
  }
}

function negatedIf(binding: Binding, node: AstNode, scalar: Scalar, isNegated: boolean): Scalar {
  return isNegated ? bindKey(binding, node, "not", [scalar]) : scalar;
}

function bindBetween(binding: Binding, node: Between): Scalar {
  const value = bindExpression(binding, node.operand);
  const low = bindExpression(binding, node.low);
  const high = bindExpression(binding, node.high);
  const within = (from: Scalar, to: Scalar): Scalar =>
    bindKey(binding, node, "and", [
      compare(binding, node.low, "ge", value, from),
      compare(binding, node.high, "le", value, to),
    ]);
  const straight = within(low, high);
  const range = node.isSymmetric
    ? bindKey(binding, node, "or", [straight, within(high, low)])
    : straight;
  return negatedIf(binding, node, range, node.isNegated);
}

function bindIn(binding: Binding, node: InList): Scalar {
  const value = bindExpression(binding, node.operand);
  const items = node.items.map((item) => {
    const bound = bindExpression(binding, item);
    const isTime = bound.kind === "literal" && isCharacter(bound.type) && isTemporal(value.type);
    return isTime ? makeCast(binding.context, item, bound, value.type, false) : bound;
  });
  const nodes = [node.operand, ...node.items];
  const test = bindKey(binding, node, "in", [value, ...items], nodes);
  return negatedIf(binding, node, test, node.isNegated);
}

function bindLike(binding: Binding, node: Like): Scalar {
  const nodes = [node.operand, node.pattern, ...(node.escape === null ? [] : [node.escape])];
  const args = nodes.map((each) => bindExpression(binding, each));
  const key = node.operator === "LIKE" ? "like" : "similar";
  return negatedIf(binding, node, bindKey(binding, node, key, args, nodes), node.isNegated);
}

function bindCase(binding: Binding, node: Case): Scalar {
  const { context } = binding;
  const operand = node.operand === null ? null : bindExpression(binding, node.operand);
  const branches = node.branches.map(({ when, result }) => {
    const condition =
      operand === null
        ? bindCondition({ ...binding, place: "WHEN" }, when)
        : compare(binding, when, "eq", operand, bindExpression(binding, when));
    return { when: condition, result: bindExpression(binding, result) };
  });
  const otherwise =
    node.otherwise === null
      ? literal(null, { kind: "null" })
      : bindExpression(binding, node.otherwise);
  const results = [...branches.map(({ result }) => result), otherwise];
  const type = commonTypeOf(results.map((each) => each.type));
  if (type === null) {
    const shown = [...new Set(results.map((each) => showType(each.type)))].join(", ");
    return context.fail(node, `the branches of CASE have no common type: ${shown}`);
  }
  return {
    kind: "case",
    branches: branches.map(({ when, result }) => ({
      when,
      result: coerceTo(context, node, result, type),
    })),
    otherwise: coerceTo(context, node, otherwise, type),
    type,
    nullable: results.some(scalarNullable),
  };
}

function bindRow(binding: Binding, items: readonly Expression[]): Scalar {
  const args = items.flatMap((item, index) => [
    literal(`EXPR$${index}`, { kind: "varchar", length: null }),
    bindExpression(binding, item),
  ]);
  const at: AstNode = items[0] ?? { at: { start: 0, end: 0 } };
  return bindKey(binding, at, "row", args);
}

/** One SELECT: its tables, conditions, groups and items, to an operator tree. */
import { columnOf, filterNode, makeCalc } from "../plan/calc.ts";
import type { PlanColumn, PlanNode, ValuesNode } from "../plan/plan.ts";
import type { Scalar } from "../plan/scalar.ts";
import {
  conjunctsOf,
  mapScalar,
  moveColumns,
  scalarKey,
  scalarNullable,
} from "../plan/scalar-walk.ts";
import type {
  Call,
  Expression,
  Query,
  QueryBody,
  Select,
  SelectItem,
  SortItem,
  TableReference,
} from "../syntax/ast.ts";
import type { AstNode } from "../syntax/node.ts";
import { SqlError } from "../syntax/sql-error.ts";
import { AggregateCollector } from "./aggregate.ts";
import type { Binding } from "./binding.ts";
import type { CheckContext } from "./context.ts";
import { bindCondition, bindExpression, bindingOf } from "./expression.ts";
import { groupRows } from "./group.ts";
import { type FromTree, joinedRelation, planFrom, sideOf } from "./join.ts";
import { rankRows, takeRankBounds } from "./rank.ts";
import type { Field, Relation } from "./relation.ts";
import { fieldScalar, plainField } from "./scope.ts";
import {
  type BoundSubquery,
  correlatedScope,
  joinSubquery,
  type SubqueryTest,
  splitWhere,
} from "./subquery.ts";
import { standsAlone } from "./value-subquery.ts";

/** What a SELECT needs of the queries in it. */
export interface QueryBinder {
  readonly bindTable: (context: CheckContext, node: TableReference) => Relation;
  /** Without hidden columns. */
  readonly bindQuery: (context: CheckContext, query: Query) => Relation;
  /** The context with the tables of the query's WITH. */
  readonly withTables: (context: CheckContext, query: Query) => CheckContext;
}

/** An item of the SELECT list with what it is called. */
interface BoundItem {
  readonly scalar: Scalar;
  readonly field: Field;
  readonly node: AstNode;
}

/** `orderBy` of the query may name what the result does not show: it comes along unseen. */
export function bindSelect(
  context: CheckContext,
  select: Select,
  binder: QueryBinder,
  orderBy: readonly SortItem[] = [],
): Relation {
  const input = bindInput(context, select, binder);
  const ranked = withRank(context, select, input);
  const projected = project(context, select, ranked, select.isDistinct ? [] : orderBy);
  return select.isDistinct ? distinct(context, select, projected) : projected;
}

function bindInput(context: CheckContext, select: Select, binder: QueryBinder): Relation {
  if (select.from === null) {
    if (select.where !== null) return context.fail(select.where, "WHERE needs a FROM");
    return noTable();
  }
  const tree = bindFrom(context, select.from, binder);
  const { relation } = tree;
  const isValue = (query: Query) => standsAlone(context, query, relation);
  const { plain, tests } = splitWhere(select.where, isValue);
  const where = plain.flatMap((each) =>
    conjunctsOf(bindCondition(bindingOf(context, relation, "WHERE"), each)),
  );
  const input = planFrom(context, tree, takeRankBounds(context, relation, where));
  return withTests(context, input, tests, binder);
}

/** The rows that pass all tests of WHERE that ask subqueries. */
function withTests(
  context: CheckContext,
  input: Relation,
  tests: readonly SubqueryTest[],
  binder: QueryBinder,
): Relation {
  return tests.reduce((outer, test) => {
    const bound = bindSubquery(context, test.node.query, outer, binder);
    return joinSubquery(context, outer, test, bound);
  }, input);
}

function bindSubquery(
  context: CheckContext,
  query: Query,
  outer: Relation,
  binder: QueryBinder,
): BoundSubquery {
  const clause = query.orderBy[0] ?? query.limit ?? query.offset;
  if (clause !== null) {
    return context.refuse(
      clause,
      "ORDER BY and LIMIT of a subquery in WHERE are not supported yet",
    );
  }
  const plain = bindPlain(binder.withTables(context, query), query.body, outer, binder);
  if (plain !== null) return plain;
  // What groups or unites its rows cannot ask for columns outside.
  const relation = binder.bindQuery(context, query);
  const width = outer.node.columns.length;
  const scope = correlatedScope(outer, relation);
  const items = relation.fields.map((_, index) => fieldScalar(scope, width + index));
  return { relation, conditions: [], items };
}

/** A SELECT that neither groups nor ranks, whose expressions see the columns outside; else null. */
function bindPlain(
  context: CheckContext,
  select: QueryBody,
  outer: Relation,
  binder: QueryBinder,
): BoundSubquery | null {
  if (select.kind !== "select" || select.from === null) return null;
  if (select.groupBy !== null || select.having !== null) return null;
  const ranks = (item: SelectItem) => item.kind === "expression" && rankCalls(item.expression)[0];
  if (select.items.some(ranks)) return null;
  const tree = bindFrom(context, select.from, binder);
  const scope = correlatedScope(outer, tree.relation);
  const collector = new AggregateCollector(bindingOf(context, scope, "this place"));
  const open = bindingOf(context, scope, "SELECT", (call) => collector.add(call));
  const items = select.items.flatMap((item, index) => bindItem(open, item, index));
  if (!collector.isEmpty) return null;
  const width = outer.node.columns.length;
  const isValue = (query: Query) => standsAlone(context, query, scope);
  const { plain, tests } = splitWhere(select.where, isValue);
  const where = plain.flatMap((each) =>
    conjunctsOf(bindCondition(bindingOf(context, scope, "WHERE"), each)),
  );
  const isOwn = (each: Scalar) => sideOf(each, width) === "right";
  const own = where.filter(isOwn).map((each) => moveColumns(each, (index) => index - width));
  const input = planFrom(context, tree, takeRankBounds(context, tree.relation, own));
  return {
    relation: withTests(context, input, tests, binder),
    conditions: where.filter((each) => !isOwn(each)),
    items: items.map(({ scalar }) => scalar),
  };
}

/** SELECT without FROM is over one row without columns. */
function noTable(): Relation {
  const node: ValuesNode = {
    kind: "values",
    rows: [[]],
    columns: [],
    changes: "append",
    key: null,
  };
  return { node, fields: [] };
}

function bindFrom(context: CheckContext, node: TableReference, binder: QueryBinder): FromTree {
  if (node.kind !== "join") return { kind: "leaf", relation: binder.bindTable(context, node) };
  if (node.isNatural) return context.refuse(node, "NATURAL JOIN is not supported: write ON");
  if (node.using.length > 0) return context.refuse(node, "USING is not supported yet: write ON");
  const left = bindFrom(context, node.left, binder);
  const right = bindFrom(context, node.right, binder);
  const relation = joinedRelation(left.relation, right.relation, node.joinType);
  // ON sees both sides as they are: the NULLs of an outer join come after it.
  const inner = joinedRelation(left.relation, right.relation, "inner");
  const on =
    node.on === null ? [] : conjunctsOf(bindCondition(bindingOf(context, inner, "ON"), node.on));
  return { kind: "join", node, left, right, relation, on };
}

/** Puts ROW_NUMBER() below the SELECT, where an item is one. */
function withRank(context: CheckContext, select: Select, input: Relation): Relation {
  const calls = select.items.flatMap((item) =>
    item.kind === "expression" ? rankCalls(item.expression) : [],
  );
  const [first, second] = calls;
  if (first === undefined) return input;
  if (second !== undefined)
    return context.refuse(second, "one ROW_NUMBER() per SELECT is supported");
  if (select.groupBy !== null) {
    return context.refuse(first, "ROW_NUMBER() beside GROUP BY is not supported: use a subquery");
  }
  return rankRows(context, select, input, first);
}

function rankCalls(node: Expression): readonly Call[] {
  const isRank = node.kind === "call" && node.name.text.toUpperCase() === "ROW_NUMBER";
  return isRank ? [node] : [];
}

function project(
  context: CheckContext,
  select: Select,
  input: Relation,
  orderBy: readonly SortItem[],
): Relation {
  const binding = bindingOf(context, input, "this place");
  const collector = new AggregateCollector(binding);
  const rankColumn = input.fields.findIndex(({ isRank }) => isRank);
  const onAggregate = (call: Call): Scalar => {
    const isOwnRank = call.name.text.toUpperCase() === "ROW_NUMBER" && rankColumn >= 0;
    return isOwnRank ? fieldScalar(input, rankColumn) : collector.add(call);
  };
  const open: Binding = bindingOf(context, input, "SELECT", onAggregate);
  const shown = select.items.flatMap((item, index) => bindItem(open, item, index));
  const items = [...shown, ...unseenSorts(open, shown, orderBy)];
  const having =
    select.having === null
      ? null
      : bindCondition(bindingOf(context, input, "HAVING", onAggregate), select.having);
  if (collector.isEmpty && select.groupBy === null && having === null) {
    return projectPlain(input, items);
  }
  const keys = groupKeys(context, select, input);
  const grouped = groupRows(context, select, { input, keys, accumulators: collector.drafts() });
  const rebase = (item: AstNode, scalar: Scalar): Scalar =>
    overGroups(context, item, scalar, { input, keys, grouped, collector, binding: open });
  const rebased = items.map((item) => {
    const scalar = rebase(item.node, item.scalar);
    const place = grouped.keyColumns.indexOf(scalar.kind === "column" ? scalar.index : -1);
    const role = place < 0 ? null : (grouped.keyFields[place]?.role ?? null);
    return { ...item, scalar, field: { ...item.field, role, isRank: false } };
  });
  const filter = having === null ? null : rebase(select.having ?? select, having);
  const base = filter === null ? grouped.node : filterNode(grouped.node, filter);
  return calcOf(base, rebased);
}

/** The name of a column that the query is sorted by and does not show. */
export function sortName(index: number): string {
  return `$sort${index}`;
}

function unseenSorts(
  open: Binding,
  shown: readonly BoundItem[],
  orderBy: readonly SortItem[],
): readonly BoundItem[] {
  return orderBy.flatMap(({ expression }, index) => {
    if (expression.kind === "number") return [];
    const isName = expression.kind === "name" && expression.parts.length === 1;
    if (isName && shown.some(({ field }) => field.name === expression.parts[0]?.text)) return [];
    try {
      const scalar = bindExpression(open, expression);
      const field = { ...plainField(null, sortName(index)), isHidden: true };
      return [{ scalar, field, node: expression }];
    } catch (error) {
      // It may be over names that the result gives: if not, it is complained of there.
      if (error instanceof SqlError && !isName) return [];
      throw error;
    }
  });
}

interface GroupScope {
  readonly input: Relation;
  readonly keys: readonly Scalar[];
  readonly grouped: ReturnType<typeof groupRows>;
  readonly collector: AggregateCollector;
  readonly binding: Binding;
}

/** A scalar over the input as one over the groups: keys and aggregates are what there is. */
function overGroups(
  context: CheckContext,
  item: AstNode,
  scalar: Scalar,
  { input, keys, grouped, collector, binding }: GroupScope,
): Scalar {
  const places = new Map(keys.map((key, index) => [scalarKey(key), index]));
  return mapScalar(scalar, (each) => {
    const key = places.get(scalarKey(each));
    if (key !== undefined) return columnOf(grouped.node, grouped.keyColumns[key] ?? 0);
    if (each.kind !== "column") return null;
    const aggregate = collector.resolve(each.index, grouped.firstAccumulator);
    if (aggregate !== null) return aggregate;
    const name = input.fields[each.index]?.name ?? "?";
    return context.fail(
      binding.places.get(each) ?? item,
      `column "${name}" must be in GROUP BY or inside an aggregate`,
    );
  });
}

function groupKeys(context: CheckContext, select: Select, input: Relation): readonly Scalar[] {
  const binding = bindingOf(context, input, "GROUP BY");
  const keys = (select.groupBy ?? []).flatMap((item) => {
    if (item.kind === "expression") return [groupKey(context, binding, item.expression)];
    if (item.kind === "set")
      return item.expressions.map((each) => groupKey(context, binding, each));
    const name = item.kind === "groupingSets" ? "GROUPING SETS" : item.kind.toUpperCase();
    return context.refuse(item, `${name} is not supported yet`);
  });
  // A key that is named twice is one key: each is found by what it computes.
  return [...new Map(keys.map((key) => [scalarKey(key), key])).values()];
}

function groupKey(context: CheckContext, binding: Binding, node: Expression): Scalar {
  const key = bindExpression(binding, node);
  if (key.kind === "literal") {
    return context.fail(
      node,
      "GROUP BY takes expressions over columns, not a constant or a position",
    );
  }
  return key;
}

function bindItem(binding: Binding, item: SelectItem, index: number): readonly BoundItem[] {
  const { context, relation } = binding;
  if (item.kind === "star") return expandStar(context, relation, item);
  const scalar = bindExpression(binding, item.expression);
  const origin = scalar.kind === "column" ? relation.fields[scalar.index] : undefined;
  const name = item.alias?.text ?? nameOf(item.expression) ?? `EXPR$${index}`;
  const field: Field = {
    ...plainField(null, name),
    role: origin?.role ?? null,
    isRank: origin?.isRank ?? false,
    ...(origin?.isPast && { isPast: true }),
  };
  return [{ scalar, field, node: item.expression }];
}

function nameOf(node: Expression): string | null {
  if (node.kind === "name") return node.parts.at(-1)?.text ?? null;
  return node.kind === "field" ? node.field.text : null;
}

function expandStar(
  context: CheckContext,
  relation: Relation,
  item: Extract<SelectItem, { readonly kind: "star" }>,
): readonly BoundItem[] {
  const [table, second] = item.of?.parts ?? [];
  if (second !== undefined) return context.refuse(item, "the * of a ROW is not supported yet");
  const places = relation.fields.flatMap((field, index) =>
    field.isHidden || field.isOuter || (table !== undefined && field.table !== table.text)
      ? []
      : [index],
  );
  if (table !== undefined && places.length === 0) {
    const known = relation.fields.flatMap((field) => (field.table === null ? [] : [field.table]));
    return context.failUnknown(table, `there is no table "${table.text}"`, table.text, known);
  }
  if (places.length === 0) return context.fail(item, "there are no columns for *");
  return places.flatMap((index) => {
    const field = relation.fields[index];
    // The rank that this SELECT itself asks for is an item of its own.
    if (field === undefined || field.name === "$rank") return [];
    return [{ scalar: fieldScalar(relation, index), field: { ...field, table: null }, node: item }];
  });
}

/** A row's PROCTIME() goes along unseen, so that a query around can still ask for it. */
function projectPlain(input: Relation, items: readonly BoundItem[]): Relation {
  const hidden = input.fields.findIndex(({ isHidden, name }) => isHidden && name === "$proctime");
  const kept = hidden < 0 ? [] : [hiddenItem(input, hidden)];
  return calcOf(input.node, [...items, ...kept]);
}

function hiddenItem(input: Relation, index: number): BoundItem {
  const field = { ...plainField(null, "$proctime"), isHidden: true };
  return { scalar: fieldScalar(input, index), field, node: { at: { start: 0, end: 0 } } };
}

function calcOf(input: PlanNode, items: readonly BoundItem[]): Relation {
  const columns = items.map(({ scalar, field }): PlanColumn => {
    const from = scalar.kind === "column" ? input.columns[scalar.index] : undefined;
    return {
      name: field.name,
      type: scalar.type,
      nullable: from?.nullable ?? scalarNullable(scalar),
      time: from?.time ?? null,
    };
  });
  const projections = items.map(({ scalar }) => scalar);
  const node = makeCalc({ input, filter: null, projections, columns });
  return { node, fields: items.map(({ field }) => field) };
}

/** Groups by all columns, without accumulators. */
function distinct(context: CheckContext, select: Select, relation: Relation): Relation {
  const visible = relation.fields.flatMap(({ isHidden }, index) => (isHidden ? [] : [index]));
  const keys = visible.map((index) => fieldScalar(relation, index));
  const grouped = groupRows(context, select, { input: relation, keys, accumulators: [] });
  const items = visible.map((index, place): BoundItem => {
    const field = relation.fields[index] ?? plainField(null, "?");
    const role = grouped.keyFields[place]?.role ?? null;
    return {
      scalar: columnOf(grouped.node, grouped.keyColumns[place] ?? 0),
      field: { ...field, role, isRank: false },
      node: select,
    };
  });
  return calcOf(grouped.node, items);
}

/** Queries: WITH, UNION ALL, VALUES, ORDER BY, and the tables that FROM names. */

import { columnOf, makeCalc } from "../plan/calc.ts";
import type {
  PlanColumn,
  PlanNode,
  SortKey,
  SortNode,
  UnionNode,
  ValuesNode,
} from "../plan/plan.ts";
import type { Scalar } from "../plan/scalar.ts";
import { scalarNullable } from "../plan/scalar-walk.ts";
import type {
  Query,
  QueryBody,
  SetOperation,
  TableAlias,
  TableArgument,
  TableReference,
  Values,
} from "../syntax/ast.ts";
import { counted } from "../syntax/complaint.ts";
import type { AstNode, NamePath } from "../syntax/node.ts";
import { commonTypeOf } from "../types/common-type.ts";
import { showType } from "../types/show-type.ts";
import { coerceTo } from "./binding.ts";
import type { ViewEntry } from "./catalog.ts";
import type { CheckContext } from "./context.ts";
import { bindExpression, bindingOf } from "./expression.ts";
import type { Field, Relation } from "./relation.ts";
import { plainField, renamed } from "./scope.ts";
import { bindSelect, type QueryBinder, sortName } from "./select.ts";
import { sourceRelation } from "./source.ts";
import { withColumns } from "./subquery.ts";
import { bindWindowFunction } from "./window-function.ts";

const binder: QueryBinder = {
  bindTable,
  bindQuery: (context, query) => withoutHidden(bindQuery(context, query)),
  withTables: withCommonTables,
};

export function bindQuery(outer: CheckContext, query: Query): Relation {
  const context = withCommonTables(outer, query);
  const { body, orderBy } = query;
  const relation =
    body.kind === "select" && context.options.isBounded
      ? bindSelect(context, body, binder, orderBy)
      : bindBody(context, body);
  return sorted(context, query, relation);
}

/** A WITH is planned anew wherever it is named: each place prunes it for itself. */
function withCommonTables(outer: CheckContext, query: Query): CheckContext {
  let context = outer;
  for (const { name, columns, query: body } of query.with) {
    const inner = context;
    const bind = (): Relation => named(inner, bindQuery(inner, body), name.text, columns, name);
    // Named or not, its own mistakes are found.
    bind();
    context = context.withTables(new Map([...context.commonTables, [name.text, bind]]));
  }
  return context;
}

function named(
  context: CheckContext,
  relation: Relation,
  table: string,
  columns: readonly { readonly text: string }[],
  at: AstNode,
): Relation {
  const width = relation.fields.filter(({ isHidden }) => !isHidden).length;
  if (columns.length > 0 && columns.length !== width) {
    return context.fail(at, `"${table}" names ${counted(columns.length, "column")} of ${width}`);
  }
  return renamed(
    relation,
    table,
    columns.map(({ text }) => text),
  );
}

function bindBody(context: CheckContext, body: QueryBody): Relation {
  switch (body.kind) {
    case "select":
      return bindSelect(context, body, binder);
    case "values":
      return bindValues(context, body);
    case "nested":
      return bindQuery(context, body.query);
    case "setOperation":
      return bindUnion(context, body);
  }
}

function sorted(context: CheckContext, query: Query, relation: Relation): Relation {
  const { orderBy, limit, offset } = query;
  const clause = orderBy[0] ?? limit ?? offset;
  if (clause === null || clause === undefined) return relation;
  if (!context.options.isBounded) {
    const problem = "ORDER BY and LIMIT need a query that ends: a continuous one has no last row";
    return context.refuse(clause, problem);
  }
  const binding = bindingOf(context, relation, "ORDER BY");
  const added: Scalar[] = [];
  const keys = orderBy.map((item, index): SortKey => {
    const nullsFirst = item.nulls === null ? !item.isDescending : item.nulls === "first";
    const { expression } = item;
    const isPosition = expression.kind === "number" && /^\d+$/.test(expression.text);
    if (isPosition) {
      const column = Number(expression.text) - 1;
      if (relation.node.columns[column] === undefined) {
        return context.fail(expression, `there is no column ${expression.text}`);
      }
      return { column, descending: item.isDescending, nullsFirst };
    }
    const unseen = relation.fields.findIndex(({ name }) => name === sortName(index));
    const place = { descending: item.isDescending, nullsFirst };
    if (unseen >= 0) return { column: unseen, ...place };
    const scalar = bindExpression(binding, expression);
    if (scalar.kind === "column") return { column: scalar.index, ...place };
    return { column: relation.node.columns.length + added.push(scalar) - 1, ...place };
  });
  const sortedBy = added.length === 0 ? relation : withColumns(relation, added);
  const { columns, changes, key } = sortedBy.node;
  const node: SortNode = {
    ...{ kind: "sort", input: sortedBy.node, orderBy: keys, columns, changes, key },
    limit: limit?.value ?? null,
    skip: offset?.value ?? 0,
  };
  return { ...sortedBy, node };
}

function bindValues(context: CheckContext, values: Values): Relation {
  const empty: ValuesNode = { kind: "values", rows: [], columns: [], changes: "append", key: null };
  const binding = bindingOf(context, { node: empty, fields: [] }, "VALUES");
  const rows = values.rows.map((row) => row.map((each) => bindExpression(binding, each)));
  const width = rows[0]?.length ?? 0;
  const odd = values.rows.findIndex((row) => row.length !== width);
  const oddItem = values.rows[odd]?.[0];
  if (oddItem !== undefined) {
    return context.fail(oddItem, `this row of VALUES has not ${width} values like the first`);
  }
  const columns = Array.from({ length: width }, (_, index): PlanColumn => {
    const cells = rows.flatMap((row) => row[index] ?? []);
    const type = commonTypeOf(cells.map((cell) => cell.type));
    if (type === null) {
      const at = values.rows[0]?.[index] ?? values;
      return context.fail(at, `column ${index + 1} of VALUES has values of different types`);
    }
    return { name: `EXPR$${index}`, type, nullable: cells.some(scalarNullable), time: null };
  });
  const coerced = rows.map((row, r) =>
    row.map((cell, index) => {
      const at = values.rows[r]?.[index] ?? values;
      return coerceTo(context, at, cell, columns[index]?.type ?? cell.type);
    }),
  );
  return {
    node: { ...empty, rows: coerced, columns },
    fields: columns.map(({ name }) => plainField(null, name)),
  };
}

function bindUnion(context: CheckContext, node: SetOperation): Relation {
  const name = `${node.operator.toUpperCase()}${node.isAll ? " ALL" : ""}`;
  if (node.operator !== "union" || !node.isAll) {
    return context.refuse(node.right, `${name} is not supported yet: UNION ALL is`);
  }
  const bodies = unionBodies(node);
  const relations = bodies.map((body) => withoutHidden(bindBody(context, body)));
  const [first] = relations;
  if (first === undefined) return context.fail(node, "expected a query");
  const columns = first.node.columns.map((column, index): PlanColumn => {
    const all = relations.map((each) => each.node.columns[index]);
    const type = commonTypeOf(all.flatMap((each) => (each === undefined ? [] : [each.type])));
    const missing = all.indexOf(undefined);
    if (missing >= 0) return context.fail(bodies[missing] ?? node, `${name} of unequal width`);
    if (type === null) {
      const shown = all.map((each) => (each === undefined ? "?" : showType(each.type))).join(", ");
      return context.fail(node, `column ${index + 1} of ${name} has no common type: ${shown}`);
    }
    const isTime = all.every((each) => each?.time === column.time);
    const nullable = all.some((each) => each?.nullable ?? false);
    return { ...column, type, nullable, time: isTime ? column.time : null };
  });
  const wide = relations.findIndex((each) => each.node.columns.length !== columns.length);
  if (wide >= 0) return context.fail(bodies[wide] ?? node, `${name} of unequal width`);
  const inputs = relations.map((each, index) =>
    aligned(context, bodies[index] ?? node, each.node, columns),
  );
  const union: UnionNode = {
    kind: "union",
    inputs,
    columns,
    changes: inputs.some(({ changes }) => changes === "update") ? "update" : "append",
    key: null,
  };
  const fields = first.fields.map(({ name }, index): Field => {
    const isPast = relations.some((each) => each.fields[index]?.isPast);
    return { ...plainField(null, name), ...(isPast && { isPast }) };
  });
  return { node: union, fields };
}

function unionBodies(node: SetOperation): readonly QueryBody[] {
  const bodies: QueryBody[] = [];
  let rest: QueryBody = node;
  while (rest.kind === "setOperation" && rest.operator === "union" && rest.isAll) {
    bodies.push(rest.right);
    rest = rest.left;
  }
  return [rest, ...bodies.reverse()];
}

function aligned(
  context: CheckContext,
  at: AstNode,
  node: PlanNode,
  columns: readonly PlanColumn[],
): PlanNode {
  const projections = columns.map(({ type }, index) =>
    coerceTo(context, at, columnOf(node, index), type),
  );
  return makeCalc({ input: node, filter: null, projections, columns });
}

/** Only what `*` would show. */
export function withoutHidden(relation: Relation): Relation {
  const visible = relation.fields.flatMap(({ isHidden }, index) => (isHidden ? [] : [index]));
  if (visible.length === relation.fields.length) return relation;
  const { node } = relation;
  return {
    node: makeCalc({
      input: node,
      filter: null,
      projections: visible.map((index) => columnOf(node, index)),
      columns: visible.flatMap((index) => node.columns[index] ?? []),
    }),
    fields: visible.flatMap((index) => relation.fields[index] ?? []),
  };
}

// ── Tables ──────────────────────────────────────────────────────────────────────────────────────

function bindTable(context: CheckContext, node: TableReference): Relation {
  switch (node.kind) {
    case "table": {
      if (node.asOf !== null) {
        return context.refuse(node.asOf, "FOR SYSTEM_TIME AS OF is not supported yet");
      }
      return aliased(context, bindNamed(context, node.name), node.alias);
    }
    case "derived":
      if (node.isLateral) return context.refuse(node, "LATERAL is not supported yet");
      return aliased(context, bindQuery(context, node.query), node.alias);
    case "tableFunction": {
      const bindData = (argument: TableArgument): Relation =>
        "parts" in argument.table
          ? bindNamed(context, argument.table)
          : bindQuery(context, argument.table);
      return aliased(context, bindWindowFunction(context, node, bindData), node.alias);
    }
    case "join":
      return context.fail(node, "a join cannot stand here");
  }
}

function aliased(context: CheckContext, relation: Relation, alias: TableAlias | null): Relation {
  if (alias === null) return relation;
  return named(context, relation, alias.name.text, alias.columns, alias);
}

function bindNamed(context: CheckContext, path: NamePath): Relation {
  const name = path.parts.map(({ text }) => text).join(".");
  const short = path.parts.at(-1)?.text ?? name;
  const common = context.commonTables.get(name);
  if (common !== undefined) return common();
  const { catalog } = context.options;
  const entry = catalog.lookup(name);
  if (entry === undefined) {
    const known = [...context.commonTables.keys(), ...catalog.names()];
    return context.failUnknown(path, `there is no stream, table or view "${name}"`, name, known);
  }
  return entry.kind === "view" ? bindView(context, path, entry) : sourceRelation(entry, short);
}

function bindView(context: CheckContext, path: NamePath, view: ViewEntry): Relation {
  const inside = context.inside(view.text, path, view.name);
  return renamed(bindQuery(inside, view.query), view.name, view.columns);
}

/** Names in reach of an expression, and what they stand for. */

import { columnOf } from "../plan/calc.ts";
import type { Scalar } from "../plan/scalar.ts";
import type { AstNode, Identifier } from "../syntax/node.ts";
import type { CheckContext } from "./context.ts";
import type { Field, Relation } from "./relation.ts";

export function plainField(table: string | null, name: string): Field {
  return { table, name, isHidden: false, role: null, isRank: false };
}

/** The relation under another name. */
export function renamed(relation: Relation, table: string, columns: readonly string[]): Relation {
  let visible = 0;
  const fields = relation.fields.map((field) => {
    const name = field.isHidden ? undefined : columns[visible++];
    return { ...field, table, name: name ?? field.name };
  });
  return { ...relation, fields };
}

export interface Resolved {
  readonly index: number;
  /** Fields of a ROW that follow. */
  readonly rest: readonly Identifier[];
}

/**
 * `a`, `t.a`, and both with fields of a ROW behind them. A column wins over a table of the same
 * name unless the table has a column of the second name.
 */
export function resolveName(
  context: CheckContext,
  fields: readonly Field[],
  node: AstNode,
  parts: readonly Identifier[],
): Resolved {
  const [first, second] = parts;
  if (first === undefined) return context.fail(node, "expected a name");
  // In a subquery, what the query around it has is found where the subquery has none.
  for (const isOuter of [false, true]) {
    const near = (field: Field) => (field.isOuter ?? false) === isOuter;
    if (second !== undefined) {
      const ofTable = (f: Field) => near(f) && f.table === first.text && f.name === second.text;
      const qualified = find(fields, ofTable);
      if (qualified.length === 1) return { index: qualified[0] ?? 0, rest: parts.slice(2) };
      if (qualified.length > 1) {
        const name = `"${first.text}.${second.text}"`;
        return context.fail(node, `${name} is ambiguous: two columns have it`);
      }
    }
    const plain = find(fields, (f) => near(f) && f.name === first.text);
    if (plain.length === 1) return { index: plain[0] ?? 0, rest: parts.slice(1) };
    if (plain.length > 1) {
      const tables = plain.map((index) => fields[index]?.table ?? "?").join(", ");
      return context.fail(node, `column "${first.text}" is ambiguous: it is in ${tables}`);
    }
  }
  return failUnknownName(context, fields, node, parts);
}

function failUnknownName(
  context: CheckContext,
  fields: readonly Field[],
  node: AstNode,
  parts: readonly Identifier[],
): never {
  const [first, second] = parts;
  const visible = fields.filter((field) => !field.isHidden);
  const ofTable = visible.filter((field) => field.table === first?.text);
  if (second !== undefined && ofTable.length > 0) {
    const problem = `table "${first?.text}" has no column "${second.text}"`;
    return context.failUnknown(
      second,
      problem,
      second.text,
      ofTable.map(({ name }) => name),
    );
  }
  const word = first?.text ?? "";
  if (fields.length === 0) {
    return context.failUnknown(first ?? node, `there is no column "${word}" without a FROM`, word, [
      "FROM",
    ]);
  }
  const known = visible.flatMap(({ name, table }) =>
    second === undefined || table === null ? [name] : [name, table],
  );
  return context.failUnknown(first ?? node, `there is no column "${word}"`, word, known);
}

function find(fields: readonly Field[], matches: (field: Field) => boolean): number[] {
  return fields.flatMap((field, index) => (!field.isHidden && matches(field) ? [index] : []));
}

export function fieldScalar(relation: Relation, index: number): Scalar {
  return columnOf(relation.node, index);
}

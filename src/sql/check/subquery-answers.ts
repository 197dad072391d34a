/**
 * Subqueries that stand for values, in statements that end: `(SELECT MAX(x) FROM t)`,
 * `x IN (SELECT …)`, `EXISTS (SELECT …)`. Each asks for nothing of the query around it, so it is
 * run first, by whoever runs the statement, and what it gives stands in its place as constants: the
 * statement is planned anew until nothing is left to be asked.
 */
import type { QueryPlan } from "../plan/plan.ts";
import type { Scalar, SqlValue } from "../plan/scalar.ts";
import type { Query } from "../syntax/ast.ts";
import type { DataType } from "../types/data-type.ts";

/** `value`: one row of one column; `list`: one column; `exists`: whether there is a row. */
export type SubqueryUse = "value" | "list" | "exists";

export interface PendingSubquery {
  readonly query: Query;
  readonly use: SubqueryUse;
  readonly plan: QueryPlan;
  /** It waits for no subquery of its own. */
  readonly isReady: boolean;
}

export class SubqueryAnswers {
  readonly #given = new Map<Query, readonly Scalar[]>();
  readonly #pending = new Map<Query, PendingSubquery>();
  /** Stand-ins that were handed out: a plan with one of them in it cannot be run. */
  #standInCount = 0;

  /** Whether the statement had any. */
  get isUsed(): boolean {
    return this.#given.size + this.#pending.size > 0;
  }

  /** What stands in the plan by a stand-in, the inner ones first. */
  get pending(): readonly PendingSubquery[] {
    return [...this.#pending.values()];
  }

  /** What is to be run before the statement is planned again. */
  takePending(): readonly PendingSubquery[] {
    const ready = this.pending.filter(({ isReady }) => isReady);
    this.#pending.clear();
    return ready;
  }

  give({ query, use, plan }: PendingSubquery, values: readonly SqlValue[]): void {
    const type = typeOf(plan, use);
    // A value of no row is NULL, of the column's type; a list of none is empty.
    const all = use === "value" && values.length === 0 ? [null] : values;
    this.#given.set(
      query,
      all.map((value): Scalar => ({ kind: "literal", value, type })),
    );
  }

  /** The constants that stand for the subquery; until they are known, one NULL of its type. */
  scalarsOf(query: Query, use: SubqueryUse, plan: () => QueryPlan): readonly Scalar[] {
    const given = this.#given.get(query);
    if (given !== undefined) return given;
    const before = this.#standInCount;
    const planned = plan();
    const isReady = this.#standInCount === before;
    this.#standInCount += 1;
    this.#pending.set(query, { query, use, plan: planned, isReady });
    const number = [...this.#pending.keys()].indexOf(query) + 1;
    const shown = `(subquery ${number})`;
    return [{ kind: "literal", value: null, type: typeOf(planned, use), shown }];
  }
}

function typeOf({ root }: QueryPlan, use: SubqueryUse): DataType {
  const [column] = root.columns;
  return use === "exists" || column === undefined ? { kind: "boolean" } : column.type;
}

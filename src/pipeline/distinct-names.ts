import type { PlanNode, QueryPlan } from "../sql/plan/plan.ts";

/** Rows are objects by column name: a name that comes again gets a number, as Flink gives it. */
export function withDistinctNames(plan: QueryPlan): QueryPlan {
  const names = new Set<string>();
  const columns = plan.root.columns.map((column) => {
    let { name } = column;
    for (let count = 0; names.has(name); count++) name = `${column.name}${count}`;
    names.add(name);
    return { ...column, name };
  });
  const root: PlanNode = { ...plan.root, columns };
  return { ...plan, root };
}

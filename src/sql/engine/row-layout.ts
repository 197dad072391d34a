/**
 * The columns of the rows between two operators: those of the plan, then hidden ones. Hidden
 * columns say what a row cannot: which row of the source's batch it came from, the bound behind
 * which it is late, and whether it is added or taken back.
 */
import type { PlanColumn } from "../plan/plan.ts";
import type { TableColumn } from "../sqlite/virtual-table.ts";
import { valueKindOf } from "../types/data-type.ts";

export interface RowLayout {
  readonly columns: readonly PlanColumn[];
  /**
   * Rows carry `$row`, their row in the batch of their source, and `$bound`, the event time at or
   * behind which they are late (milliseconds).
   */
  readonly hasOrigin: boolean;
  /** Rows carry `$weight`: 1 adds the row, −1 takes it back. Without it all rows are added. */
  readonly hasWeight: boolean;
}

/** Names of plan columns inside SQLite: their own may repeat, and say nothing there. */
export function columnName(index: number): string {
  return `c${index}`;
}

export const rowColumn = "$row";
export const boundColumn = "$bound";
export const weightColumn = "$weight";

/** The columns as a virtual table has them, in order. */
export function tableColumns(layout: RowLayout): TableColumn[] {
  return [
    ...layout.columns.map(({ type }, index) => ({
      name: columnName(index),
      kind: valueKindOf(type),
    })),
    ...hiddenNames(layout).map((name) => ({ name, kind: "integer" as const })),
  ];
}

export function hiddenNames({ hasOrigin, hasWeight }: RowLayout): string[] {
  return [...(hasOrigin ? [rowColumn, boundColumn] : []), ...(hasWeight ? [weightColumn] : [])];
}

/** Place of a hidden column, or −1. */
export function hiddenIndex(layout: RowLayout, name: string): number {
  const index = hiddenNames(layout).indexOf(name);
  return index < 0 ? -1 : layout.columns.length + index;
}

/** Tables as they are bound: an operator and what its columns are called. */
import type { PlanNode, WindowOf } from "../plan/plan.ts";

/** A column that marks its row's window, wherever it has been passed on to. */
export interface WindowRole {
  readonly part: "start" | "end" | "time";
  readonly window: WindowOf;
  /** Whether the rows come when their window closes. */
  readonly isClosed: boolean;
}

export interface Field {
  /** The table's name or alias. */
  readonly table: string | null;
  readonly name: string;
  /** PROCTIME() of the row, which `*` leaves out. */
  readonly isHidden: boolean;
  readonly role: WindowRole | null;
  /** A ROW_NUMBER() that the query around must bound. */
  readonly isRank: boolean;
  /** Its row comes when a window closes: as an event time it would lie behind the watermark. */
  readonly isPast?: true;
  /** Of the query around a subquery: names inside it come first. */
  readonly isOuter?: true;
}

/** A table in FROM: one field per column of the node. */
export interface Relation {
  readonly node: PlanNode;
  readonly fields: readonly Field[];
}

/** Of rows that come when their window closes: only the window's own times are event times then. */
export function fieldsAtClose(fields: readonly Field[]): readonly Field[] {
  return fields.map((field) => (field.role === null ? { ...field, isPast: true } : field));
}

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
}

/** A table in FROM: one field per column of the node. */
export interface Relation {
  readonly node: PlanNode;
  readonly fields: readonly Field[];
}

/**
 * What a GROUP BY without windows and the sink behind it agree on, where between them rows are
 * only filtered and projected: a group is one row, and a row that takes another one's place need
 * not take it back first. The sink then writes the rows as they come, and keeps nothing in its
 * table.
 *
 * Groups of rows that are only added never go. But between the two a row may be filtered out, or
 * fail, that was there before. So the aggregate says how many rows it gives, and where not all of
 * them come through, it gives what they were as well: keys of which no row is left are taken back.
 */
import type { GroupAggregateNode, PlanNode } from "../plan/plan.ts";

export class DirectChanges {
  readonly node: GroupAggregateNode;
  #expectedCount = 0;
  #phase: "rows" | "gone" | "none" = "none";
  #allCame = false;
  /** Rows came before a commit, and wait for it: until then all are taken back and added. */
  isHeld = false;

  constructor(node: GroupAggregateNode) {
    this.node = node;
  }

  /** The aggregate gives so many rows next, as they are now. */
  giveRows(count: number): void {
    this.#expectedCount = count;
    this.#phase = "rows";
    this.#allCame = count === 0;
  }

  /** Whether all rows have come to the sink; else it must hear what they were before. */
  get allCame(): boolean {
    return this.#allCame;
  }

  /** The aggregate gives what the rows were before. */
  giveGone(): void {
    this.#phase = "gone";
  }

  /**
   * So many rows come to the sink. `whole`: they are all that changed, and can be written; `part`:
   * others are missing; `gone`: where no row of the key came, it is taken back.
   */
  met(count: number): "whole" | "part" | "gone" {
    if (this.isHeld) return "part";
    if (this.#phase === "gone") return "gone";
    this.#allCame = this.#phase === "rows" && count === this.#expectedCount;
    return this.#allCame ? "whole" : "part";
  }
}

/** Null where rows may be taken back for other reasons, or are held back. */
export function directChangesOf(root: PlanNode): DirectChanges | null {
  let node = root;
  while (node.kind === "calc") node = node.input;
  if (node.kind !== "groupAggregate" || node.emit.mode === "periodic") return null;
  return node.input.changes === "append" ? new DirectChanges(node) : null;
}

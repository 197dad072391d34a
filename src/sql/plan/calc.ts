/** Calc nodes: made, and merged with the Calc below so that a row is computed once. */
import type { CalcNode, PlanColumn, PlanNode } from "./plan.ts";
import type { Scalar } from "./scalar.ts";
import { childrenOf, conjunction, conjunctsOf, substitute } from "./scalar-walk.ts";

export interface CalcShape {
  readonly input: PlanNode;
  readonly filter: Scalar | null;
  readonly projections: readonly Scalar[];
  readonly columns: readonly PlanColumn[];
}

/** An `update` node keeps its key where all of its columns are passed on. */
export function makeCalc({ input, filter, projections, columns }: CalcShape): CalcNode {
  const node: CalcNode = {
    kind: "calc",
    input,
    filter,
    projections,
    columns,
    changes: input.changes,
    key: movedKey(input.key, projections),
  };
  return merged(node);
}

export function filterNode(input: PlanNode, filter: Scalar): CalcNode {
  const projections = input.columns.map((_, index) => columnOf(input, index));
  return makeCalc({ input, filter, projections, columns: input.columns });
}

export function columnOf(node: PlanNode, index: number): Scalar {
  const column = node.columns[index];
  if (column === undefined) throw new RangeError(`There is no column ${index}`);
  return { kind: "column", index, type: column.type, nullable: column.nullable };
}

function movedKey(
  key: readonly number[] | null,
  projections: readonly Scalar[],
): readonly number[] | null {
  if (key === null) return null;
  const moved: number[] = [];
  for (const column of key) {
    const place = projections.findIndex((each) => each.kind === "column" && each.index === column);
    if (place < 0) return null;
    moved.push(place);
  }
  return moved;
}

/** A computed column that is read several times would be computed as often after a merge. */
function isCheap(scalar: Scalar): boolean {
  return scalar.kind === "column" || scalar.kind === "literal";
}

function merged(node: CalcNode): CalcNode {
  const below = node.input;
  if (below.kind !== "calc") return node;
  const uses = new Map<number, number>();
  for (const scalar of [...node.projections, ...(node.filter === null ? [] : [node.filter])]) {
    countUses(scalar, uses);
  }
  const repeats = below.projections.some(
    (projection, index) => !isCheap(projection) && (uses.get(index) ?? 0) > 1,
  );
  if (repeats) return node;
  const filters = [
    below.filter,
    node.filter === null ? null : substitute(node.filter, below.projections),
  ];
  const conjuncts = filters.flatMap((filter) => (filter === null ? [] : conjunctsOf(filter)));
  return {
    ...node,
    input: below.input,
    filter: conjunction(conjuncts),
    projections: node.projections.map((each) => substitute(each, below.projections)),
  };
}

function countUses(scalar: Scalar, uses: Map<number, number>): void {
  if (scalar.kind === "column") uses.set(scalar.index, (uses.get(scalar.index) ?? 0) + 1);
  for (const child of childrenOf(scalar)) countUses(child, uses);
}

/** Whether the Calc passes its input on as it is. */
export function isIdentity(node: CalcNode): boolean {
  return (
    node.filter === null &&
    node.projections.length === node.input.columns.length &&
    node.projections.every((each, index) => each.kind === "column" && each.index === index)
  );
}

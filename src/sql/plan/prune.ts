/** Leaves out columns that nobody reads, from the result down to what is decoded. */
import { columnOf, makeCalc } from "./calc.ts";
import type {
  Accumulator,
  CalcNode,
  GroupAggregateNode,
  IntervalJoinNode,
  PlanColumn,
  PlanNode,
  SourceNode,
  UnionNode,
  ValuesNode,
  WindowAggregateNode,
  WindowAssignNode,
  WindowJoinNode,
  WindowOf,
  WindowRankNode,
} from "./plan.ts";
import type { Scalar } from "./scalar.ts";
import { collectColumns, moveColumns } from "./scalar-walk.ts";

export interface Pruned {
  readonly node: PlanNode;
  /** Where a column that was needed has gone. */
  readonly placeOf: (index: number) => number;
}

export function prune(node: PlanNode, needed: ReadonlySet<number>): Pruned {
  switch (node.kind) {
    case "source":
      return pruneSource(node, needed);
    case "values":
      return pruneValues(node, needed);
    case "calc":
      return pruneCalc(node, needed);
    case "windowAssign":
      return pruneAssign(node, needed);
    case "windowAggregate":
    case "groupAggregate":
      return pruneAggregate(node, needed);
    case "windowJoin":
    case "intervalJoin":
      return pruneJoin(node, needed);
    case "windowRank":
      return pruneRank(node, needed);
    case "union":
      return pruneUnion(node, needed);
    case "sort": {
      const wanted = new Set([...needed, ...node.orderBy.map(({ column }) => column)]);
      const input = prune(node.input, wanted);
      const orderBy = node.orderBy.map((key) => ({ ...key, column: input.placeOf(key.column) }));
      const { columns, key } = input.node;
      return {
        node: { ...node, input: input.node, orderBy, columns, key },
        placeOf: input.placeOf,
      };
    }
  }
}

function ascending(indexes: Iterable<number>): number[] {
  return [...new Set(indexes)].sort((a, b) => a - b);
}

function placesOf(kept: readonly number[]): (index: number) => number {
  const places = new Map(kept.map((index, place) => [index, place]));
  return (index) => {
    const place = places.get(index);
    if (place === undefined) throw new RangeError(`Column ${index} was pruned but is read`);
    return place;
  };
}

function pick(columns: readonly PlanColumn[], kept: readonly number[]): readonly PlanColumn[] {
  return kept.flatMap((index) => columns[index] ?? []);
}

/** The key, where all of it is kept. */
function movedKey(
  key: readonly number[] | null,
  kept: readonly number[],
): readonly number[] | null {
  if (key === null || !key.every((index) => kept.includes(index))) return null;
  return key.map(placesOf(kept));
}

function pruneSource(node: SourceNode, needed: ReadonlySet<number>): Pruned {
  const plain = node.origins.length;
  const wanted = new Set(needed);
  if (node.watermark !== null) wanted.add(node.watermark.column);
  for (const index of node.key ?? []) wanted.add(index);
  for (const [index, scalar] of node.computed.entries()) {
    if (wanted.has(plain + index)) collectColumns(scalar, wanted);
  }
  const kept = ascending(wanted);
  if (kept.length === 0) return countedSource(node);
  const placeOf = placesOf(kept);
  const { watermark } = node;
  const pruned: SourceNode = {
    ...node,
    origins: kept.flatMap((index) => (index < plain ? (node.origins[index] ?? []) : [])),
    computed: kept.flatMap((index) => {
      const scalar = node.computed[index - plain];
      return scalar === undefined ? [] : [moveColumns(scalar, placeOf)];
    }),
    columns: pick(node.columns, kept),
    watermark: watermark === null ? null : { ...watermark, column: placeOf(watermark.column) },
    key: node.key?.map(placeOf) ?? null,
  };
  return { node: pruned, placeOf };
}

/** Rows of which nothing is read are still counted: by their offsets, which cost no decoding. */
function countedSource(node: SourceNode): Pruned {
  const column: PlanColumn = {
    name: "$offset",
    type: { kind: "bigint" },
    nullable: false,
    time: null,
  };
  const origins = [{ from: "metadata", field: "offset" }] as const;
  return { node: { ...node, origins, computed: [], columns: [column] }, placeOf: () => 0 };
}

function pruneValues(node: ValuesNode, needed: ReadonlySet<number>): Pruned {
  const kept = ascending(needed);
  const rows = node.rows.map((row) => kept.flatMap((index) => row[index] ?? []));
  return { node: { ...node, rows, columns: pick(node.columns, kept) }, placeOf: placesOf(kept) };
}

function pruneCalc(node: CalcNode, needed: ReadonlySet<number>): Pruned {
  // A table has at least one column.
  const kept = ascending(needed.size === 0 ? [0] : needed);
  const wanted = new Set<number>();
  if (node.filter !== null) collectColumns(node.filter, wanted);
  const scalars = kept.flatMap((index) => node.projections[index] ?? []);
  for (const scalar of scalars) collectColumns(scalar, wanted);
  const input = prune(node.input, wanted);
  const move = (scalar: Scalar) => moveColumns(scalar, input.placeOf);
  if (scalars.length === 0) return countedCalc(node, input, move);
  const pruned = makeCalc({
    input: input.node,
    filter: node.filter === null ? null : move(node.filter),
    projections: scalars.map(move),
    columns: pick(node.columns, kept),
  });
  return { node: pruned, placeOf: placesOf(kept) };
}

function countedCalc(node: CalcNode, input: Pruned, move: (scalar: Scalar) => Scalar): Pruned {
  const one: Scalar = { kind: "literal", value: 1n, type: { kind: "int" } };
  const columns: PlanColumn[] = [{ name: "$row", type: one.type, nullable: false, time: null }];
  const filter = node.filter === null ? null : move(node.filter);
  return {
    node: makeCalc({ input: input.node, filter, projections: [one], columns }),
    placeOf: () => 0,
  };
}

function pruneAssign(node: WindowAssignNode, needed: ReadonlySet<number>): Pruned {
  const width = node.input.columns.length;
  const wanted = new Set([...needed].filter((index) => index < width));
  wanted.add(node.window.timeColumn);
  for (const index of node.partitionBy) wanted.add(index);
  const input = prune(node.input, wanted);
  const kept = input.node.columns.length;
  const pruned: WindowAssignNode = {
    ...node,
    input: input.node,
    window: { ...node.window, timeColumn: input.placeOf(node.window.timeColumn) },
    partitionBy: node.partitionBy.map(input.placeOf),
    columns: [...input.node.columns, ...node.columns.slice(width)],
  };
  return {
    node: pruned,
    placeOf: (index) => (index < width ? input.placeOf(index) : index - width + kept),
  };
}

function movedWindow(window: WindowOf, placeOf: (index: number) => number): WindowOf {
  const { spec } = window;
  return {
    ...window,
    timeColumn: placeOf(window.timeColumn),
    spec:
      spec.kind === "assigned"
        ? {
            kind: "assigned",
            startColumn: placeOf(spec.startColumn),
            endColumn: placeOf(spec.endColumn),
          }
        : spec,
  };
}

function pruneAggregate(
  node: WindowAggregateNode | GroupAggregateNode,
  needed: ReadonlySet<number>,
): Pruned {
  const first = node.keys.length;
  const behind = first + node.accumulators.length;
  const kept = node.columns.flatMap((_, index) =>
    index < first || index >= behind || needed.has(index) ? [index] : [],
  );
  const accumulators = node.accumulators.filter((_, index) => kept.includes(first + index));
  const wanted = new Set(node.keys);
  for (const { column, filter } of accumulators) {
    if (column !== null) wanted.add(column);
    if (filter !== null) wanted.add(filter);
  }
  if (node.kind === "windowAggregate") {
    const { spec, timeColumn } = node.window;
    wanted.add(timeColumn);
    if (spec.kind === "assigned") wanted.add(spec.startColumn).add(spec.endColumn);
  }
  const input = prune(node.input, wanted);
  const { placeOf } = input;
  const parts = {
    input: input.node,
    keys: node.keys.map(placeOf),
    accumulators: accumulators.map(
      (each): Accumulator => ({
        ...each,
        column: each.column === null ? null : placeOf(each.column),
        filter: each.filter === null ? null : placeOf(each.filter),
      }),
    ),
    columns: pick(node.columns, kept),
    key: movedKey(node.key, kept),
  };
  const pruned: PlanNode =
    node.kind === "windowAggregate"
      ? { ...node, ...parts, window: movedWindow(node.window, placeOf) }
      : { ...node, ...parts };
  return { node: pruned, placeOf: placesOf(kept) };
}

function pruneJoin(node: WindowJoinNode | IntervalJoinNode, needed: ReadonlySet<number>): Pruned {
  const width = node.left.columns.length;
  const left = new Set<number>();
  const right = new Set<number>();
  const want = (index: number) => (index < width ? left.add(index) : right.add(index - width));
  for (const index of needed) want(index);
  if (node.residual !== null)
    for (const index of collectColumns(node.residual, new Set())) want(index);
  for (const pair of node.equalities) {
    left.add(pair.left);
    right.add(pair.right);
  }
  if (node.kind === "windowJoin") {
    for (const index of node.leftWindow) left.add(index);
    for (const index of node.rightWindow) right.add(index);
  } else {
    left.add(node.leftTime);
    right.add(node.rightTime);
  }
  const prunedLeft = prune(node.left, left);
  const prunedRight = prune(node.right, right);
  const newWidth = prunedLeft.node.columns.length;
  const placeOf = (index: number): number =>
    index < width ? prunedLeft.placeOf(index) : newWidth + prunedRight.placeOf(index - width);
  const equalities = node.equalities.map((pair) => ({
    left: prunedLeft.placeOf(pair.left),
    right: prunedRight.placeOf(pair.right),
  }));
  const isShown = node.joinType !== "semi" && node.joinType !== "anti";
  const columns: PlanColumn[] = [
    ...prunedLeft.node.columns,
    ...(isShown ? prunedRight.node.columns : []),
  ];
  for (const index of [...left, ...[...right].map((each) => each + width)]) {
    const column = node.columns[index];
    if (column !== undefined) columns[placeOf(index)] = column;
  }
  const base = {
    left: prunedLeft.node,
    right: prunedRight.node,
    equalities,
    residual: node.residual === null ? null : moveColumns(node.residual, placeOf),
    columns,
  };
  if (node.kind === "intervalJoin") {
    const leftTime = prunedLeft.placeOf(node.leftTime);
    const rightTime = prunedRight.placeOf(node.rightTime);
    return { node: { ...node, ...base, leftTime, rightTime }, placeOf };
  }
  const [leftStart, leftEnd] = node.leftWindow;
  const [rightStart, rightEnd] = node.rightWindow;
  return {
    node: {
      ...node,
      ...base,
      leftWindow: [prunedLeft.placeOf(leftStart), prunedLeft.placeOf(leftEnd)],
      rightWindow: [prunedRight.placeOf(rightStart), prunedRight.placeOf(rightEnd)],
    },
    placeOf,
  };
}

function pruneRank(node: WindowRankNode, needed: ReadonlySet<number>): Pruned {
  const width = node.input.columns.length;
  const wanted = new Set([...needed].filter((index) => index < width));
  const [start, end] = node.window;
  for (const index of [start, end, ...node.partitionBy]) wanted.add(index);
  for (const { column } of node.orderBy) wanted.add(column);
  const input = prune(node.input, wanted);
  const { placeOf } = input;
  const withRank = node.withRank && needed.has(width);
  const pruned: WindowRankNode = {
    ...node,
    input: input.node,
    window: [placeOf(start), placeOf(end)],
    partitionBy: node.partitionBy.map(placeOf),
    orderBy: node.orderBy.map((key) => ({ ...key, column: placeOf(key.column) })),
    withRank,
    columns: [...input.node.columns, ...(withRank ? node.columns.slice(width) : [])],
  };
  return {
    node: pruned,
    placeOf: (index) => (index < width ? placeOf(index) : input.node.columns.length),
  };
}

/** All inputs keep the same columns in the same order. */
function pruneUnion(node: UnionNode, needed: ReadonlySet<number>): Pruned {
  const kept = ascending(needed.size === 0 ? [0] : needed);
  const columns = pick(node.columns, kept);
  const inputs = node.inputs.map((each) => {
    const input = prune(each, new Set(kept));
    const projections = kept.map((index) => columnOf(input.node, input.placeOf(index)));
    return makeCalc({ input: input.node, filter: null, projections, columns });
  });
  return { node: { ...node, inputs, columns }, placeOf: placesOf(kept) };
}

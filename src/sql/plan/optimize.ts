/**
 * Makes a plan read and compute only what its result needs: filters go below window assignment,
 * fields of ROWs are decoded where they lie, columns that nobody reads are left out, Calcs merge.
 */
import { columnOf, isIdentity, makeCalc } from "./calc.ts";
import type {
  CalcNode,
  PlanColumn,
  PlanNode,
  SourceNode,
  SourceOrigin,
  WindowAssignNode,
} from "./plan.ts";
import { prune } from "./prune.ts";
import type { Scalar } from "./scalar.ts";
import {
  columnsOf,
  conjunction,
  conjunctsOf,
  mapScalar,
  moveColumns,
  scalarNullable,
} from "./scalar-walk.ts";

export function optimize(root: PlanNode): PlanNode {
  const pushed = rewrite(root, (node) => (node.kind === "calc" ? pushFilter(node) : node));
  const narrowed = rewrite(pushed, (node) => (node.kind === "calc" ? readFields(node) : node));
  const all = new Set(narrowed.columns.map((_, index) => index));
  const { node } = prune(narrowed, all);
  return rewrite(node, (each) =>
    each.kind === "calc" && isIdentity(each) ? renamedInput(each) : each,
  );
}

/** From the leaves up. */
function rewrite(node: PlanNode, change: (node: PlanNode) => PlanNode): PlanNode {
  switch (node.kind) {
    case "source":
    case "values":
      return change(node);
    case "union":
      return change({ ...node, inputs: node.inputs.map((each) => rewrite(each, change)) });
    case "windowJoin":
    case "intervalJoin":
      return change({
        ...node,
        left: rewrite(node.left, change),
        right: rewrite(node.right, change),
      });
    case "calc":
      return change(makeCalc({ ...node, input: rewrite(node.input, change) }));
    default:
      return change({ ...node, input: rewrite(node.input, change) });
  }
}

/** A Calc that only renames gives its names to its input. */
function renamedInput(node: CalcNode): PlanNode {
  const { input } = node;
  return { ...input, columns: node.columns, key: node.key };
}

/** What does not ask for a window is decided before rows are copied into theirs. */
function pushFilter(node: CalcNode): PlanNode {
  const assign = node.input;
  if (assign.kind !== "windowAssign" || node.filter === null) return node;
  if (assign.window.spec.kind === "session") return node;
  const width = assign.input.columns.length;
  const isBelow = (scalar: Scalar) => [...columnsOf(scalar)].every((index) => index < width);
  const conjuncts = conjunctsOf(node.filter);
  const below = conjunction(conjuncts.filter(isBelow));
  if (below === null) return node;
  const filtered = makeCalc({
    input: assign.input,
    filter: below,
    projections: assign.input.columns.map((_, index) => columnOf(assign.input, index)),
    columns: assign.input.columns,
  });
  const moved: WindowAssignNode = { ...assign, input: filtered };
  const above = conjunction(conjuncts.filter((each) => !isBelow(each)));
  return makeCalc({ ...node, input: moved, filter: above });
}

/** Fields of ROWs that are read right above a source become columns of it. */
function readFields(node: CalcNode): PlanNode {
  if (node.input.kind !== "source") return node;
  const columns = new FieldColumns(node.input);
  const filter = node.filter === null ? null : columns.read(node.filter);
  const projections = node.projections.map((each) => columns.read(each));
  const { source, placeOf } = columns.finish();
  return makeCalc({
    ...node,
    input: source,
    filter: filter === null ? null : moveColumns(filter, placeOf),
    projections: projections.map((each) => moveColumns(each, placeOf)),
  });
}

/** While fields are found they stand behind all columns; at the end, before computed ones. */
class FieldColumns {
  readonly #source: SourceNode;
  readonly #computed: readonly Scalar[];
  readonly #added: { readonly origin: SourceOrigin; readonly column: PlanColumn }[] = [];
  readonly #places = new Map<string, number>();

  constructor(source: SourceNode) {
    this.#source = source;
    this.#computed = source.computed.map((each) => this.read(each));
  }

  read(scalar: Scalar): Scalar {
    return mapScalar(scalar, (each) => {
      const path = this.#pathOf(each);
      if (path === null || path.length < 2) return null;
      return { kind: "column", index: this.#placeOf(path, each), type: each.type, nullable: true };
    });
  }

  #pathOf(scalar: Scalar): readonly string[] | null {
    if (scalar.kind === "column") {
      const origin = this.#source.origins[scalar.index];
      return origin?.from === "value" ? origin.path : null;
    }
    if (scalar.kind !== "call" || scalar.name !== "field") return null;
    const [row, name] = scalar.args;
    const path = row === undefined ? null : this.#pathOf(row);
    return path === null || name?.kind !== "literal" ? null : [...path, String(name.value)];
  }

  #placeOf(path: readonly string[], scalar: Scalar): number {
    const key = JSON.stringify(path);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place = this.#source.columns.length + this.#added.length;
    this.#places.set(key, place);
    this.#added.push({
      origin: { from: "value", path },
      column: {
        name: path.join("."),
        type: scalar.type,
        nullable: scalarNullable(scalar),
        time: null,
      },
    });
    return place;
  }

  finish(): { source: SourceNode; placeOf: (index: number) => number } {
    const source = this.#source;
    const plain = source.origins.length;
    const all = source.columns.length;
    const count = this.#added.length;
    const placeOf = (index: number): number => {
      if (index < plain) return index;
      return index < all ? index + count : index - all + plain;
    };
    const { watermark } = source;
    return {
      placeOf,
      source: {
        ...source,
        origins: [...source.origins, ...this.#added.map(({ origin }) => origin)],
        computed: this.#computed.map((each) => moveColumns(each, placeOf)),
        columns: [
          ...source.columns.slice(0, plain),
          ...this.#added.map(({ column }) => column),
          ...source.columns.slice(plain),
        ],
        watermark: watermark === null ? null : { ...watermark, column: placeOf(watermark.column) },
        key: source.key?.map(placeOf) ?? null,
      },
    };
  }
}

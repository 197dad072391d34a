/** GROUP BY: over a window where its start and its end are among the keys, else updating. */
import { columnOf, makeCalc } from "../plan/calc.ts";
import type {
  GroupAggregateNode,
  PlanColumn,
  PlanNode,
  WindowAggregateNode,
  WindowAssignNode,
  WindowOf,
} from "../plan/plan.ts";
import type { Scalar } from "../plan/scalar.ts";
import { columnsOf, scalarKey, scalarNullable, substitute } from "../plan/scalar-walk.ts";
import type { AstNode } from "../syntax/node.ts";
import { type AccumulatorDraft, accumulatorOf } from "./aggregate.ts";
import type { CheckContext } from "./context.ts";
import type { Field, Relation, WindowRole } from "./relation.ts";
import { windowColumns, windowKey } from "./window-function.ts";

/** What the groups are. Scalars are over the input relation. */
export interface Grouping {
  readonly input: Relation;
  readonly keys: readonly Scalar[];
  readonly accumulators: readonly AccumulatorDraft[];
}

/** The aggregate, and where each key has gone, a window's columns among them. */
export interface Grouped {
  readonly node: PlanNode;
  /** Of each key of the grouping, its column. */
  readonly keyColumns: readonly number[];
  readonly keyFields: readonly Pick<Field, "role">[];
  readonly firstAccumulator: number;
}

export function groupRows(context: CheckContext, at: AstNode, grouping: Grouping): Grouped {
  const roles = grouping.keys.map((key) => roleOf(grouping.input, key));
  const window = windowAmong(roles);
  const keys = grouping.keys.filter((_, index) => !isOf(roles[index] ?? null, window));
  if (window === null) return groupForever(grouping);
  if (grouping.input.node.changes === "update") {
    return context.refuse(at, "a window aggregate over updating rows is not supported yet");
  }
  const node = foldWindow(grouping, keys) ?? overAssigned(grouping, keys, window.window, roles);
  const first = keys.length;
  const bounds = first + grouping.accumulators.length;
  const places = { start: bounds, end: bounds + 1, time: bounds + 2 };
  let plain = 0;
  return {
    node,
    keyColumns: roles.map((role) =>
      role !== null && isOf(role, window) ? places[role.part] : plain++,
    ),
    keyFields: roles.map((role) => ({
      role: role !== null && isOf(role, window) ? { ...role, isClosed: true } : null,
    })),
    firstAccumulator: first,
  };
}

function roleOf(input: Relation, key: Scalar): WindowRole | null {
  return key.kind === "column" ? (input.fields[key.index]?.role ?? null) : null;
}

/** The window whose start and end are both there. */
function windowAmong(roles: readonly (WindowRole | null)[]): WindowRole | null {
  const start = roles.find((role) => role?.part === "start");
  const hasEnd = roles.some(
    (role) => role?.part === "end" && start && windowKey(role.window) === windowKey(start.window),
  );
  return hasEnd ? (start ?? null) : null;
}

function isOf(role: WindowRole | null, window: WindowRole | null): boolean {
  return role !== null && window !== null && windowKey(role.window) === windowKey(window.window);
}

/** Columns of a Calc, each expression once. */
class Projections {
  readonly scalars: Scalar[] = [];
  readonly #places = new Map<string, number>();

  placeOf = (scalar: Scalar): number => {
    const key = scalarKey(scalar);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, this.scalars.length);
    this.scalars.push(scalar);
    return this.scalars.length - 1;
  };

  columns(input: PlanNode): readonly PlanColumn[] {
    return this.scalars.map((scalar, index) => {
      const from = scalar.kind === "column" ? input.columns[scalar.index] : undefined;
      return (
        from ?? {
          name: `$${index}`,
          type: scalar.type,
          nullable: scalarNullable(scalar),
          time: null,
        }
      );
    });
  }
}

function accumulatorColumns(drafts: readonly AccumulatorDraft[]): readonly PlanColumn[] {
  return drafts.map(({ kind, type, nullable }, index) => ({
    name: `$${kind}${index}`,
    type,
    nullable,
    time: null,
  }));
}

function withoutTime(column: PlanColumn | undefined): PlanColumn {
  if (column === undefined) throw new RangeError("A key lost its column");
  return { ...column, time: null };
}

function groupForever({ input, keys, accumulators }: Grouping): Grouped {
  const projections = new Projections();
  const keyPlaces = keys.map(projections.placeOf);
  const made = accumulators.map((draft) => accumulatorOf(draft, projections.placeOf));
  const calc = makeCalc({
    input: input.node,
    filter: null,
    projections: projections.scalars,
    columns: projections.columns(input.node),
  });
  // Without accumulators a group is said once and never taken back.
  const isDistinct = accumulators.length === 0 && input.node.changes === "append";
  const node: GroupAggregateNode = {
    kind: "groupAggregate",
    input: calc,
    keys: keyPlaces,
    accumulators: made,
    emit: { mode: "changes" },
    columns: [
      ...keyPlaces.map((place) => withoutTime(calc.columns[place])),
      ...accumulatorColumns(accumulators),
    ],
    changes: isDistinct ? "append" : "update",
    key: keys.map((_, index) => index),
  };
  return {
    node,
    keyColumns: keys.map((_, index) => index),
    keyFields: keys.map(() => ({ role: null })),
    firstAccumulator: keys.length,
  };
}

/** The rows that a WindowAssign would number, where nothing between reads a window's columns. */
function foldWindow(grouping: Grouping, keys: readonly Scalar[]): WindowAggregateNode | null {
  const { node } = grouping.input;
  const calc = node.kind === "calc" ? node : null;
  const assign = calc === null ? node : calc.input;
  if (assign.kind !== "windowAssign") return null;
  const below = (scalar: Scalar) => (calc === null ? scalar : substitute(scalar, calc.projections));
  const width = assign.input.columns.length;
  const isBelow = (scalar: Scalar) => [...columnsOf(scalar)].every((index) => index < width);
  const projections = new Projections();
  const keyPlaces = keys.map((key) => projections.placeOf(below(key)));
  const accumulators = grouping.accumulators.map((draft) =>
    accumulatorOf(draft, (scalar) => projections.placeOf(below(scalar))),
  );
  const filter = calc?.filter ?? null;
  if (![...projections.scalars, ...(filter === null ? [] : [filter])].every(isBelow)) return null;
  const keyScalars = keyPlaces.map((place) => projections.scalars[place]);
  if (!sessionsMatch(assign, keyScalars, filter)) return null;
  const timeColumn = projections.placeOf(columnOf(assign.input, assign.window.timeColumn));
  const input = makeCalc({
    input: assign.input,
    filter,
    projections: projections.scalars,
    columns: projections.columns(assign.input),
  });
  const window = { ...assign.window, timeColumn };
  return aggregateNode(grouping, input, window, keyPlaces, accumulators);
}

/** A session ends by the rows of its key alone: a filter or a finer key must not move its ends. */
function sessionsMatch(
  assign: WindowAssignNode,
  keys: readonly (Scalar | undefined)[],
  filter: Scalar | null,
): boolean {
  if (assign.window.spec.kind !== "session") return true;
  const wanted = new Set(assign.partitionBy);
  const given = new Set(keys.map((key) => (key?.kind === "column" ? key.index : -1)));
  return (
    filter === null && wanted.size === given.size && [...wanted].every((key) => given.has(key))
  );
}

/** Rows that bring their windows with them. */
function overAssigned(
  grouping: Grouping,
  keys: readonly Scalar[],
  window: WindowOf,
  roles: readonly (WindowRole | null)[],
): WindowAggregateNode {
  const projections = new Projections();
  const keyPlaces = keys.map(projections.placeOf);
  const accumulators = grouping.accumulators.map((draft) =>
    accumulatorOf(draft, projections.placeOf),
  );
  const boundOf = (part: WindowRole["part"]) => {
    const index = roles.findIndex((role) => role?.part === part);
    const bound = grouping.keys[index];
    if (bound === undefined) throw new RangeError("A window lost its bounds");
    return projections.placeOf(bound);
  };
  const startColumn = boundOf("start");
  const endColumn = boundOf("end");
  const input = makeCalc({
    input: grouping.input.node,
    filter: null,
    projections: projections.scalars,
    columns: projections.columns(grouping.input.node),
  });
  const assigned: WindowOf = {
    ...window,
    spec: { kind: "assigned", startColumn, endColumn },
    timeColumn: endColumn,
  };
  return aggregateNode(grouping, input, assigned, keyPlaces, accumulators);
}

function aggregateNode(
  grouping: Grouping,
  input: PlanNode,
  window: WindowOf,
  keys: readonly number[],
  accumulators: WindowAggregateNode["accumulators"],
): WindowAggregateNode {
  const time = input.columns[window.timeColumn];
  const start = keys.length + grouping.accumulators.length;
  return {
    kind: "windowAggregate",
    input,
    window,
    keys,
    accumulators,
    emit: { mode: "final" },
    allowedLatenessMs: 0,
    columns: [
      ...keys.map((place) => withoutTime(input.columns[place])),
      ...accumulatorColumns(grouping.accumulators),
      ...windowColumns(window, time?.type ?? { kind: "timestamp" }),
    ],
    changes: "append",
    key: [...keys.keys(), start, start + 1],
  };
}

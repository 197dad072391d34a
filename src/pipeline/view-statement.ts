/**
 * Plans over one materialized view as statements over its table (`view-table.ts`): filter,
 * projection, ORDER BY and LIMIT become one SELECT. What is more than that runs as any query does.
 */
import type { StreamEntry } from "../sql/check/catalog.ts";
import type { RecordShape } from "../sql/engine/append-sink.ts";
import { columnName } from "../sql/engine/row-layout.ts";
import { sortTerm } from "../sql/engine/window-rank-operator.ts";
import { lowerScalar } from "../sql/functions/lower.ts";
import type { PlanColumn, PlanNode, QueryPlan, SourceNode } from "../sql/plan/plan.ts";
import type { Scalar, SqlValue } from "../sql/plan/scalar.ts";
import { columnsOf, conjunctsOf, mapScalar, substitute } from "../sql/plan/scalar-walk.ts";
import type { ViewStatement } from "./view-table.ts";

type ViewPlan = Pick<StreamEntry, "columns" | "changes">;

/** SQLite's LIMIT for "all". */
const noLimit = -1;

/** The SELECT for a whole plan; null where it is more than one table's filter and projection. */
export function pullStatement(plan: QueryPlan, view: ViewPlan): ViewStatement | null {
  const lowering = new Lowering(view, plan.timeZone);
  const sql = lowering.select(plan.root);
  if (sql === null) return null;
  const { params, lookups } = lowering;
  return { sql, params, lookups: [...lookups], shape: shapeOf(plan.root.columns) };
}

/** Every row as it is, in the order of its record: what a query over the view is fed with. */
export function allRowsStatement(view: ViewPlan): ViewStatement {
  const { columns } = view;
  const names = columns.map((_, index) => columnName(index)).join(", ");
  const value = columns.map(({ name, type }, column) => ({ name, type, column }));
  const sql = `SELECT ${names} FROM rows ORDER BY at`;
  return { sql, params: [], lookups: [], shape: { value, key: [] } };
}

/** What a follower asks a view's table for. */
export interface PushStatements {
  /** Rows whose record is at ?1 or behind it and before ?2, in order; ?3 of them at most. */
  readonly snapshot: PushStatement;
  /** Changes in that range, of which ?3 at most. */
  readonly changes: PushStatement;
}

export type PushStatement = (range: {
  readonly from: number;
  readonly until: number;
  readonly limit: number;
}) => ViewStatement;

/** What became of a row, as the key of an answer's record says it: `{"at":12,"kind":1}`. */
export const changeKinds = ["", "insert", "update", "delete"] as const;

/** Null where the plan is more than filter and projection. */
export function pushStatements(plan: QueryPlan, view: ViewPlan): PushStatements | null {
  const flat = flatten(plan.root);
  if (flat === null) return null;
  const lower = (scalar: Scalar, prefix: string) => {
    const column = (index: number) => `${prefix}${columnName(placeOf(flat.source, view, index))}`;
    return lowerScalar(scalar, column, plan.timeZone);
  };
  if (!flat.source.origins.every((_, index) => placeOf(flat.source, view, index) >= 0)) return null;
  const projections = (prefix: string) => flat.projections.map((each) => lower(each, prefix));
  const filter = (prefix: string) => (flat.filter === null ? "1" : lower(flat.filter, prefix));
  const rows =
    `SELECT ${projections("").join(", ")}, at, 1 FROM rows ` +
    `WHERE at >= ?1 AND at < ?2 AND ${filter("")} ORDER BY at LIMIT ?3`;
  const changes = view.changes === "append" ? rows : changesSql(projections, filter);
  const shape = pushShape(plan.root.columns);
  const statement =
    (sql: string): PushStatement =>
    ({ from, until, limit }) => ({
      ...{ sql, shape, lookups: [] },
      params: [BigInt(from), BigInt(until), BigInt(limit)],
    });
  return { snapshot: statement(rows), changes: statement(changes) };
}

/** A row that enters the filter is inserted, one that leaves it deleted; equals are no change. */
function changesSql(
  projections: (prefix: string) => readonly string[],
  filter: (prefix: string) => string,
): string {
  const olds = projections("o");
  const news = projections("n");
  const shown = news.map((each, index) => `CASE kind WHEN 3 THEN ${olds[index]} ELSE ${each} END`);
  const same = news.map((each, index) => `${each} IS ${olds[index]}`).join(" AND ");
  return (
    `SELECT ${shown.join(", ")}, at, kind FROM (SELECT *, ` +
    "CASE WHEN is_in AND was_in THEN 2 WHEN is_in THEN 1 WHEN was_in THEN 3 ELSE 0 END AS kind " +
    `FROM (SELECT *, (is_now AND ${filter("n")}) IS TRUE AS is_in, ` +
    `(was AND ${filter("o")}) IS TRUE AS was_in FROM changes WHERE at >= ?1 AND at < ?2)) ` +
    `WHERE kind > 0 AND NOT (kind = 2 AND ${same}) ORDER BY at LIMIT ?3`
  );
}

interface FlatPlan {
  readonly source: SourceNode;
  readonly filter: Scalar | null;
  readonly projections: readonly Scalar[];
}

/** Filters and projections over one another as one of each. */
function flatten(node: PlanNode): FlatPlan | null {
  if (node.kind === "source") {
    const projections = node.columns.map(({ type, nullable }, index): Scalar => {
      return { kind: "column", index, type, nullable };
    });
    return node.computed.length > 0 ? null : { source: node, filter: null, projections };
  }
  if (node.kind !== "calc") return null;
  const below = flatten(node.input);
  if (below === null) return null;
  const filter = node.filter === null ? null : substitute(node.filter, below.projections);
  const projections = node.projections.map((each) => substitute(each, below.projections));
  return { source: below.source, filter: both(below.filter, filter), projections };
}

function both(first: Scalar | null, second: Scalar | null): Scalar | null {
  if (first === null || second === null) return first ?? second;
  return {
    ...{ kind: "call", name: "and", args: [first, second] },
    ...{ type: { kind: "boolean" }, nullable: true },
  };
}

/** Place among the view's columns of a column of the source, or −1. */
function placeOf({ origins }: SourceNode, { columns }: ViewPlan, index: number): number {
  const origin = origins[index];
  if (origin?.from !== "value" || origin.path.length !== 1) return -1;
  return columns.findIndex(({ name }) => name === origin.path[0]);
}

class Lowering {
  readonly params: SqlValue[] = [];
  readonly lookups = new Set<number>();
  readonly #view: ViewPlan;
  readonly #timeZone: string;

  constructor(view: ViewPlan, timeZone: string) {
    this.#view = view;
    this.#timeZone = timeZone;
  }

  select(node: PlanNode): string | null {
    switch (node.kind) {
      case "source": {
        const places = node.origins.map((_, index) => placeOf(node, this.#view, index));
        if (node.computed.length > 0 || places.includes(-1)) return null;
        const list = places.map((place, index) => `${columnName(place)} AS ${columnName(index)}`);
        // Every table has a column, even where none is asked for.
        return `SELECT ${["at", ...list].slice(places.length === 0 ? 0 : 1).join(", ")} FROM rows`;
      }
      case "calc": {
        const from = this.select(node.input);
        if (from === null) return null;
        const filter = node.filter === null ? null : this.#lift(node.filter, node.input);
        const list = node.projections.map(
          (each, index) => `${this.#lower(each)} AS ${columnName(index)}`,
        );
        const where = filter === null ? "" : ` WHERE ${this.#lower(filter)}`;
        return `SELECT ${list.join(", ")} FROM (${from})${where}`;
      }
      case "sort": {
        const from = this.select(node.input);
        if (from === null) return null;
        const names = node.columns.map((_, index) => columnName(index)).join(", ");
        const order = node.orderBy.map(sortTerm).join(", ");
        const by = order === "" ? "" : ` ORDER BY ${order}`;
        const limit = `LIMIT ${node.limit ?? noLimit} OFFSET ${node.skip}`;
        return `SELECT ${names} FROM (${from})${by} ${limit}`;
      }
      default:
        return null;
    }
  }

  #lower(scalar: Scalar): string {
    const column = (index: number) =>
      index < firstParam ? columnName(index) : `?${index - firstParam + 1}`;
    return lowerScalar(scalar, column, this.#timeZone);
  }

  /**
   * Values that columns are compared with become parameters, so that lookups of other keys find
   * their statement prepared.
   */
  #lift(filter: Scalar, input: PlanNode): Scalar {
    for (const each of conjunctsOf(filter)) {
      if (each.kind !== "call" || each.name !== "eq" || input.kind !== "source") continue;
      const columns = [...columnsOf(each)];
      const [column] = columns;
      if (columns.length !== 1 || column === undefined) continue;
      if (!each.args.some((arg) => arg.kind === "column")) continue;
      this.lookups.add(placeOf(input, this.#view, column));
    }
    return mapScalar(filter, (each) => {
      if (each.kind !== "call" || each.name !== "eq") return null;
      if (!each.args.some((arg) => arg.kind === "column")) return null;
      return { ...each, args: each.args.map((arg) => this.#param(arg)) };
    });
  }

  #param(scalar: Scalar): Scalar {
    if (scalar.kind !== "literal" || scalar.value === null) return scalar;
    const { value, type } = scalar;
    return {
      kind: "column",
      index: firstParam + this.params.push(value) - 1,
      type,
      nullable: false,
    };
  }
}

/** Columns from here on are parameters. */
const firstParam = 1_000_000;

function shapeOf(columns: readonly PlanColumn[]): RecordShape {
  return { value: columns.map(({ name, type }, column) => ({ name, type, column })), key: [] };
}

function pushShape(columns: readonly PlanColumn[]): RecordShape {
  const bigint = { kind: "bigint" } as const;
  return {
    ...shapeOf(columns),
    key: [
      { name: "at", type: bigint, column: columns.length },
      { name: "kind", type: bigint, column: columns.length + 1 },
    ],
  };
}

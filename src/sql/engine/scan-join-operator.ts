/**
 * Interval join of a stream with a side of few rows, such as the one row per window of a global
 * aggregate (Nexmark q7): the stream's rows are kept in columns, without an index, and looked
 * through whenever a row of the small side comes. Keeping a row costs a copy instead of an INSERT;
 * where the small side is the greatest value of the stream's own windows, rows that are beaten
 * already are not even kept (`best-rows.ts`).
 * What comes out, and in which order, is the same as of `IntervalJoinOperator`.
 */
import { assert } from "../../base/assert.ts";
import { lowerScalar } from "../functions/lower.ts";
import { BestRows } from "../kernel/best-rows.ts";
import { KeptRows } from "../kernel/kept-rows.ts";
import type { RowTable } from "../memory/row-table.ts";
import { extremeJoinOf } from "../plan/extreme-join.ts";
import type { IntervalJoinNode, PlanNode } from "../plan/plan.ts";
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { declareTable, type VirtualTable } from "../sqlite/virtual-table.ts";
import { endOfTime } from "../time/event-time.ts";
import { namesOf } from "./kept-rows.ts";
import { Operator, type Rows, type StatePart } from "./operator.ts";
import {
  boundColumn,
  columnName,
  hiddenIndex,
  type RowLayout,
  tableColumns,
} from "./row-layout.ts";
import { kernelPart } from "./state-part.ts";

export interface ScanJoinOptions {
  readonly name: string;
  readonly node: IntervalJoinNode;
  readonly timeZone: string;
  readonly database: SqliteDatabase;
}

interface Side {
  readonly kept: KeptRows;
  /** The kept rows of this side, and the rows that have just come. */
  readonly old: VirtualTable;
  readonly fresh: VirtualTable;
  /** Pairs of fresh rows of this side with kept rows of the other. */
  readonly match: SqliteStatement;
  /** A row of time t is needed until the watermark passes t + keepMs. */
  readonly keepMs: number;
}

export class ScanJoinOperator extends Operator {
  readonly layout: RowLayout;
  readonly #sides: readonly [Side, Side];
  readonly #result: Collector;
  readonly #parts: readonly StatePart[];
  /** Chooses which rows of one side are kept; null: all are. */
  readonly #picking: { readonly input: number; readonly from: Operator; best: BestRows } | null;

  constructor(inputs: readonly [Operator, Operator], options: ScanJoinOptions) {
    super(inputs);
    const { node, database, name } = options;
    assert(node.joinType === "inner", "an outer join notes who met nobody");
    assert(!inputs.some(({ layout }) => layout.hasWeight), "an interval join adds rows only");
    this.layout = { columns: node.columns, hasOrigin: false, hasWeight: false };
    this.#sides = makeSides(inputs, options);
    this.#result = new Collector(
      database.host,
      tableColumns(this.layout).map(({ kind }) => kind),
    );
    this.#picking = pickingOf(inputs, options);
    this.#parts = this.#sides.map(({ kept }, side) => kernelPart(`${name}_${side}`, kept));
  }

  push(input: number, rows: Rows): void {
    const { table } = rows;
    const side = input === 0 ? this.#sides[0] : this.#sides[1];
    const other = input === 0 ? this.#sides[1] : this.#sides[0];
    if (other.kept.mayHaveRows) this.#match(side, other, table);
    // Only the plan's columns are kept: the table has none of the hidden ones.
    side.fresh.table.pointToAddress(table.address);
    if (input === this.#picking?.input) side.fresh.table.setRows(this.#pick(rows));
    side.kept.append(side.fresh.table);
  }

  /** Rows that are late for the aggregate, which looks at the same rows, beat no other. */
  #pick({ table, origin }: Rows): { readonly rowCount: number; readonly selection: number } {
    assert(this.#picking !== null, "rows are chosen");
    const { from, best } = this.#picking;
    const bound = origin === null ? -1 : hiddenIndex(from.layout, boundColumn);
    return best.pick(table, {
      watermark: from.watermark,
      boundColumn: bound < 0 ? null : bound,
    });
  }

  #match(side: Side, other: Side, table: RowTable): void {
    other.kept.showAll();
    other.old.table.pointToAddress(other.kept.address);
    side.fresh.table.pointToAddress(table.address);
    this.#result.clear();
    const outcome = this.#result.collect(side.match);
    side.match.reset();
    if (outcome.kind === "failed") throw outcome.error;
    this.emit({ table: this.#result.table, origin: null });
  }

  protected override onWatermark(): void {
    for (const { kept, keepMs } of this.#sides) {
      kept.expire(this.watermark === endOfTime ? endOfTime : this.watermark - keepMs);
    }
  }

  /** A row may come out as long as it is kept: its time attribute lies behind by so much. */
  protected override get delayMs(): number {
    return Math.max(0, ...this.#sides.map(({ keepMs }) => keepMs));
  }

  override get state(): readonly StatePart[] {
    return this.#parts;
  }
}

function pickingOf(
  inputs: readonly [Operator, Operator],
  { node, database }: ScanJoinOptions,
): { readonly input: number; readonly from: Operator; best: BestRows } | null {
  const found = extremeJoinOf(node);
  if (found === null) return null;
  const input = found.stream === "left" ? 0 : 1;
  const from = input === 0 ? inputs[0] : inputs[1];
  const kinds = tableColumns(from.layout).map(({ kind }) => kind);
  if (kinds[found.valueColumn] !== "integer") return null;
  return { input, from, best: new BestRows(database.host, found) };
}

function makeSides(
  [left, right]: readonly [Operator, Operator],
  { node, database, name, timeZone }: ScanJoinOptions,
): readonly [Side, Side] {
  const { host } = database;
  const tablesOf = (operator: Operator, suffix: string) => {
    const columns = tableColumns({ ...operator.layout, hasOrigin: false });
    return {
      columns,
      old: declareTable(database, `${name}_${suffix}_old`, columns),
      fresh: declareTable(database, `${name}_${suffix}`, columns),
    };
  };
  const l = tablesOf(left, "l");
  const r = tablesOf(right, "r");
  const leftCount = left.layout.columns.length;
  const column = (index: number) =>
    index < leftCount ? `l.${columnName(index)}` : `r.${columnName(index - leftCount)}`;
  const lTime = `l.${columnName(node.leftTime)}`;
  const rTime = `r.${columnName(node.rightTime)}`;
  const on = [
    ...node.equalities.map((each) => `l.${columnName(each.left)} = r.${columnName(each.right)}`),
    `${lTime} >= ${rTime} + (${node.lowerMs})`,
    `${lTime} <= ${rTime} + (${node.upperMs})`,
    ...(node.residual === null ? [] : [lowerScalar(node.residual, column, timeZone)]),
  ].join(" AND ");
  const both = [...namesOf(left.layout.columns, "l"), ...namesOf(right.layout.columns, "r")];
  // The small side is walked, and its values are looked for in the columns of the large one.
  const isRightSmall = isSmallSide(node.right);
  const match = (lTable: VirtualTable, rTable: VirtualTable, order: string) => {
    const from = isRightSmall
      ? `"${rTable.name}" r CROSS JOIN "${lTable.name}" l`
      : `"${lTable.name}" l CROSS JOIN "${rTable.name}" r`;
    return database.prepare(`SELECT ${both.join(", ")} FROM ${from} WHERE ${on} ORDER BY ${order}`);
  };
  const kept = (columns: typeof l.columns, timeColumn: number) =>
    new KeptRows(host, { kinds: columns.map(({ kind }) => kind), timeColumn });
  return [
    {
      ...{ old: l.old, fresh: l.fresh, kept: kept(l.columns, node.leftTime) },
      match: match(l.fresh, r.old, "l.rowid, r.rowid"),
      keepMs: node.rightLagMs - node.lowerMs,
    },
    {
      ...{ old: r.old, fresh: r.fresh, kept: kept(r.columns, node.rightTime) },
      match: match(l.old, r.fresh, "r.rowid, l.rowid"),
      keepMs: node.leftLagMs + node.upperMs,
    },
  ];
}

/** Whether a side of a join has a row or so per window: an aggregate over all rows of it. */
export function isSmallSide(node: PlanNode): boolean {
  switch (node.kind) {
    case "calc":
      return isSmallSide(node.input);
    case "windowAggregate":
      return node.keys.length === 0;
    default:
      return false;
  }
}

/**
 * Join with bounds on event time: left.time within [right.time + lower, right.time + upper]. A row
 * meets those of the other side that are there when it comes, so each pair comes out once; it is
 * dropped when the watermark has passed all that could still match it. Rows of an outer side that
 * met nobody come out then, with NULLs for the other side.
 */
import { assert } from "../../base/assert.ts";
import { lowerScalar } from "../functions/lower.ts";
import type { IntervalJoinNode, PlanColumn } from "../plan/plan.ts";
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { endOfTime } from "../time/event-time.ts";
import { KeptRows, namesOf } from "./kept-rows.ts";
import { Operator, type Rows } from "./operator.ts";
import { columnName, type RowLayout, tableColumns } from "./row-layout.ts";

export interface IntervalJoinOptions {
  readonly name: string;
  readonly node: IntervalJoinNode;
  readonly timeZone: string;
  readonly database: SqliteDatabase;
}

interface Side {
  readonly rows: KeptRows;
  /** Pairs of rows that came after `seq` ?1 with all of the other side. */
  readonly match: SqliteStatement;
  /** Notes who met somebody; null where nobody asks. */
  readonly mark: SqliteStatement | null;
  readonly expiry: Expiry;
}

interface Expiry {
  /** Rows whose time lies before ?1 and that met nobody; null where they are not wanted. */
  readonly unmatched: SqliteStatement | null;
  readonly drop: SqliteStatement;
  /** A row of time t is needed until the watermark passes t + keepMs. */
  readonly keepMs: number;
}

export class IntervalJoinOperator extends Operator {
  readonly layout: RowLayout;
  readonly #sides: readonly Side[];
  readonly #result: Collector;

  constructor(inputs: readonly [Operator, Operator], options: IntervalJoinOptions) {
    super(inputs);
    const { node, database } = options;
    assert(!inputs.some(({ layout }) => layout.hasWeight), "an interval join adds rows only");
    this.layout = { columns: node.columns, hasOrigin: false, hasWeight: false };
    this.#sides = makeSides(inputs, options);
    this.#result = new Collector(
      database.host,
      tableColumns(this.layout).map(({ kind }) => kind),
    );
  }

  push(input: number, { table }: Rows): void {
    const side = this.#sides[input];
    assert(side !== undefined, "a join has two inputs");
    const before = side.rows.add(table);
    for (const each of this.#sides)
      each.mark?.all(...(each === side ? [before, 0n] : [0n, before]));
    this.#emitRows(side.match.bind(before));
  }

  protected override onWatermark(): void {
    for (const { expiry } of this.#sides) {
      const { unmatched, drop, keepMs } = expiry;
      const before = BigInt(this.watermark === endOfTime ? endOfTime : this.watermark - keepMs);
      if (unmatched !== null) this.#emitRows(unmatched.bind(before));
      drop.all(before);
    }
  }

  /** A row may come out as long as it is kept: its time attribute lies behind by so much. */
  protected override get delayMs(): number {
    return Math.max(0, ...this.#sides.map(({ expiry }) => expiry.keepMs));
  }

  #emitRows(statement: SqliteStatement): void {
    this.#result.clear();
    const outcome = this.#result.collect(statement);
    statement.reset();
    if (outcome.kind === "failed") throw outcome.error;
    this.emit({ table: this.#result.table, origin: null });
  }
}

function makeSides(
  [left, right]: readonly [Operator, Operator],
  options: IntervalJoinOptions,
): readonly Side[] {
  const { node, database, name, timeZone } = options;
  const keep = (side: Operator, suffix: "l" | "r") => {
    const equal = node.equalities.map((each) => (suffix === "l" ? each.left : each.right));
    const time = suffix === "l" ? node.leftTime : node.rightTime;
    const layout = side.layout;
    return new KeptRows(database, { name: `${name}_${suffix}`, layout, indexed: [...equal, time] });
  };
  const l = keep(left, "l");
  const r = keep(right, "r");
  const lTime = columnName(node.leftTime);
  const rTime = columnName(node.rightTime);
  const leftCount = left.layout.columns.length;
  const column = (index: number) =>
    index < leftCount ? `l.${columnName(index)}` : `r.${columnName(index - leftCount)}`;
  const on = [
    ...node.equalities.map((each) => `l.${columnName(each.left)} = r.${columnName(each.right)}`),
    `l.${lTime} BETWEEN r.${rTime} + (${node.lowerMs}) AND r.${rTime} + (${node.upperMs})`,
    ...(node.residual === null ? [] : [lowerScalar(node.residual, column, timeZone)]),
  ].join(" AND ");
  const both = [...namesOf(left.layout.columns, "l"), ...namesOf(right.layout.columns, "r")];
  const wantsLeft = node.joinType === "left" || node.joinType === "full";
  const wantsRight = node.joinType === "right" || node.joinType === "full";
  if (wantsLeft) l.addMark(database);
  if (wantsRight) r.addMark(database);
  // The join order is fixed: the side that came is walked, the other is looked up by its index.
  const select = `SELECT ${both.join(", ")} FROM`;
  const nulls = (columns: readonly PlanColumn[]) => columns.map(() => "NULL");
  return [
    {
      rows: l,
      match: database.prepare(
        `${select} ${l.sqlName} l CROSS JOIN ${r.sqlName} r ON ${on} ` +
          "WHERE l.seq > ?1 ORDER BY l.seq, r.seq",
      ),
      mark: wantsLeft ? database.prepare(markSql(l, r, { on, marked: "l", other: "r" })) : null,
      expiry: {
        keepMs: node.rightLagMs - node.lowerMs,
        drop: database.prepare(`DELETE FROM ${l.sqlName} WHERE ${lTime} < ?1 OR ${lTime} IS NULL`),
        unmatched: wantsLeft
          ? database.prepare(
              `SELECT ${[...namesOf(left.layout.columns, "l"), ...nulls(right.layout.columns)]} ` +
                `FROM ${l.sqlName} l WHERE l.met = 0 AND (l.${lTime} < ?1 OR l.${lTime} IS NULL) ORDER BY l.seq`,
            )
          : null,
      },
    },
    {
      rows: r,
      match: database.prepare(
        `${select} ${r.sqlName} r CROSS JOIN ${l.sqlName} l ON ${on} ` +
          "WHERE r.seq > ?1 ORDER BY r.seq, l.seq",
      ),
      mark: wantsRight ? database.prepare(markSql(r, l, { on, marked: "r", other: "l" })) : null,
      expiry: {
        keepMs: node.leftLagMs + node.upperMs,
        drop: database.prepare(`DELETE FROM ${r.sqlName} WHERE ${rTime} < ?1 OR ${rTime} IS NULL`),
        unmatched: wantsRight
          ? database.prepare(
              `SELECT ${[...nulls(left.layout.columns), ...namesOf(right.layout.columns, "r")]} ` +
                `FROM ${r.sqlName} r WHERE r.met = 0 AND (r.${rTime} < ?1 OR r.${rTime} IS NULL) ORDER BY r.seq`,
            )
          : null,
      },
    },
  ];
}

/** ?1, ?2: of this side and of the other the rows after which pairs are new. */
function markSql(
  marked: KeptRows,
  other: KeptRows,
  names: { readonly on: string; readonly marked: string; readonly other: string },
): string {
  return (
    `UPDATE ${marked.sqlName} AS ${names.marked} SET met = 1 WHERE ${names.marked}.met = 0 ` +
    `AND ${names.marked}.seq > ?1 AND EXISTS (SELECT 1 FROM ${other.sqlName} ${names.other} ` +
    `WHERE ${names.other}.seq > ?2 AND ${names.on})`
  );
}

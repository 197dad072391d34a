/**
 * Join with bounds on event time: left.time within [right.time + lower, right.time + upper]. A row
 * meets those of the other side that are there when it comes, so each pair comes out once; it is
 * dropped when the watermark has passed all that could still match it. Rows of an outer side that
 * met nobody come out then, with NULLs for the other side.
 *
 * A pair for which the condition of an outer join fails is an error, and both its rows count as
 * having met: whether they have, nobody can say. (Of an inner join a filter behind it asks.)
 */
import { assert } from "../../base/assert.ts";
import { isStreamError, type StreamError } from "../../base/stream-error.ts";
import { lowerScalar } from "../functions/lower.ts";
import { mayFail } from "../plan/may-fail.ts";
import type { IntervalJoinNode, PlanColumn } from "../plan/plan.ts";
import type { Scalar } from "../plan/scalar.ts";
import { conjunctsOf } from "../plan/scalar-walk.ts";
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { endOfTime } from "../time/event-time.ts";
import { reasonOf } from "./evaluation-error.ts";
import { JoinPairs } from "./join-pairs.ts";
import { KeptRows, namesOf } from "./kept-rows.ts";
import { Operator, type OperatorContext, type Rows } from "./operator.ts";
import { columnName, type RowLayout, tableColumns } from "./row-layout.ts";

export interface IntervalJoinOptions {
  readonly name: string;
  readonly node: IntervalJoinNode;
  readonly timeZone: string;
  readonly database: SqliteDatabase;
  readonly context: OperatorContext;
}

interface Side {
  readonly rows: KeptRows;
  /** Pairs of rows that came after `seq` ?1 with all of the other side. */
  readonly match: SqliteStatement;
  /** Notes who met somebody; null where nobody asks. */
  readonly mark: SqliteStatement | null;
  readonly expiry: Expiry;
  /** What `match` and `mark` do, pair by pair; null where the condition fails for none. */
  readonly makePairs: (() => JoinPairs) | null;
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
  readonly #context: OperatorContext;
  readonly #pairs: (JoinPairs | undefined)[] = [];

  constructor(inputs: readonly [Operator, Operator], options: IntervalJoinOptions) {
    super(inputs);
    const { node, database } = options;
    assert(!inputs.some(({ layout }) => layout.hasWeight), "an interval join adds rows only");
    this.layout = { columns: node.columns, hasOrigin: false, hasWeight: false };
    this.#sides = makeSides(inputs, options);
    this.#context = options.context;
    this.#result = new Collector(
      database.host,
      tableColumns(this.layout).map(({ kind }) => kind),
    );
  }

  push(input: number, { table }: Rows): void {
    const side = this.#sides[input];
    assert(side !== undefined, "a join has two inputs");
    const before = side.rows.add(table);
    const error = this.#matchAtOnce(side, before);
    if (error !== null) this.#matchPairs(input, before, error);
    this.emit({ table: this.#result.table, origin: null });
  }

  /** Collects the pairs of the rows after `before`, or gives what failed in one of them. */
  #matchAtOnce(side: Side, before: bigint): StreamError | null {
    const error = this.#collect(side.match.bind(before));
    if (error !== null) return error;
    try {
      for (const each of this.#sides)
        each.mark?.all(...(each === side ? [before, 0n] : [0n, before]));
      return null;
    } catch (failed) {
      if (isStreamError(failed, "sql_evaluation_failed")) return failed;
      throw failed;
    }
  }

  #matchPairs(input: number, before: bigint, error: StreamError): void {
    let pairs = this.#pairs[input];
    pairs ??= this.#sides[input]?.makePairs?.();
    if (pairs === undefined) throw error;
    this.#pairs[input] = pairs;
    this.#result.clear();
    pairs.collect(before, this.#result, (failed) => {
      this.#context.onError({ origin: null, reason: reasonOf(failed) });
    });
  }

  protected override onWatermark(): void {
    for (const { expiry } of this.#sides) {
      const { unmatched, drop, keepMs } = expiry;
      const before = BigInt(this.watermark === endOfTime ? endOfTime : this.watermark - keepMs);
      if (unmatched !== null) {
        const error = this.#collect(unmatched.bind(before));
        if (error !== null) throw error;
        this.emit({ table: this.#result.table, origin: null });
      }
      drop.change(before);
    }
  }

  /** A row may come out as long as it is kept: its time attribute lies behind by so much. */
  protected override get delayMs(): number {
    return Math.max(0, ...this.#sides.map(({ expiry }) => expiry.keepMs));
  }

  #collect(statement: SqliteStatement): StreamError | null {
    this.#result.clear();
    const outcome = this.#result.collect(statement);
    statement.reset();
    return outcome.kind === "failed" ? outcome.error : null;
  }
}

function makeSides(
  [left, right]: readonly [Operator, Operator],
  options: IntervalJoinOptions,
): readonly Side[] {
  const { node, database, name } = options;
  const keep = (side: Operator, suffix: "l" | "r") => {
    const equal = node.equalities.map((each) => (suffix === "l" ? each.left : each.right));
    const time = suffix === "l" ? node.leftTime : node.rightTime;
    const layout = side.layout;
    return new KeptRows(database, { name: `${name}_${suffix}`, layout, indexed: [...equal, time] });
  };
  const l = keep(left, "l");
  const r = keep(right, "r");
  const leftNames = namesOf(left.layout.columns, "l");
  const rightNames = namesOf(right.layout.columns, "r");
  const terms = termsOf(left.layout.columns.length, options);
  const on = [...terms.total, ...terms.partial].join(" AND ");
  const both = [...leftNames, ...rightNames].join(", ");
  const wantsLeft = node.joinType === "left" || node.joinType === "full";
  const wantsRight = node.joinType === "right" || node.joinType === "full";
  if (wantsLeft) l.addMark(database);
  if (wantsRight) r.addMark(database);
  // The join order is fixed: the side that came is walked, the other is looked up by its index.
  const fromLeft = `FROM ${l.sqlName} l CROSS JOIN ${r.sqlName} r ON`;
  const fromRight = `FROM ${r.sqlName} r CROSS JOIN ${l.sqlName} l ON`;
  const afterLeft = "WHERE l.seq > ?1 ORDER BY l.seq, r.seq";
  const afterRight = "WHERE r.seq > ?1 ORDER BY r.seq, l.seq";
  const markOne = ({ sqlName }: KeptRows) => `UPDATE ${sqlName} SET met = 1 WHERE seq = ?1`;
  const pairsOf = (from: string, after: string) => () =>
    new JoinPairs(database, {
      candidates: `SELECT l.seq, r.seq ${from} ${terms.total.join(" AND ")} ${after}`,
      pair: `SELECT ${both} ${from} ${terms.partial.join(" AND ")} WHERE l.seq = ?1 AND r.seq = ?2`,
      marks: [wantsLeft ? markOne(l) : null, wantsRight ? markOne(r) : null],
    });
  const mayFailForPairs = terms.partial.length > 0;
  const nulls = (columns: readonly PlanColumn[]) => columns.map(() => "NULL");
  return [
    {
      rows: l,
      match: database.prepare(`SELECT ${both} ${fromLeft} ${on} ${afterLeft}`),
      mark: wantsLeft ? database.prepare(markSql(l, r, { on, marked: "l", other: "r" })) : null,
      makePairs: mayFailForPairs ? pairsOf(fromLeft, afterLeft) : null,
      expiry: expiryOf(database, {
        from: `${l.sqlName} AS l`,
        time: `l.${columnName(node.leftTime)}`,
        keepMs: node.rightLagMs - node.lowerMs,
        unmatched: wantsLeft ? [...leftNames, ...nulls(right.layout.columns)] : null,
      }),
    },
    {
      rows: r,
      match: database.prepare(`SELECT ${both} ${fromRight} ${on} ${afterRight}`),
      mark: wantsRight ? database.prepare(markSql(r, l, { on, marked: "r", other: "l" })) : null,
      makePairs: mayFailForPairs ? pairsOf(fromRight, afterRight) : null,
      expiry: expiryOf(database, {
        from: `${r.sqlName} AS r`,
        time: `r.${columnName(node.rightTime)}`,
        keepMs: node.leftLagMs + node.upperMs,
        unmatched: wantsRight ? [...nulls(left.layout.columns), ...rightNames] : null,
      }),
    },
  ];
}

interface Terms {
  /** Have a value for every pair. */
  readonly total: readonly string[];
  /** May fail for a pair. */
  readonly partial: readonly string[];
}

/** What is between ANDs in the condition, over rows `l` and `r`. */
function termsOf(leftCount: number, { node, timeZone }: IntervalJoinOptions): Terms {
  const column = (index: number) =>
    index < leftCount ? `l.${columnName(index)}` : `r.${columnName(index - leftCount)}`;
  const lTime = `l.${columnName(node.leftTime)}`;
  const rTime = `r.${columnName(node.rightTime)}`;
  const residual = node.residual === null ? [] : conjunctsOf(node.residual);
  const sqlOf = (each: Scalar) => lowerScalar(each, column, timeZone);
  return {
    total: [
      ...node.equalities.map((each) => `l.${columnName(each.left)} = r.${columnName(each.right)}`),
      `${lTime} BETWEEN ${rTime} + (${node.lowerMs}) AND ${rTime} + (${node.upperMs})`,
      ...residual.filter((each) => !mayFail(each)).map(sqlOf),
    ],
    partial: residual.filter(mayFail).map(sqlOf),
  };
}

interface ExpiryOptions {
  /** Table and alias. */
  readonly from: string;
  readonly time: string;
  readonly keepMs: number;
  /** What stands in a row of the join for one that met nobody; null where that is not wanted. */
  readonly unmatched: readonly string[] | null;
}

function expiryOf(database: SqliteDatabase, options: ExpiryOptions): Expiry {
  const { from, time, keepMs, unmatched } = options;
  const isPast = `(${time} < ?1 OR ${time} IS NULL)`;
  return {
    keepMs,
    drop: database.prepare(`DELETE FROM ${from} WHERE ${isPast}`),
    unmatched:
      unmatched === null
        ? null
        : database.prepare(
            `SELECT ${unmatched.join(", ")} FROM ${from} WHERE met = 0 AND ${isPast} ORDER BY seq`,
          ),
  };
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

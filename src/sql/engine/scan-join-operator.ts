/**
 * Interval join of a stream with a side of few rows, such as the one row per window of a global
 * aggregate (Nexmark q7): the stream's rows are kept in columns, without an index, and looked
 * through whenever a row of the small side comes. Keeping a row costs a copy instead of an INSERT;
 * where the small side is the greatest value of the stream's own windows, rows that are beaten
 * already are not even kept (`best-rows.ts`).
 *
 * What comes out, and in which order, is the same as of `IntervalJoinOperator`. When memory is
 * short, rows that are kept leave for a table of the task's database, and are met there (ADR 41).
 */
import { assert } from "../../base/assert.ts";
import { lowerScalar } from "../functions/lower.ts";
import { BestRows } from "../kernel/best-rows.ts";
import { KeptRows } from "../kernel/kept-rows.ts";
import type { SpillSpace } from "../kernel/spill-space.ts";
import type { RowTable } from "../memory/row-table.ts";
import { extremeJoinOf } from "../plan/extreme-join.ts";
import type { IntervalJoinNode, PlanNode } from "../plan/plan.ts";
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { quoteName } from "../sqlite/quote.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { declareTable, type VirtualTable } from "../sqlite/virtual-table.ts";
import { endOfTime } from "../time/event-time.ts";
import { namesOf } from "./kept-rows.ts";
import { LeftRows } from "./left-rows.ts";
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
  readonly spill?: SpillSpace;
}

/** Names of the tables of rows that left memory, and of those that are kept. */
type Others = readonly [string, string];

interface LeftMatch {
  /** The statements are for one fresh row; else one is for all. */
  readonly isByRow: boolean;
  readonly statements: () => readonly SqliteStatement[];
}

interface Side {
  readonly kept: KeptRows;
  /** The kept rows of this side, and the rows that have just come. */
  readonly old: VirtualTable;
  readonly fresh: VirtualTable;
  /** Rows that left memory, all before those that are kept. */
  readonly left: LeftRows;
  /** Pairs of fresh rows of this side with kept rows of the other. */
  readonly match: SqliteStatement;
  /** The same also with those of the other that left memory, where there are any. */
  readonly matchLeft: LeftMatch;
  /** A row of time t is needed until the watermark passes t + keepMs. */
  readonly keepMs: number;
}

export class ScanJoinOperator extends Operator {
  readonly layout: RowLayout;
  readonly #sides: readonly [Side, Side];
  readonly #result: Collector;
  readonly #parts: readonly StatePart[];
  readonly #space: SpillSpace | null;
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
    this.#space = options.spill ?? null;
    for (const { kept } of this.#sides) this.#space?.addHolder(kept);
    this.#parts = this.#sides.map(({ kept }, side) => kernelPart(`${name}_${side}`, kept));
  }

  push(input: number, rows: Rows): void {
    const { table } = rows;
    const side = input === 0 ? this.#sides[0] : this.#sides[1];
    const other = input === 0 ? this.#sides[1] : this.#sides[0];
    if (other.kept.mayHaveRows || other.left.areThere) this.#match(side, other, table);
    // Only the plan's columns are kept: the table has none of the hidden ones.
    side.fresh.table.pointToAddress(table.address);
    if (input === this.#picking?.input) side.fresh.table.setRows(this.#pick(rows));
    side.kept.append(side.fresh.table);
    this.#leave(side);
  }

  /** Rows leave when memory is short and theirs are a part of it that counts. */
  #leave({ kept, left, old }: Side): void {
    const space = this.#space;
    if (space === null || space.bytesOver <= 0 || !kept.mayHaveRows) return;
    if (kept.bytesHeld < space.bytesMax * smallShare) return;
    kept.showAll();
    old.table.pointToAddress(kept.address);
    left.add(old.table);
    kept.handOver();
    space.noteLeft();
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
    if (other.left.areThere) {
      this.#matchLeft(side);
      return;
    }
    this.#result.clear();
    const outcome = this.#result.collect(side.match);
    side.match.reset();
    if (outcome.kind === "failed") throw outcome.error;
    this.emit({ table: this.#result.table, origin: null });
  }

  #matchLeft({ fresh: { table }, matchLeft }: Side): void {
    const statements = matchLeft.statements();
    const { rowCount, selection } = table;
    const step = matchLeft.isByRow ? 1 : rowCount;
    for (let first = 0; first < rowCount; first += step) {
      table.setRows({ rowCount: first + step, selection, first });
      for (const statement of statements) this.#emitParts(statement);
    }
    table.setRows({ rowCount, selection });
  }

  /** There may be more than memory holds. */
  #emitParts(statement: SqliteStatement): void {
    try {
      for (let isFull = true; isFull; ) {
        this.#result.clear();
        const outcome = this.#result.collect(statement, partLimits);
        if (outcome.kind === "failed") throw outcome.error;
        isFull = outcome.kind === "full";
        this.emit({ table: this.#result.table, origin: null });
      }
    } finally {
      statement.reset();
    }
  }

  protected override onWatermark(): void {
    for (const { kept, left, keepMs } of this.#sides) {
      const bound = this.watermark === endOfTime ? endOfTime : this.watermark - keepMs;
      kept.expire(bound);
      left.expire(bound);
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

/** Rows that hold less than this part of what all may hold are not what memory is short of. */
const smallShare = 1 / 32;
/** Pairs with rows that left memory go down in parts. */
const partLimits = { rowsMax: 16_384, bytesMax: 1024 * 1024 };

/** Where times of the other side lie that match a row's of this side. */
function boundsOf({ lowerMs, upperMs }: IntervalJoinNode, side: 0 | 1) {
  return side === 1 ? { lower: lowerMs, upper: upperMs } : { lower: -upperMs, upper: -lowerMs };
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

/** Aliases by which pairs are sorted: the fresh side, the other. */
type Order = readonly [string, string];

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
  const from = (lName: string, rName: string) =>
    isRightSmall
      ? `${quoteName(rName)} r CROSS JOIN ${quoteName(lName)} l`
      : `${quoteName(lName)} l CROSS JOIN ${quoteName(rName)} r`;
  const match = (lTable: VirtualTable, rTable: VirtualTable, [first, second]: Order) =>
    database.prepare(
      `SELECT ${both.join(", ")} FROM ${from(lTable.name, rTable.name)} WHERE ${on} ` +
        `ORDER BY ${first}.rowid, ${second}.rowid`,
    );
  const alias = ["l", "r"] as const;
  const times = [columnName(node.leftTime), columnName(node.rightTime)] as const;
  // Of one row of the small side: what matches it is not sorted, for there may be much of it.
  const matchOne = (fresh: 0 | 1, freshName: string, [leftName, oldName]: Others) => {
    const other = fresh === 0 ? 1 : 0;
    const { lower, upper } = boundsOf(node, fresh);
    const time = `${alias[fresh]}.${times[fresh]}`;
    const within =
      `${alias[other]}.rowid IN (SELECT rowid FROM ${quoteName(leftName)} WHERE ${times[other]} ` +
      `BETWEEN ${time} + (${lower}) AND ${time} + (${upper}))`;
    const sql = (name: string, also: string) =>
      `SELECT ${both.join(", ")} FROM ${quoteName(freshName)} ${alias[fresh]} CROSS JOIN ` +
      `${quoteName(name)} ${alias[other]} WHERE ${also}${on}`;
    return [sql(leftName, `${within} AND `), sql(oldName, "")];
  };
  // Rows that left came before all that are kept.
  const matchAll = (fresh: 0 | 1, freshName: string, others: Others) => {
    const columns = both.map((name, index) => `${name} AS n${index}`).join(", ");
    const parts = others.map((name, index) => {
      const [lName, rName] = fresh === 0 ? [freshName, name] : [name, freshName];
      const order = `${alias[fresh]}.rowid AS x, ${index} AS y, ${alias[1 - fresh]}.rowid AS z`;
      return `SELECT ${columns}, ${order} FROM ${from(lName, rName)} WHERE ${on}`;
    });
    const names = both.map((_, index) => `n${index}`).join(", ");
    return [`SELECT ${names} FROM (${parts.join(" UNION ALL ")}) ORDER BY x, y, z`];
  };
  const matchLeft = (fresh: 0 | 1, freshName: string, others: Others): LeftMatch => {
    const isByRow = (fresh === 1) === isRightSmall;
    let statements: readonly SqliteStatement[] | null = null;
    return {
      isByRow,
      statements: () => {
        const sql = (isByRow ? matchOne : matchAll)(fresh, freshName, others);
        statements ??= sql.map((each) => database.prepare(each));
        return statements;
      },
    };
  };
  const leftOf = (operator: Operator, suffix: string, timeColumn: number) =>
    new LeftRows(database, { name: `${name}_${suffix}_left`, layout: operator.layout, timeColumn });
  const lLeft = leftOf(left, "l", node.leftTime);
  const rLeft = leftOf(right, "r", node.rightTime);
  const kept = (columns: typeof l.columns, timeColumn: number) =>
    new KeptRows(host, { kinds: columns.map(({ kind }) => kind), timeColumn });
  return [
    {
      ...{ old: l.old, fresh: l.fresh, kept: kept(l.columns, node.leftTime) },
      left: lLeft,
      match: match(l.fresh, r.old, ["l", "r"]),
      matchLeft: matchLeft(0, l.fresh.name, [rLeft.name, r.old.name]),
      keepMs: node.rightLagMs - node.lowerMs,
    },
    {
      ...{ old: r.old, fresh: r.fresh, kept: kept(r.columns, node.rightTime) },
      left: rLeft,
      match: match(l.old, r.fresh, ["r", "l"]),
      matchLeft: matchLeft(1, r.fresh.name, [lLeft.name, l.old.name]),
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

/**
 * Join of two windowed inputs. Both sides are kept until their window closes; then SQLite joins
 * them. Results come in the order of the left side's rows, then the right's. Where one side is the
 * greatest value of the other's windows, rows that are beaten already are not kept (Nexmark q5).
 * Windows that come whole and close before a commit are joined by a kernel (`fresh-windows.ts`).
 */
import { assert } from "../../base/assert.ts";
import { lowerScalar } from "../functions/lower.ts";
import { BestRows } from "../kernel/best-rows.ts";
import { extremeWindowJoinOf } from "../plan/extreme-window-join.ts";
import type { WindowJoinNode } from "../plan/plan.ts";
import type { Scalar } from "../plan/scalar.ts";
import { columnsOf, conjunction, conjunctsOf } from "../plan/scalar-walk.ts";
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { noTime } from "../time/event-time.ts";
import { reasonOf } from "./evaluation-error.ts";
import { type FreshWindows, freshWindowsOf } from "./fresh-windows.ts";
import { KeptRows, namesOf } from "./kept-rows.ts";
import { Operator, type OperatorContext, type Rows } from "./operator.ts";
import { columnName, type RowLayout, tableColumns } from "./row-layout.ts";
import { WindowClosings } from "./window-closings.ts";
import { WindowTime } from "./window-time.ts";

export interface WindowJoinOptions {
  readonly name: string;
  readonly node: WindowJoinNode;
  readonly timeZone: string;
  readonly database: SqliteDatabase;
  readonly context: OperatorContext;
  readonly seed: bigint;
}

/** The rows of one side, one by one: for windows in which a condition fails for a pair. */
interface Pass {
  /** Of the rows of a window, in order. */
  readonly rows: SqliteStatement;
  /** What one of them gives; ?2 its `seq`. */
  readonly one: SqliteStatement;
}

export class WindowJoinOperator extends Operator {
  readonly layout: RowLayout;
  readonly #sides: readonly [KeptRows, KeptRows];
  readonly #time: WindowTime;
  readonly #closings: WindowClosings;
  /** Null where all windows are SQLite's. */
  readonly #fresh: FreshWindows | null;
  readonly #join: SqliteStatement;
  readonly #result: Collector;
  /** Chooses which rows of one side are kept; null: all are. */
  readonly #picking: { readonly input: number; readonly best: BestRows } | null;
  readonly #context: OperatorContext;
  readonly #makePasses: () => readonly Pass[];
  #passes: readonly Pass[] | null = null;

  constructor(inputs: readonly [Operator, Operator], options: WindowJoinOptions) {
    super(inputs);
    const { node, database, name } = options;
    assert(!inputs.some(({ layout }) => layout.hasWeight), "a window join adds rows only");
    this.layout = { columns: node.columns, hasOrigin: false, hasWeight: false };
    const [left, right] = inputs;
    const keep = (side: Operator, suffix: string, indexed: readonly number[]) =>
      new KeptRows(database, { name: `${name}_${suffix}`, layout: side.layout, indexed });
    this.#sides = [keep(left, "l", [node.leftWindow[1]]), keep(right, "r", indexedOn(node))];
    this.#time = new WindowTime(node.windowTime);
    this.#closings = new WindowClosings(database, {
      tables: [
        { sqlName: this.#sides[0].sqlName, endColumn: columnName(node.leftWindow[1]) },
        { sqlName: this.#sides[1].sqlName, endColumn: columnName(node.rightWindow[1]) },
      ],
      time: this.#time,
    });
    const sides = { left, right };
    this.#join = database.prepare(
      joinSql(options, this.#sides, sides, { joinType: node.joinType }),
    );
    this.#context = options.context;
    this.#makePasses = () =>
      passesOf(node).map(({ of, ...pass }) => {
        const { sqlName } = this.#sides[of === "l" ? 0 : 1];
        const end = columnName(of === "l" ? node.leftWindow[1] : node.rightWindow[1]);
        return {
          rows: database.prepare(`SELECT seq FROM ${sqlName} WHERE ${end} = ?1 ORDER BY seq`),
          one: database.prepare(joinSql(options, this.#sides, sides, { ...pass, only: of })),
        };
      });
    this.#result = new Collector(
      database.host,
      tableColumns(this.layout).map(({ kind }) => kind),
    );
    this.#picking = pickingOf(inputs, options);
    const kindsOf = ({ layout }: Operator) => tableColumns(layout).map(({ kind }) => kind);
    const kinds = [kindsOf(left), kindsOf(right)] as const;
    // Rows that are used one by one are of many windows at a time.
    const isWhole = !left.layout.hasOrigin && !right.layout.hasOrigin && this.#picking === null;
    const { seed } = options;
    this.#fresh = isWhole ? freshWindowsOf(node, database.host, { kinds, seed }) : null;
  }

  push(input: number, { table }: Rows): void {
    assert(input === 0 || input === 1, "a join has two inputs");
    if (this.#fresh !== null && this.#closings.isEmpty) {
      if (this.#fresh.take(input, table)) return;
      this.#leaveFresh();
    }
    this.#store(input, table);
  }

  #store(input: 0 | 1, table: Rows["table"]): void {
    const side = this.#sides[input];
    side.add(table, input === this.#picking?.input ? this.#picking.best.pick(table, noLate) : null);
    this.#closings.noteRows();
  }

  override onTime(publishedAt: number): void {
    if (this.#time.isProcessing) this.#closeUntil(publishedAt);
  }

  protected override onWatermark(): void {
    if (this.#time.isProcessing && !this.hasEnded) return;
    this.#closeUntil(this.watermark);
  }

  /** What is not joined by now goes to the tables, of which a checkpoint is made. */
  override flush(): void {
    this.#leaveFresh();
  }

  #leaveFresh(): void {
    this.#fresh?.leave((side, table) => this.#store(side, table));
  }

  #closeUntil(until: number): void {
    this.#fresh?.close(
      (end) => this.#time.momentOf(Number(end)) <= until,
      (table) => this.emit({ table, origin: null }),
    );
    this.#closings.closeUntil(until, (end) => {
      this.#result.clear();
      const outcome = this.#result.collect(this.#join.bind(end));
      this.#join.reset();
      if (outcome.kind === "failed") this.#closeRowByRow(end);
      else this.emit({ table: this.#result.table, origin: null });
    });
  }

  /** A row for which the condition fails is in error; the others are joined as ever. */
  #closeRowByRow(end: bigint): void {
    this.#passes ??= this.#makePasses();
    for (const { rows, one } of this.#passes) {
      for (const [seq] of rows.all(end)) {
        this.#result.clear();
        const outcome = this.#result.collect(one.bind(end, seq as bigint));
        one.reset();
        if (outcome.kind === "failed") {
          this.#context.onError({ origin: null, reason: reasonOf(outcome.error) });
        } else this.emit({ table: this.#result.table, origin: null });
      }
    }
  }

  override get lastWindowEnd(): number {
    const end = this.#fresh?.lastEnd ?? null;
    if (end === null) return this.#closings.lastEnd;
    return this.#time.isProcessing ? noTime : this.#time.momentOf(Number(end));
  }

  override get nextTickAt(): number | undefined {
    const end = this.#fresh?.firstEnd ?? null;
    if (end === null) return this.#closings.nextTickAt;
    return this.#time.isProcessing ? this.#time.momentOf(Number(end)) : undefined;
  }
}

/** Rows of an aggregate are never late. */
const noLate = { watermark: noTime, boundColumn: null } as const;

function pickingOf(
  inputs: readonly [Operator, Operator],
  { node, database }: WindowJoinOptions,
): { readonly input: number; readonly best: BestRows } | null {
  const found = extremeWindowJoinOf(node);
  if (found === null) return null;
  const { stream, endColumn, valueColumn, extreme } = found;
  const input = stream === "left" ? 0 : 1;
  const kinds = tableColumns(inputs[input].layout).map(({ kind }) => kind);
  if (kinds[valueColumn] !== "integer") return null;
  // Each end is a window of a millisecond of its own, and met by no other.
  const window = { timeColumn: endColumn, sizeMs: 1, offsetMs: 0, fromMs: 1, toMs: 1 };
  return { input, best: new BestRows(database.host, { ...window, valueColumn, extreme }) };
}

/** What rows of the right side are found by. */
function indexedOn(node: WindowJoinNode): readonly number[] {
  const found = notInOf(node);
  const equal = node.equalities.map((each) => each.right);
  return [node.rightWindow[1], ...equal, ...(found === null ? [] : [found.right])];
}

/** A comparison of NOT IN, which counts as a match unless it is FALSE. */
interface NotIn {
  readonly comparison: Scalar;
  /** Over the left side. */
  readonly value: Scalar;
  /** Column of the right side. */
  readonly right: number;
  /** What else must hold of a match. */
  readonly rest: readonly Scalar[];
}

/** The first comparison of that kind between a value of the left side and a column of the right. */
function notInOf({ joinType, residual, left }: WindowJoinNode): NotIn | null {
  if (joinType !== "anti" || residual === null) return null;
  const width = left.columns.length;
  const conjuncts = conjunctsOf(residual);
  for (const each of conjuncts) {
    const [comparison] = each.kind === "call" && each.name === "isNotFalse" ? each.args : [];
    if (comparison?.kind !== "call" || comparison.name !== "eq") continue;
    const [value, column] = comparison.args;
    if (value === undefined || column?.kind !== "column" || column.index < width) continue;
    if ([...columnsOf(value)].some((index) => index >= width)) continue;
    const rest = conjuncts.filter((other) => other !== each);
    return { comparison, value, right: column.index - width, rest };
  }
  return null;
}

interface JoinPass {
  readonly joinType: WindowJoinNode["joinType"] | "unmatched";
  /** Whose row, of `seq` ?2, is the only one. */
  readonly only?: "l" | "r";
}

/** Passes over rows of a side that give together what the join gives at once. */
function passesOf({ joinType }: WindowJoinNode): readonly (JoinPass & { of: "l" | "r" })[] {
  if (joinType === "right") return [{ joinType, of: "r" }];
  if (joinType !== "full") return [{ joinType, of: "l" }];
  return [
    { joinType: "left", of: "l" },
    { joinType: "unmatched", of: "r" },
  ];
}

/** ?1 the end of the window that closes. */
function joinSql(
  { node, timeZone }: WindowJoinOptions,
  [leftRows, rightRows]: readonly [KeptRows, KeptRows],
  { left, right }: { readonly left: Operator; readonly right: Operator },
  { joinType, only }: JoinPass,
): string {
  const leftCount = left.layout.columns.length;
  const column = (index: number) =>
    index < leftCount ? `l.${columnName(index)}` : `r.${columnName(index - leftCount)}`;
  const sql = (scalar: Scalar) => lowerScalar(scalar, column, timeZone);
  const notIn = notInOf(node);
  const residual = notIn === null ? node.residual : conjunction(notIn.rest);
  const matches = [
    `l.${columnName(node.leftWindow[0])} = r.${columnName(node.rightWindow[0])}`,
    ...node.equalities.map((each) => `l.${columnName(each.left)} = r.${columnName(each.right)}`),
    ...(residual === null ? [] : [sql(residual)]),
  ].join(" AND ");
  const rowsOf = (side: "l" | "r", { sqlName }: KeptRows, end: number) => {
    const one = only === side ? " AND seq = ?2" : "";
    return `(SELECT * FROM ${sqlName} WHERE ${columnName(end)} = ?1${one})`;
  };
  const l = rowsOf("l", leftRows, node.leftWindow[1]);
  const r = rowsOf("r", rightRows, node.rightWindow[1]);
  const leftNames = namesOf(left.layout.columns, "l");
  const bothNames = [...leftNames, ...namesOf(right.layout.columns, "r")];
  if (joinType === "unmatched") {
    const nulls = leftNames.map(() => "NULL");
    const list = [...nulls, ...namesOf(right.layout.columns, "r")].join(", ");
    return `SELECT ${list} FROM ${r} r WHERE NOT EXISTS (SELECT 1 FROM ${l} l WHERE ${matches})`;
  }
  if (joinType === "semi" || joinType === "anti") {
    const exists = (more: string) => `EXISTS (SELECT 1 FROM ${r} r WHERE ${matches}${more})`;
    const plain = joinType === "semi" ? exists("") : `NOT ${exists("")}`;
    // A scan of the window per row of the left side, where no index finds what is not FALSE, is
    // parted into looks at equals and at NULLs.
    const where =
      notIn === null
        ? plain
        : `NOT ${exists(` AND ${sql(notIn.comparison)}`)} AND ` +
          `NOT ${exists(` AND r.${columnName(notIn.right)} IS NULL`)} AND ` +
          `(${sql(notIn.value)} IS NOT NULL OR ${plain})`;
    return `SELECT ${leftNames.join(", ")} FROM ${l} l WHERE ${where} ORDER BY l.seq`;
  }
  const kind = `${joinType.toUpperCase()} JOIN`;
  return (
    `SELECT ${bothNames.join(", ")} FROM ${l} l ${kind} ${r} r ON ${matches} ` +
    "ORDER BY l.seq IS NULL, l.seq, r.seq"
  );
}

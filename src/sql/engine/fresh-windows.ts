/**
 * Windows of a join that come whole and close soon: where both sides are aggregates, the rows of a
 * window come all at once, and are joined before anything is committed. They never see a table of
 * the database then. What is still here when a commit is near goes there, as does all that comes
 * while there is something: so a window's rows are in one place, in order.
 */
import { type EqualColumns, MatchedRows } from "../kernel/matched-rows.ts";
import { columnField } from "../memory/column-layout.ts";
import { integerAt } from "../memory/row-access.ts";
import { RowTable } from "../memory/row-table.ts";
import type { WindowJoinNode } from "../plan/plan.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import type { ValueKind } from "../types/data-type.ts";

export interface FreshWindowsOptions {
  readonly kinds: readonly [left: readonly ValueKind[], right: readonly ValueKind[]];
  /** Columns of window_end. */
  readonly ends: readonly [left: number, right: number];
  readonly equal: readonly EqualColumns[];
  readonly seed: bigint;
}

interface FreshWindow {
  readonly end: bigint;
  readonly rows: MatchedRows;
}

/** As many as a watermark closes at once, mostly; what goes beyond is SQLite's. */
const windowsMax = 8;
/** Of what all of them hold. */
const bytesMax = 16 * 1024 * 1024;

export class FreshWindows {
  readonly #host: SqliteHost;
  readonly #options: FreshWindowsOptions;
  readonly #idle: MatchedRows[] = [];
  /** By their ends, ascending. */
  readonly #windows: FreshWindow[] = [];
  readonly #shown: readonly [RowTable, RowTable];

  constructor(host: SqliteHost, options: FreshWindowsOptions) {
    this.#host = host;
    this.#options = options;
    const [left, right] = options.kinds;
    this.#shown = [new RowTable(host.memory, left), new RowTable(host.memory, right)];
  }

  /** Whether it has rows; then no others may be elsewhere. */
  get hasRows(): boolean {
    return this.#windows.length > 0;
  }

  get firstEnd(): bigint | null {
    return this.#windows[0]?.end ?? null;
  }

  get lastEnd(): bigint | null {
    return this.#windows.at(-1)?.end ?? null;
  }

  /** Keeps copies of rows that are all of one window. False: they are not, or there is no room. */
  take(side: 0 | 1, table: RowTable): boolean {
    if (table.rowCount === 0) return true;
    const end = endOf(table, this.#options.ends[side]);
    if (end === null) return false;
    const window = this.#windows.find((each) => each.end === end) ?? this.#open(end);
    // A window whose groups come in parts may have any number of them.
    if (window === null || this.#bytesHeld > bytesMax) return false;
    window.rows.add(side, table);
    return true;
  }

  #open(end: bigint): FreshWindow | null {
    if (this.#windows.length >= windowsMax || this.#bytesHeld > bytesMax) return null;
    const { kinds, ends, equal, seed } = this.#options;
    const [left, right] = kinds;
    const rows =
      this.#idle.pop() ?? new MatchedRows(this.#host, { left, right, times: ends, equal, seed });
    const window = { end, rows };
    const later = this.#windows.findIndex((each) => each.end > end);
    this.#windows.splice(later < 0 ? this.#windows.length : later, 0, window);
    return window;
  }

  get #bytesHeld(): number {
    return this.#windows.reduce((sum, { rows }) => sum + rows.bytesHeld, 0);
  }

  /** Gives the rows of each window that `hasEnded`, joined, in the order of their ends. */
  close(hasEnded: (end: bigint) => boolean, give: (joined: RowTable) => void): void {
    for (;;) {
      const window = this.#windows[0];
      if (window === undefined || !hasEnded(window.end)) return;
      give(window.rows.match());
      this.#dropFirst(window);
    }
  }

  /** Gives all rows, in the order in which those of a window came, and forgets them. */
  leave(give: (side: 0 | 1, table: RowTable) => void): void {
    for (;;) {
      const window = this.#windows[0];
      if (window === undefined) return;
      for (const side of [0, 1] as const) {
        const shown = this.#shown[side];
        shown.pointToAddress(window.rows.rowsOf(side).address);
        if (shown.rowCount > 0) give(side, shown);
      }
      this.#dropFirst(window);
    }
  }

  #dropFirst({ rows }: FreshWindow): void {
    this.#windows.shift();
    if (rows.bytesHeld > bytesMax) {
      rows.free();
      return;
    }
    rows.clear();
    this.#idle.push(rows);
  }
}

/** The window_end of all rows; null: they may differ, or have none. */
function endOf(table: RowTable, column: number): bigint | null {
  const at = table.columnAddress(column);
  const { memory } = table;
  const isOne = memory.readUint32(at + columnField.stride) === 0;
  if (!isOne || memory.readUint32(at + columnField.nulls) !== 0) return null;
  return integerAt(table, column, 0);
}

/** Null where SQLite must join: outer joins, other conditions, kinds that the kernel leaves. */
export function freshWindowsOf(
  node: WindowJoinNode,
  host: SqliteHost,
  { kinds, seed }: Pick<FreshWindowsOptions, "kinds" | "seed">,
): FreshWindows | null {
  const { joinType, residual, equalities, leftWindow, rightWindow } = node;
  if (joinType !== "inner" || residual !== null || equalities.length === 0) return null;
  const [left, right] = kinds;
  // Of windows that end together, those that began together.
  const equal = [...equalities, { left: leftWindow[0], right: rightWindow[0] }];
  if (!equal.every((pair) => MatchedRows.covers(left[pair.left], right[pair.right]))) return null;
  return new FreshWindows(host, { kinds, seed, equal, ends: [leftWindow[1], rightWindow[1]] });
}

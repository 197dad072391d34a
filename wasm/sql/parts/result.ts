/**
 * Results: tables over entries, without conversion. Columns are the keys, the accumulators, and,
 * with stride 0, window_start, window_end and window_time.
 *
 * Result: the Table, then the fields below, then the columns.
 */
import * as F from "./fields";
import { grabZeroed, push, release, releaseList } from "./heap";
import { freePane } from "./pane";

export const R_TABLE: usize = 0;
export const R_PANE: usize = 32;
/** 1: the pane is the result's own. */
export const R_OWNS: usize = 36;
export const R_START: usize = 40;
export const R_END: usize = 48;
export const R_TIME: usize = 56;
/** List of selected rows. */
export const R_SELECTION: usize = 64;
/** Row + 1 of which a sum does not fit; 0: none. */
export const R_OVERFLOW: usize = 76;
export const R_COLUMNS: usize = 80;

function resultBytes(layout: usize): usize {
  const columns = load<u32>(layout, F.L_KEY_COUNT) + load<u32>(layout, F.L_ACCUMULATOR_COUNT) + 3;
  return R_COLUMNS + <usize>columns * F.COLUMN_BYTES;
}

export function newResult(state: usize): usize {
  return grabZeroed(state, resultBytes(load<u32>(state, F.S_LAYOUT)));
}

export function freeResult(state: usize, result: usize): void {
  if (load<u32>(result, R_OWNS)) freePane(state, load<u32>(result, R_PANE));
  releaseList(state, result + R_SELECTION, 4);
  release(state, result, resultBytes(load<u32>(state, F.S_LAYOUT)));
}

/** Kind of the column of an accumulator. */
export function resultKind(a: usize): u32 {
  const op = load<u32>(a, F.A_OP);
  if (op == F.OP_COUNT || op == F.OP_APPROXIMATE) return F.INTEGER;
  if (op == F.OP_SUM_INTEGER || op == F.OP_SUM_WIDE) return F.WIDE;
  if (op == F.OP_SUM_REAL || op == F.OP_SUM_SQUARES) return F.REAL;
  return load<u32>(a, F.A_KIND);
}

function describe(
  column: usize,
  kind: u32,
  entries: usize,
  slot: u32,
  nullByte: u32,
  size: u32,
  arena: u32,
): void {
  store<u32>(column, kind, F.C_KIND);
  store<u32>(column, <u32>entries + slot, F.C_VALUES);
  store<u32>(column, nullByte ? <u32>entries + nullByte : 0, F.C_NULLS);
  store<u32>(column, size, F.C_STRIDE);
  store<u32>(column, size, F.C_NULL_STRIDE);
  store<u32>(column, F.isBytes(kind) ? arena : 0, F.C_BASE);
}

/** Describes keys and accumulators of entries as columns; gives the address behind them. */
export function describeEntries(layout: usize, target: usize, entries: usize, arena: u32): usize {
  const size = load<u32>(layout, F.L_ENTRY_BYTES);
  let column = target;
  let key = <usize>load<u32>(layout, F.L_KEYS);
  for (let k: u32 = 0, n = load<u32>(layout, F.L_KEY_COUNT); k < n; k++, key += F.KEY_BYTES) {
    const nullByte = load<u32>(key, F.K_NULL);
    describe(column, load<u32>(key, F.K_KIND), entries, load<u32>(key, F.K_SLOT), nullByte, size, arena);
    column += F.COLUMN_BYTES;
  }
  let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  for (let i: u32 = 0, n = load<u32>(layout, F.L_ACCUMULATOR_COUNT); i < n; i++) {
    describe(column, resultKind(a), entries, load<u32>(a, F.A_SLOT), load<u32>(a, F.A_NULL), size, arena);
    column += F.COLUMN_BYTES;
    a += F.ACCUMULATOR_BYTES;
  }
  return column;
}

/** Makes a result's table one over `count` entries at `entries`. */
export function showEntries(
  state: usize,
  result: usize,
  entries: usize,
  count: u32,
  arena: u32,
): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const columns = result + R_COLUMNS;
  let column = describeEntries(layout, columns, entries, arena);
  for (let time = R_START; time <= R_TIME; time += 8) {
    store<u32>(column, F.INTEGER, F.C_KIND);
    store<u32>(column, <u32>(result + time), F.C_VALUES);
    store<u32>(column, 0, F.C_NULLS);
    store<u32>(column, 0, F.C_STRIDE);
    column += F.COLUMN_BYTES;
  }
  store<u32>(result, <u32>columns, F.T_COLUMNS);
  store<u32>(result, <u32>((column - columns) / F.COLUMN_BYTES), F.T_COLUMN_COUNT);
  store<u32>(result, count, F.T_ROW_COUNT);
  store<u32>(result, 0, F.T_SELECTION);
  store<u32>(result, 0, F.T_SELECTION + 4);
}

/** As `showEntries`, for copies of sessions: each has a window of its own. */
export function showSessions(
  state: usize,
  result: usize,
  copies: usize,
  count: u32,
  arena: u32,
): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  showEntries(state, result, copies, count, arena);
  const windows = load<u32>(layout, F.L_KEY_COUNT) + load<u32>(layout, F.L_ACCUMULATOR_COUNT);
  const size = load<u32>(layout, F.L_ENTRY_BYTES);
  const column = result + R_COLUMNS + <usize>windows * F.COLUMN_BYTES;
  describe(column, F.INTEGER, copies, load<u32>(layout, F.L_START), 0, size, 0);
  describe(column + F.COLUMN_BYTES, F.INTEGER, copies, load<u32>(layout, F.L_END), 0, size, 0);
  describe(column + 2 * F.COLUMN_BYTES, F.INTEGER, copies, load<u32>(layout, F.L_CREATED), 0, size, 0);
}

/** Makes the selected rows, if not all, those of the table. */
export function showSelection(result: usize): void {
  store<u32>(result, load<u32>(result, R_SELECTION + 4), F.T_ROW_COUNT);
  store<u32>(result, load<u32>(result, R_SELECTION), F.T_SELECTION);
}

export function select(state: usize, result: usize, row: u32): bool {
  return push(state, result + R_SELECTION, row);
}

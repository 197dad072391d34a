/**
 * Event time per row: the bound that decides whether it is late, what it adds to its partition's
 * greatest event time, the windows that it belongs to. See `src/sql/kernel/lateness.ts` for the
 * rules.
 */
import * as F from "./parts/fields";
import { isNull, slotOf } from "./parts/value";

/** Results of the last call. */
export let greatest: i64 = 0;
export let badRows: u32 = 0;
export let futureRows: u32 = 0;
export let lateRows: u32 = 0;

/** Before a partition has a row with an event time it has none that is greatest. */
const NEVER: i64 = i64.MIN_VALUE;

// @ts-ignore: decorator
@inline
function rowAt(selection: usize, index: u32): u32 {
  return selection ? load<u32>(selection + (<usize>index << 2)) : index;
}

/**
 * Walks rows of one partition of one publish in order. Writes to `bounds` (i64, by row number) the
 * lesser of `others` and the greatest event time before the row less `delay`; row numbers of rows
 * with an event time go to `good`, of those without to `bad`. A time above `publishedAt` + `ahead`
 * counts for nothing but itself; `ahead` below 0: all count. Gives how many are good.
 */
export function boundRows(
  table: usize,
  time: usize,
  top: i64,
  others: i64,
  delay: i64,
  publishedAt: i64,
  ahead: i64,
  bounds: usize,
  good: usize,
  bad: usize,
): u32 {
  const selection = <usize>load<u32>(table, F.T_SELECTION);
  const count = load<u32>(table, F.T_ROW_COUNT);
  const values = <usize>load<u32>(time, F.C_VALUES);
  const stride = <usize>load<u32>(time, F.C_STRIDE);
  const limit = ahead < 0 ? i64.MAX_VALUE : publishedAt + ahead;
  let taken: u32 = 0;
  let wrong: u32 = 0;
  let future: u32 = 0;
  let bound = boundOf(top, delay, others);
  for (let i: u32 = 0; i < count; i++) {
    const row = rowAt(selection, i);
    store<i64>(bounds + (<usize>row << 3), bound);
    if (isNull(time, row)) {
      store<u32>(bad + (<usize>wrong << 2), row);
      wrong++;
      continue;
    }
    store<u32>(good + (<usize>taken << 2), row);
    taken++;
    const value = load<i64>(values + <usize>row * stride);
    if (value > limit) future++;
    else if (value > top) {
      top = value;
      bound = boundOf(top, delay, others);
    }
  }
  greatest = top;
  badRows = wrong;
  futureRows = future;
  return taken;
}

// @ts-ignore: decorator
@inline
function boundOf(top: i64, delay: i64, others: i64): i64 {
  const own = top < NEVER + delay ? NEVER : top - delay;
  return own < others ? own : others;
}

// @ts-ignore: decorator
@inline
function floorDivide(a: i64, b: i64): i64 {
  const q = a / b;
  return a % b < 0 ? q - 1 : q;
}

const TUMBLE: u32 = 0;
const HOP: u32 = 1;


/**
 * Parts rows into kept ones and late ones: all windows of a late one have ended, lateness added, by
 * the greater of its own bound and `watermark`. A HOP whose step is above its size leaves times
 * that are in no window; such rows are kept. Gives how many are kept; row numbers are u32.
 */
export function lateSplit(
  table: usize,
  time: usize,
  bounds: usize,
  kind: u32,
  step: i64,
  size: i64,
  offset: i64,
  lateness: i64,
  watermark: i64,
  keep: usize,
  late: usize,
): u32 {
  const selection = <usize>load<u32>(table, F.T_SELECTION);
  const count = load<u32>(table, F.T_ROW_COUNT);
  let kept: u32 = 0;
  let apart: u32 = 0;
  // Times from `safe` on belong to a window that ends later than any bound met so far.
  let known: i64 = NEVER;
  let safe: i64 = i64.MIN_VALUE;
  let isKnown = false;
  for (let i: u32 = 0; i < count; i++) {
    const row = rowAt(selection, i);
    const value = load<i64>(slotOf(time, row));
    let bound = watermark;
    if (bounds) {
      const own = load<i64>(slotOf(bounds, row));
      if (own > bound) bound = own;
    }
    if (!isKnown || bound != known) {
      known = bound;
      isKnown = true;
      safe = firstSafe(kind, step, size, offset, bound, lateness);
    }
    if (value < safe) {
      store<u32>(late + (<usize>apart << 2), row);
      apart++;
    } else {
      store<u32>(keep + (<usize>kept << 2), row);
      kept++;
    }
  }
  lateRows = apart;
  return kept;
}

/** The least time whose last window has not ended by the bound: a start of a window. */
function firstSafe(kind: u32, step: i64, size: i64, offset: i64, bound: i64, lateness: i64): i64 {
  const period = kind == HOP ? step : size;
  if (bound < NEVER + lateness + size + period) return i64.MIN_VALUE;
  // last end(t) + lateness > bound, where last end(t) is a whole period from offset + size.
  const start = bound - lateness - size - offset;
  return (floorDivide(start, period) + 1) * period + offset;
}

/**
 * The windows of rows, by row and then by start (CUMULATE: by end). Writes for each a row number,
 * and i64 start, end and time. With `ends` null only counts. Gives how many.
 */
export function assign(
  table: usize,
  time: usize,
  kind: u32,
  step: i64,
  size: i64,
  offset: i64,
  rows: usize,
  starts: usize,
  ends: usize,
  times: usize,
): u32 {
  const selection = <usize>load<u32>(table, F.T_SELECTION);
  const count = load<u32>(table, F.T_ROW_COUNT);
  let n: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const row = rowAt(selection, i);
    const value = load<i64>(slotOf(time, row));
    if (isNull(time, row)) continue;
    let start: i64;
    let end: i64;
    let until: i64;
    if (kind == HOP) {
      // The first window that has not ended when the time comes.
      start = (floorDivide(value - offset - size, step) + 1) * step + offset;
      end = start + size;
      until = floorDivide(value - offset, step) * step + offset;
    } else {
      start = floorDivide(value - offset, size) * size + offset;
      end = kind == TUMBLE ? start + size : start + (floorDivide(value - start, step) + 1) * step;
      until = start + size;
    }
    while (kind == HOP ? start <= until : end <= until) {
      if (ends) {
        const at = <usize>n << 3;
        store<u32>(rows + (<usize>n << 2), row);
        store<i64>(starts + at, start);
        store<i64>(ends + at, end);
        store<i64>(times + at, end - 1);
      }
      n++;
      if (kind == HOP) start += step;
      end += kind == TUMBLE ? size : step;
    }
  }
  return n;
}

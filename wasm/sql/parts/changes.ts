/** What changed in a pane since it was last asked: groups as they were, and as they are. */
import { isAway } from "./away";
import * as F from "./fields";
import { reserve } from "./heap";
import { finish } from "./merge";
import { closeGaps, entryAt, removeEntry } from "./pane";
import { paneAt, paneCount } from "./panes";
import { R_END, R_OVERFLOW, R_SELECTION, R_START, R_TIME, resultKind, select } from "./result";
import { showEntries, showSelection } from "./result";
import { sameBytes } from "./value";

/** True when two entries show the same: keys are the same already. */
export function looksSame(layout: usize, one: usize, arena1: u32, two: usize, arena2: u32): bool {
  let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  for (let i: u32 = 0, n = load<u32>(layout, F.L_ACCUMULATOR_COUNT); i < n; i++) {
    const kind = resultKind(a);
    const nullByte = load<u32>(a, F.A_NULL);
    const isAbsent = nullByte != 0 && load<u8>(one + nullByte) != 0;
    if (nullByte != 0 && isAbsent != (load<u8>(two + nullByte) != 0)) return false;
    const slot1 = one + load<u32>(a, F.A_SLOT);
    const slot2 = two + load<u32>(a, F.A_SLOT);
    a += F.ACCUMULATOR_BYTES;
    if (isAbsent) continue;
    if (F.isBytes(kind)) {
      const length = load<u32>(slot1, 4);
      if (length != load<u32>(slot2, 4)) return false;
      if (!sameBytes(arena1 + load<u32>(slot1), arena2 + load<u32>(slot2), length)) return false;
    } else if (load<u64>(slot1) != load<u64>(slot2)) return false;
    else if (kind == F.WIDE && load<u64>(slot1, 8) != load<u64>(slot2, 8)) return false;
  }
  return true;
}

/**
 * What changed in pane `index` since `settle`: rows as they were to `before`, as they are to
 * `after`, both empty results, in the order in which groups were first touched since `settle`: it
 * does not depend on which of them were in memory. Rows whose group looks as before are in neither.
 * Good until `settle`.
 */
export function changes(state: usize, index: u32, before: usize, after: usize): u32 {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const pane = paneAt(state, index);
  const rows = load<u32>(layout, F.L_ROWS);
  const size = load<u32>(layout, F.L_ENTRY_BYTES);
  const touched = <usize>load<u32>(pane, F.P_TOUCHED);
  const images = <usize>load<u32>(pane, F.P_IMAGES);
  const arena = load<u32>(pane, F.P_ARENA);
  store<u32>(before, 0, R_SELECTION + 4);
  store<u32>(after, 0, R_SELECTION + 4);
  store<u32>(after, 0, R_OVERFLOW);
  for (let i: u32 = 0, n = load<u32>(pane, F.P_TOUCHED + 4); i < n; i++) {
    const number = load<u32>(touched + (<usize>i << 2));
    const entry = entryAt(layout, pane, number);
    const image = images + <usize>i * size;
    const was = load<i64>(image + rows) > 0;
    const is = load<i64>(entry + rows) > 0;
    if (is && !finish(state, pane, entry)) store<u32>(after, number + 1, R_OVERFLOW);
    if (was && is && looksSame(layout, image, arena, entry, arena)) continue;
    if (was) select(state, before, i);
    if (is) select(state, after, number);
  }
  showEntries(state, before, images, 0, arena);
  showSelection(before);
  showTouched(state, after, pane);
  showWindow(state, before, pane);
  showWindow(state, after, pane);
  return load<u32>(state, F.S_FAILED);
}

/**
 * Shows the entries that a result selects in that order. Readers want selections ascending: where
 * this one is not, they get copies.
 */
function showTouched(state: usize, result: usize, pane: usize): void {
  const arena = load<u32>(pane, F.P_ARENA);
  const entries = <usize>load<u32>(pane, F.P_ENTRIES);
  const list = <usize>load<u32>(result, R_SELECTION);
  const count = load<u32>(result, R_SELECTION + 4);
  let isAscending = true;
  for (let i: u32 = 1; i < count; i++) {
    const at = list + (<usize>i << 2);
    if (load<u32>(at - 4) > load<u32>(at)) {
      isAscending = false;
      break;
    }
  }
  if (isAscending) {
    showEntries(state, result, entries, 0, arena);
    showSelection(result);
    return;
  }
  const size = load<u32>(<usize>load<u32>(state, F.S_LAYOUT), F.L_ENTRY_BYTES);
  const copies = state + F.S_RESULTS;
  store<u32>(copies, 0, 4);
  if (!reserve(state, copies, size, count)) return;
  const to = <usize>load<u32>(copies);
  for (let i: u32 = 0; i < count; i++) {
    const entry = entries + <usize>load<u32>(list + (<usize>i << 2)) * size;
    // Word by word: for so few bytes the engine's copy costs more than it moves.
    const copy = to + <usize>i * size;
    for (let at: usize = 0; at < size; at += 8) store<u64>(copy + at, load<u64>(entry + at));
  }
  showEntries(state, result, to, count, arena);
}

function showWindow(state: usize, result: usize, pane: usize): void {
  const end = load<i64>(pane) + load<i64>(state, F.S_SIZE);
  store<i64>(result, load<i64>(pane), R_START);
  store<i64>(result, end, R_END);
  store<i64>(result, end - 1, R_TIME);
}

/** Takes the changes of a pane as read: images are forgotten, groups without rows removed. */
export function settlePane(state: usize, index: u32): u32 {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const rows = load<u32>(layout, F.L_ROWS);
  const pane = paneAt(state, index);
  const touched = <usize>load<u32>(pane, F.P_TOUCHED);
  for (let i: u32 = 0, n = load<u32>(pane, F.P_TOUCHED + 4); i < n; i++) {
    const entry = entryAt(layout, pane, load<u32>(touched + (<usize>i << 2)));
    store<u32>(entry, 0, F.E_IMAGE);
    if (rows && load<i64>(entry + rows) <= 0) removeEntry(state, pane, entry);
  }
  store<u32>(pane, 0, F.P_TOUCHED + 4);
  store<u32>(pane, 0, F.P_IMAGES + 4);
  const dead = load<u32>(pane, F.P_DEAD);
  if (dead > 64 && dead * 2 > load<u32>(pane, F.P_ENTRIES + 4)) closeGaps(state, pane);
  return load<u32>(state, F.S_FAILED);
}

/** Takes all changes as read; panes that are away have none. */
export function settle(state: usize): u32 {
  for (let k: u32 = 0, m = paneCount(state); k < m; k++) {
    if (!isAway(paneAt(state, k))) settlePane(state, k);
  }
  store<u32>(state, load<u32>(state, F.S_TOUCH) + 1, F.S_TOUCH);
  return load<u32>(state, F.S_FAILED);
}

/** True when changes wait to be read: a checkpoint would lose them. */
export function isUnsettled(state: usize): bool {
  for (let k: u32 = 0, m = paneCount(state); k < m; k++) {
    if (load<u32>(paneAt(state, k), F.P_TOUCHED + 4)) return true;
  }
  return false;
}

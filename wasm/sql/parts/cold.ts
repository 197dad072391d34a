/**
 * Groups without windows, and sessions, that leave memory: each as bytes of its own, which rows of
 * an SQLite table keep by its key (`src/sql/kernel/cold-groups.ts`, `cold-sessions.ts`). They leave
 * all together, when no change waits to be read, and the pane begins anew; so numbers of entries,
 * and what checkpoints know of them, need no repair. One that comes back is one that the next
 * checkpoint has to say.
 */
import { isSavedWhole } from "./distinct";
import * as F from "./fields";
import { hasFailed, releaseList } from "./heap";
import { room, saveEntry } from "./image";
import { entryAt, findKey } from "./pane";
import { dropPaneAt, paneAt, paneCount, paneFrom } from "./panes";
import { restoreEntry } from "./restore";
import { R_SELECTION, select, showEntries, showSelection, showSessions } from "./result";
import { hashBlock, isPlainKey, pointKeys, readBlock } from "./rows";
import { dueAt } from "./sessions";
import { takeSets } from "./set-image";
import { slotOf } from "./value";

/** Entries and bytes that are written in one go; one entry may be larger. */
const ROWS_MAX: u32 = 4096;
const BYTES_MAX: u32 = 1 << 20;
/** Of a session there is also when something is due for it, of a named group its name. */
const SLOT_BYTES: u32 = 8;
const LONG_SLOT_BYTES: u32 = 16;

/** Selects in `result` the rows of a table of whose groups none is in memory. */
export function missingRows(state: usize, table: usize, result: usize): void {
  store<u32>(result, 0, R_SELECTION + 4);
  const count = load<u32>(table, F.T_ROW_COUNT);
  const block = <usize>load<u32>(state, F.S_BLOCK);
  const pane = paneCount(state) ? paneAt(state, 0) : 0;
  pointKeys(state, <usize>load<u32>(table, F.T_COLUMNS));
  const isPlain = isPlainKey(state);
  for (let from: u32 = 0; from < count; from += F.BLOCK) {
    const n = count - from < F.BLOCK ? count - from : F.BLOCK;
    readBlock(state, table, 0, from, n);
    hashBlock(state, n, isPlain);
    for (let i: u32 = 0; i < n; i++) {
      const row = load<u32>(block + F.B_ROWS + (<usize>i << 2));
      const hash = load<u32>(block + F.B_HASHES + (<usize>i << 2));
      if (pane && findKey(state, pane, block + F.B_KEYS, row, hash)) continue;
      if (!select(state, result, row)) return;
    }
  }
  showSelection(result);
}

/**
 * Writes entries from `from` on into the blob, and shows them in `result`. Gives where to go on:
 * the count of entries, when all were written. The blob begins with a slot for each of them, the
 * first being that of `from`, which says where its bytes begin in the blob and how many they are,
 * and then (i64) when something is due for a session, or the name of a group that has one.
 */
export function writeGroups(state: usize, result: usize, from: u32): u32 {
  store<u32>(state, 0, F.S_BLOB + 4);
  store<u32>(result, 0, R_SELECTION + 4);
  const isSession = isSavedWhole(state);
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const name = load<u32>(layout, F.L_NAME);
  const slotBytes = isSession || name ? LONG_SLOT_BYTES : SLOT_BYTES;
  if (paneCount(state) == 0 || room(state, ROWS_MAX * slotBytes) == 0) return from;
  const pane = paneAt(state, 0);
  const count = load<u32>(pane, F.P_ENTRIES + 4);
  let i = from;
  for (; i < count && i - from < ROWS_MAX; i++) {
    const begin = load<u32>(state, F.S_BLOB + 4);
    if (begin > BYTES_MAX) break;
    const entry = entryAt(layout, pane, i);
    if (load<u32>(entry, F.E_CHECKPOINT) == F.DEAD) continue;
    if (!saveEntry(state, pane, i) || !select(state, result, i)) return from;
    const length = load<u32>(state, F.S_BLOB + 4) - begin;
    const slot = <usize>load<u32>(state, F.S_BLOB) + <usize>(i - from) * slotBytes;
    store<u64>(slot, (<u64>length << 32) | begin);
    if (isSession) store<i64>(slot, dueAt(state, layout, entry), 8);
    else if (name) store<i64>(slot, load<u32>(entry + name), 8);
  }
  const entries = load<u32>(pane, F.P_ENTRIES);
  if (isSession) showSessions(state, result, entries, 0, load<u32>(pane, F.P_ARENA));
  else showEntries(state, result, entries, 0, load<u32>(pane, F.P_ARENA));
  showSelection(result);
  return i;
}

/** All groups were written: the pane begins anew, and the next checkpoint says so. */
export function forgetGroups(state: usize): void {
  if (paneCount(state) == 0) return;
  // Members know groups by their names, wherever these are.
  const isNamed = load<u32>(load<u32>(state, F.S_LAYOUT), F.L_NAME) != 0;
  const sets = isNamed ? takeSets(paneAt(state, 0)) : 0;
  dropPaneAt(state, 0);
  releaseList(state, state + F.S_BLOB, 1);
  releaseList(state, state + F.S_NUMBERS, 4);
  releaseList(state, state + F.S_SELECTION, 4);
  releaseList(state, state + F.S_RESULTS, load<u32>(load<u32>(state, F.S_LAYOUT), F.L_ENTRY_BYTES));
  // Of sessions: nothing hangs in the wheel any more, which stands where it stood.
  const buckets = state + F.S_BUCKETS;
  memory.fill(load<u32>(buckets), 0, <usize>load<u32>(buckets, 4) << 2);
  const pane = paneFrom(state, 0);
  if (pane == 0) return;
  store<u32>(pane, 1, F.P_WHOLE);
  store<u32>(pane, sets, F.P_SETS);
}

/** Reads the groups whose bytes are the first column of a table. */
export function readGroups(state: usize, table: usize): void {
  const pane = paneFrom(state, 0);
  if (pane == 0) return;
  const column = <usize>load<u32>(table, F.T_COLUMNS);
  const base = load<u32>(column, F.C_BASE);
  const selection = <usize>load<u32>(table, F.T_SELECTION);
  for (let i: u32 = 0, n = load<u32>(table, F.T_ROW_COUNT); i < n; i++) {
    const row = selection ? load<u32>(selection + (<usize>i << 2)) : i;
    restoreEntry(state, pane, <usize>(base + load<u32>(slotOf(column, row))));
    if (hasFailed(state)) return;
  }
}

/** Merging of whole panes: those of a window into its result, pieces of one pane into each other. */
import { mergeSets } from "./fold-sets";
import * as F from "./fields";
import { hasFailed, reserve } from "./heap";
import { mergeEntry } from "./merge";
import { entryAt, fillSlot, findKey, foundSlot, newEntry, numberOf } from "./pane";
import { describeEntries } from "./result";

/** True of an entry without rows. `rows`: L_ROWS. */
// @ts-ignore: decorator
@inline
export function isGone(entry: usize, rows: u32): bool {
  return load<u32>(entry, F.E_CHECKPOINT) == F.DEAD || (rows != 0 && load<i64>(entry + rows) <= 0);
}

/** Describes the keys of a pane's entries as columns, and points the block's keys to them. */
export function pointToEntries(state: usize, pane: usize): usize {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const columns = <usize>load<u32>(state, F.S_COLUMNS);
  const keys = <usize>load<u32>(state, F.S_BLOCK) + F.B_KEYS;
  describeEntries(layout, columns, load<u32>(pane, F.P_ENTRIES), load<u32>(pane, F.P_ARENA));
  for (let k: u32 = 0, n = load<u32>(layout, F.L_KEY_COUNT); k < n; k++) {
    store<u32>(keys + (<usize>k << 2), <u32>(columns + <usize>k * F.COLUMN_BYTES));
  }
  return keys;
}

/** Adds the entries of pane `from` to those of `pane`, whose numbers of them S_NUMBERS then has. */
export function mergePane(state: usize, pane: usize, from: usize): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const size = load<u32>(layout, F.L_ENTRY_BYTES);
  const count = load<u32>(from, F.P_ENTRIES + 4);
  const keys = pointToEntries(state, from);
  let other = <usize>load<u32>(from, F.P_ENTRIES);
  const rows = load<u32>(layout, F.L_ROWS);
  const numbers = state + F.S_NUMBERS;
  store<u32>(numbers, 0, 4);
  if (!reserve(state, numbers, 4, count)) return;
  for (let i: u32 = 0; i < count; i++, other += size) {
    if (isGone(other, rows)) continue;
    const hash = load<u32>(other, F.E_HASH);
    const reference = findKey(state, pane, keys, i, hash);
    let entry: usize;
    if (reference) entry = entryAt(layout, pane, reference - 1);
    else {
      const slot = foundSlot;
      entry = newEntry(state, pane, keys, i, hash);
      if (entry == 0 || !fillSlot(state, pane, slot, numberOf(layout, pane, entry), hash)) return;
    }
    store<u32>(<usize>load<u32>(numbers) + (<usize>i << 2), numberOf(layout, pane, entry));
    mergeEntry(state, pane, entry, from, other);
    if (hasFailed(state)) return;
  }
  mergeSets(state, pane, from, load<u32>(numbers));
}

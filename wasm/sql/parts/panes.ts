/** The panes of a state: a sorted directory of any length. */
import * as F from "./fields";
import { hasFailed, reserve } from "./heap";
import { freePane, newPane } from "./pane";

// @ts-ignore: decorator
@inline
export function paneCount(state: usize): u32 {
  return load<u32>(state, F.S_PANES + 4);
}

// @ts-ignore: decorator
@inline
export function paneAt(state: usize, index: u32): usize {
  return <usize>load<u32>(load<u32>(state, F.S_PANES) + (<usize>index << 2));
}

/** Index of the first pane that starts at `start` or later. */
export function lowerBound(state: usize, start: i64): u32 {
  let low: u32 = 0;
  let high = paneCount(state);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<i64>(paneAt(state, middle)) < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The pane that starts at `start`, made if it is missing; 0: memory is out. */
export function paneFrom(state: usize, start: i64): usize {
  const index = lowerBound(state, start);
  const count = paneCount(state);
  if (index < count) {
    const pane = paneAt(state, index);
    if (load<i64>(pane) == start) return pane;
  }
  if (!reserve(state, state + F.S_PANES, 4, 1)) return 0;
  // Neighbours hold about as many groups; a table that begins small is laid out anew many times.
  const slots = index > 0 ? load<u32>(paneAt(state, index - 1), F.P_SLOT_COUNT) >> 1 : 0;
  const pane = newPane(state, start, slots);
  if (hasFailed(state)) return 0;
  const at = <usize>load<u32>(state, F.S_PANES) + (<usize>index << 2);
  memory.copy(at + 4, at, <usize>(count - index) << 2);
  store<u32>(at, <u32>pane);
  store<u32>(state, count + 1, F.S_PANES + 4);
  return pane;
}

export function dropPaneAt(state: usize, index: u32): void {
  const pane = paneAt(state, index);
  const count = paneCount(state);
  const at = <usize>load<u32>(state, F.S_PANES) + (<usize>index << 2);
  memory.copy(at, at + 4, <usize>(count - index - 1) << 2);
  store<u32>(state, count - 1, F.S_PANES + 4);
  store<u32>(state, 0, F.S_LAST_PANE);
  freePane(state, pane);
}

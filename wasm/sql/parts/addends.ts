/**
 * Addends to sums of reals, one by one. Rounding depends on the order of additions, so what rows
 * add to a group of which a piece has left memory (pieces.ts) cannot be summed by itself: it is kept
 * until the pieces meet. Addends of an entry are a ring, of which the entry has the last.
 *
 * Addend: u32 number + 1 of the next, u32 slot, f64. 16 bytes.
 */
import * as F from "./fields";
import { reserve } from "./heap";

export const ADDEND_BYTES: u32 = 16;

// @ts-ignore: decorator
@inline
export function addendAt(pane: usize, reference: u32): usize {
  return <usize>load<u32>(pane, F.P_ADDENDS) + <usize>(reference - 1) * ADDEND_BYTES;
}

/** Keeps an addend of an entry; a state that is out of memory is marked. */
export function keepAddend(state: usize, pane: usize, entry: usize, slot: u32, x: f64): void {
  const list = pane + F.P_ADDENDS;
  if (!reserve(state, list, ADDEND_BYTES, 1)) return;
  const reference = load<u32>(list, 4) + 1;
  store<u32>(list, reference, 4);
  const addend = addendAt(pane, reference);
  const last = load<u32>(entry, F.E_IMAGE);
  if (last == 0) store<u32>(addend, reference);
  else {
    store<u32>(addend, load<u32>(addendAt(pane, last)));
    store<u32>(addendAt(pane, last), reference);
  }
  store<u32>(addend, slot, 4);
  store<f64>(addend, x, 8);
  store<u32>(entry, reference, F.E_IMAGE);
}

/** Adds the addends of `other`, an entry of pane `from`, to an entry, in the order of their rows. */
export function addAddends(entry: usize, from: usize, other: usize): void {
  const last = load<u32>(other, F.E_IMAGE);
  if (last == 0) return;
  let reference = last;
  do {
    reference = load<u32>(addendAt(from, reference));
    const addend = addendAt(from, reference);
    const slot = entry + load<u32>(addend, 4);
    store<f64>(slot, load<f64>(slot) + load<f64>(addend, 8));
  } while (reference != last);
}

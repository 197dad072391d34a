/**
 * The learned shape graph. Rows of a topic are written by the same few programs, so the bytes
 * between their values repeat: `,"bid":{"auction":` and so on. The graph holds those bytes, and a
 * row that follows it costs one or two 16-byte compares per value instead of a walk over every key.
 *
 * A *state* is the place behind a value: the object that the parser is in, and the key whose value
 * it has just read. An *edge* leads from there to the next value: the exact bytes in between, what
 * to do with the value, and the state behind it; or to the end of the row. Behind the same key of
 * the same object the state is the same however the row got there, so that rows with optional or
 * shuffled fields share states, and the graph grows with what was met, not with its combinations.
 *
 * Nothing is believed that the generic parser would refuse. An edge's bytes stood between the same
 * two keys of an object in a row that the generic parser took, so the row's structure is known to
 * be right; the values are parsed and checked as ever. A row that finds no edge, has a wanted key
 * twice, or breaks off is parsed again from its start by the generic parser, whose tape of what it
 * stepped over then becomes new edges, unless the row was wrong.
 *
 * State, 32 bytes and its key: 0 firstEdge, 4 node, 8 keyLength, 12 key, 16 edgeCount, 20 previous
 * (the list of all states); a node of its own at 24, which has no fields and stands for the object
 * that this key holds when nothing in it is wanted.
 *
 * Edge, 48 bytes and its bytes: 0 length, 4 needed (bits of the first 16 bytes), 8 action,
 * 12 target (a column or a field), 16 state, 20 next, 24 hits, 32 u64 bits of wanted keys passed.
 *
 * Tape entry, 48 bytes: 0 start, 4 end of the bytes between, 8 action, 12 target, 16 u64 bits,
 * 24 node, 28 key, 32 keyLength.
 */
import { TAPE_MAX, context, tape } from "./json-layout";

export const END: u32 = 0;
/** A value that nobody wants: most likely a string, most likely an integer, or anything. */
export const SKIP_STRING: u32 = 1;
export const SKIP_NUMBER: u32 = 2;
const SKIP_ANY: u32 = 3;
/** A wanted object that is null. */
export const ABSENT: u32 = 4;
/** A field that several columns take, or a column and an object. */
export const FIELD: u32 = 5;
/** A column alone: `COLUMN` plus nothing for any type, else one of these. */
export const COLUMN: u32 = 6;
export const COLUMN_INTEGER: u32 = 7;
export const COLUMN_TEXT: u32 = 8;
export const COLUMN_TIMESTAMP: u32 = 9;
export const COLUMN_REAL: u32 = 10;

/** Bytes between two values beyond which a row is not learned. */
const LITERAL_MAX: usize = 240;
const STATE_KEY_MAX: usize = 200;
/** Ways on from one place; a key with more is not worth trying them all. */
const EDGES_MAX: u32 = 16;

let tapeCount: u32 = 0;
/** Where the last value ended. */
let lastEnd: usize = 0;
/** Whether the row is taped, and can be learned so far. */
export let isTaping: bool = false;
/** Wanted objects opened since the last value. */
let pendingBits: u64 = 0;

/** Starts the tape of a row at `start`, or has none. */
export function beginTape(start: usize, isWanted: bool): void {
  tapeCount = 0;
  lastEnd = start;
  isTaping = isWanted;
  pendingBits = 0;
}

export function pauseTape(): void {
  isTaping = false;
}

export function resumeTape(wasTaping: bool): void {
  isTaping = wasTaping;
}

export function passObject(bits: u64): void {
  pendingBits |= bits;
}

export function passValue(end: usize): void {
  lastEnd = end;
}

/** Notes that a value starts at `p`: the one of `key` in `node`. */
export function note(
  p: usize,
  action: u32,
  target: usize,
  bits: u64,
  node: usize,
  key: usize,
  keyLength: usize,
): void {
  if (!isTaping) return;
  if (tapeCount >= TAPE_MAX || p - lastEnd > LITERAL_MAX) {
    isTaping = false;
    return;
  }
  const entry = tape() + <usize>tapeCount * 48;
  store<u32>(entry, <u32>lastEnd);
  store<u32>(entry, <u32>p, 4);
  store<u32>(entry, action, 8);
  store<u32>(entry, <u32>target, 12);
  store<u64>(entry, bits | pendingBits, 16);
  store<u32>(entry, <u32>node, 24);
  store<u32>(entry, <u32>key, 28);
  store<u32>(entry, <u32>keyLength, 32);
  pendingBits = 0;
  tapeCount++;
}

/** How to step over the unwanted value at `p` when the graph meets one like it. */
export function skipActionOf(p: usize): u32 {
  const c = <u32>load<u8>(p);
  if (c === 123 || c === 91) return SKIP_ANY;
  return c === 45 || c - 48 <= 9 ? SKIP_NUMBER : SKIP_STRING;
}

/** Zeroed memory of the graph, or 0 when it is used up. */
function allocate(bytes: usize): usize {
  const start = <usize>load<u32>(context, 60);
  const top = start + ((bytes + 15) & ~15);
  if (top > <usize>load<u32>(context, 56)) {
    store<u32>(context, 1, 104);
    return 0;
  }
  store<u32>(context, <u32>top, 60);
  memory.fill(start, 0, top - start);
  return start;
}

/** Forgets every shape. */
export function clearGraph(): void {
  store<u32>(context, load<u32>(context, 52), 60);
  store<u32>(context, 0, 64);
  store<u32>(context, 0, 68);
  store<u32>(context, 0, 104);
  store<u32>(context, 0, 112);
}

/** The state behind the value of `key` (its bytes up to the quotation mark) in `node`, or 0. */
export function stateOf(node: usize, key: usize, keyLength: usize): usize {
  let state = <usize>load<u32>(context, 68);
  while (state !== 0) {
    const isSame = load<u32>(state, 4) === <u32>node && load<u32>(state, 8) === <u32>keyLength;
    if (isSame && memory.compare(<usize>load<u32>(state, 12), key, keyLength) === 0) return state;
    state = <usize>load<u32>(state, 20);
  }
  if (keyLength > STATE_KEY_MAX) return 0;
  state = allocate(48 + keyLength);
  if (state === 0) return 0;
  store<u32>(state, <u32>node, 4);
  store<u32>(state, <u32>keyLength, 8);
  store<u32>(state, <u32>(state + 48), 12);
  store<u32>(state, load<u32>(context, 68), 20);
  memory.copy(state + 48, key, keyLength);
  store<u32>(context, <u32>state, 68);
  return state;
}

/** The node for an object in which nothing is wanted, or 0. */
export function unwantedNode(node: usize, key: usize, keyLength: usize): usize {
  const state = stateOf(node, key, keyLength);
  return state === 0 ? 0 : state + 24;
}

/** Makes edges of the tape of a row that was right and ended at `end`. */
export function learn(end: usize): void {
  if (!isTaping || tapeCount === 0) return;
  note(end, END, 0, 0, 0, 0, 0);
  if (!isTaping) return;
  let state = <usize>load<u32>(context, 64);
  if (state === 0) {
    state = stateOf(0, 0, 0);
    store<u32>(context, <u32>state, 64);
  }
  for (let index: u32 = 0; index < tapeCount && state !== 0; index++) {
    const edge = edgeOf(state, tape() + <usize>index * 48);
    if (edge === 0) return;
    state = <usize>load<u32>(edge, 16);
  }
}

/** The edge from `state` that `entry` of the tape took, made if there is none; 0: no room. */
function edgeOf(state: usize, entry: usize): usize {
  const start = <usize>load<u32>(entry);
  const length = <usize>load<u32>(entry, 4) - start;
  const action = load<u32>(entry, 8);
  let edge = <usize>load<u32>(state);
  let last: usize = 0;
  while (edge !== 0) {
    const isSame = load<u32>(edge) === <u32>length && isSameUse(load<u32>(edge, 8), action);
    if (isSame && memory.compare(edge + 48, start, length) === 0) return edge;
    last = edge;
    edge = <usize>load<u32>(edge, 20);
  }
  if (load<u32>(state, 16) >= EDGES_MAX) {
    store<u32>(context, 1, 104);
    return 0;
  }
  let next: usize = 0;
  if (action !== END) {
    next = stateOf(load<u32>(entry, 24), load<u32>(entry, 28), load<u32>(entry, 32));
    if (next === 0) return 0;
  }
  edge = allocate(48 + length + 16);
  if (edge === 0) return 0;
  store<u32>(edge, <u32>length);
  store<u32>(edge, length >= 16 ? 0xffff : (1 << <u32>length) - 1, 4);
  store<u32>(edge, action, 8);
  store<u32>(edge, load<u32>(entry, 12), 12);
  store<u32>(edge, <u32>next, 16);
  store<u64>(edge, load<u64>(entry, 16), 32);
  memory.copy(edge + 48, start, length);
  if (last !== 0) store<u32>(last, <u32>edge, 20);
  else store<u32>(state, <u32>edge);
  store<u32>(state, load<u32>(state, 16) + 1, 16);
  return edge;
}

/** The bytes decide what is done, but for kinds of unwanted values, which are only guesses. */
function isSameUse(known: u32, met: u32): bool {
  return known === met || (known - SKIP_STRING <= 2 && met - SKIP_STRING <= 2);
}

/** Follows the track of `json-track.ts`, and the shape graph of `json-shape.ts`, through a row. */
import { context, hasHigh, isWrong, row, standAt, standOn, track } from "./json-layout";
import { skipStringInline, skipValue } from "./json-scan";
import { decodeInteger, decodeReal } from "./json-number";
import { decodeField } from "./json-object";
import {
  ABSENT,
  COLUMN,
  COLUMN_INTEGER,
  COLUMN_REAL,
  COLUMN_TEXT,
  COLUMN_TIMESTAMP,
  END,
  FIELD,
  SKIP_NUMBER,
  SKIP_STRING,
} from "./json-shape";
import { decodeText } from "./json-text";
import { decodeTimestamp } from "./json-time";
import { STEP_BYTES, beginPath, layTrack, leaveTrack, passEdge, wantsTrack } from "./json-track";
import { decodeValue } from "./json-value";

/** Puts an edge in front that is taken more often than the first. */
function promote(state: usize, edge: usize): void {
  const first = <usize>load<u32>(state);
  if (load<u32>(edge, 24) <= load<u32>(first, 24)) return;
  let before = first;
  while (load<u32>(before, 20) !== <u32>edge) before = <usize>load<u32>(before, 20);
  store<u32>(before, load<u32>(edge, 20), 20);
  store<u32>(edge, <u32>first, 20);
  store<u32>(state, <u32>edge);
}

/** Whether the bytes at `literal` are at `p`; `needed` has a bit for each of the first 16. */
// @ts-ignore: decorator
@inline
function isAt(p: usize, literal: usize, length: usize, needed: u32): bool {
  const same = <u32>i8x16.bitmask(i8x16.eq(v128.load(p), v128.load(literal)));
  if ((same & needed) !== needed) return false;
  // The last 16 bytes are compared as such and overlap those before them.
  let position: usize = 16;
  while (position < length) {
    if (position + 16 > length) position = length - 16;
    const isSame = i8x16.eq(v128.load(p + position), v128.load(literal + position));
    if (!i8x16.all_true(isSame)) return false;
    position += 16;
  }
  return true;
}

/** Follows both from `start`. Gives the address behind the row, or 0: parse it generically. */
export function followShape(start: usize): usize {
  const first = <usize>load<u32>(context, 64);
  if (first === 0) return 0;
  // Deeper than it is: what is near the limit goes to the generic parser, which counts.
  standAt(load<u32>(context, 108));
  if (wantsTrack()) {
    beginPath();
    const end = followGraph<bool>(start, first, 0);
    if (end !== 0) layTrack();
    return end;
  }
  let p = start;
  let step = track();
  const behind = step + <usize>load<u32>(context, 112) * STEP_BYTES;
  while (step < behind) {
    const length = <usize>load<u32>(step);
    if (!isAt(p, step + 32, length, load<u32>(step, 24))) break;
    p += length;
    const action = load<u32>(step, 4);
    if (action === END) return p;
    p = takeValue(p, action, <usize>load<u32>(step, 8));
    if (p === 0) return 0;
    step += STEP_BYTES;
  }
  leaveTrack();
  if (step === track()) return followGraph<i32>(start, first, 0);
  const last = step - STEP_BYTES;
  return followGraph<i32>(p, <usize>load<u32>(last, 12), load<u64>(last, 16));
}

/**
 * Follows the track through two rows side by side, `row` and the one behind it: each step of a row
 * waits for the one before, and while it does the other row has the processor. True when both went
 * all the way and nothing was to be noted of either; else both are to be decoded again.
 */
export function followPair(one: usize, oneEnd: usize, two: usize, twoEnd: usize): bool {
  standAt(load<u32>(context, 108));
  const first = row;
  let step = track();
  const behind = step + <usize>load<u32>(context, 112) * STEP_BYTES;
  let p = one;
  let q = two;
  for (; step < behind; step += STEP_BYTES) {
    const length = <usize>load<u32>(step);
    const needed = load<u32>(step, 24);
    if (!isAt(p, step + 32, length, needed) || !isAt(q, step + 32, length, needed)) return false;
    p += length;
    q += length;
    const target = <usize>load<u32>(step, 8);
    switch (load<u32>(step, 4)) {
      case END:
        return p === oneEnd && q === twoEnd && !isWrong && !hasHigh;
      case SKIP_STRING:
        if (load<u8>(p) !== 34 || load<u8>(q) !== 34) return false;
        p = skipStringInline(p + 1);
        q = skipStringInline(q + 1);
        break;
      case SKIP_NUMBER:
        p = skipInteger(p);
        q = skipInteger(q);
        break;
      case COLUMN_INTEGER:
        p = decodeInteger(p, target);
        standOn(first + 1);
        q = decodeInteger(q, target);
        standOn(first);
        break;
      case COLUMN_TIMESTAMP:
        p = decodeTimestamp(p, target);
        standOn(first + 1);
        q = decodeTimestamp(q, target);
        standOn(first);
        break;
      default: {
        const action = load<u32>(step, 4);
        p = takeSeldom(p, action, target);
        standOn(first + 1);
        q = takeSeldom(q, action, target);
        standOn(first);
      }
    }
    if (p === 0 || q === 0) return false;
  }
  return false;
}

function takeSeldom(p: usize, action: u32, target: usize): usize {
  return takeValue(p, action, target);
}

/** From a state of the graph on; with T = bool the path is kept. */
function followGraph<T>(start: usize, from: usize, passed: u64): usize {
  let p = start;
  let state = from;
  let seen = passed;
  let edge = <usize>load<u32>(state);
  while (edge !== 0) {
    const length = <usize>load<u32>(edge);
    if (!isAt(p, edge + 48, length, load<u32>(edge, 4))) {
      edge = <usize>load<u32>(edge, 20);
      continue;
    }
    const value = p + length;
    const action = load<u32>(edge, 8);
    if (action === ABSENT && load<u8>(value) !== 110) {
      // The same bytes, but the object is there: another edge has its first key too.
      edge = <usize>load<u32>(edge, 20);
      continue;
    }
    const first = <usize>load<u32>(state);
    if (edge !== first || load<u32>(edge, 20) !== 0) {
      store<u32>(edge, load<u32>(edge, 24) + 1, 24);
      if (edge !== first) promote(state, edge);
    }
    // A wanted key for the second time: which value counts is the generic parser's to say.
    const bits = load<u64>(edge, 32);
    if ((seen & bits) !== 0) return 0;
    seen |= bits;
    if (sizeof<T>() === 1) passEdge(edge);
    if (action === END) return value;
    p = takeSeldom(value, action, <usize>load<u32>(edge, 12));
    if (p === 0) return 0;
    state = <usize>load<u32>(edge, 16);
    edge = <usize>load<u32>(state);
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function takeValue(p: usize, action: u32, target: usize): usize {
  switch (action) {
    case SKIP_STRING:
      return load<u8>(p) === 34 ? skipStringInline(p + 1) : skipValue(p);
    case SKIP_NUMBER:
      return skipInteger(p);
    case FIELD:
      return decodeField(p, target);
    case COLUMN_INTEGER:
      return decodeInteger(p, target);
    case COLUMN_TEXT:
      return decodeText(p, target);
    case COLUMN_TIMESTAMP:
      return decodeTimestamp(p, target);
    case COLUMN_REAL:
      return decodeReal(p, target);
    case COLUMN:
      return decodeValue(p, target);
    default:
      return skipValue(p);
  }
}

/** An integer of up to 15 digits in one compare; anything else as any value. */
// @ts-ignore: decorator
@inline
function skipInteger(p: usize): usize {
  const values = i8x16.sub(v128.load(p), i8x16.splat(48));
  const others = <u32>i8x16.bitmask(i8x16.gt_u(values, i8x16.splat(9)));
  // No digit at all and 16 of them both fail the test below.
  const length = <u32>ctz(others);
  const next = <u32>load<u8>(p + <usize>length);
  const isPlain = length - 1 < 15 && next !== 46 && (next | 32) !== 101;
  return isPlain && (length === 1 || load<u8>(p) !== 48) ? p + <usize>length : skipValue(p);
}

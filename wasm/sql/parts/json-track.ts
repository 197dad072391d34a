/**
 * The way through the shape graph that most rows take, laid out as steps one behind the other. The
 * graph costs two loads per value that wait for each other, and counts; where the next step lies is
 * known before, so a processor works on several at once.
 *
 * It adds no meaning: a step is an edge, or edges of wanted objects that are null, whose values are
 * known and so become part of the bytes. A row that leaves the track goes on in the graph from the
 * state that it has reached. When most rows leave it, the way of the next one becomes the track.
 *
 * Step, 192 bytes: 0 length, 4 action, 8 target, 12 state behind its value, 16 u64 bits of wanted
 * keys passed up to there, 24 needed (bits of the first 16 bytes), 32 bytes of the literal.
 *
 * Context: 112 steps of the track (0: none), 116 rows and 120 misses since it was judged.
 */
import { TRACK_STEPS_MAX, context, path, track } from "./json-layout";
import { ABSENT, END } from "./json-shape";

export const STEP_BYTES: usize = 192;
const LITERAL_MAX: usize = 144;

const WINDOW_ROWS: u32 = 256;
const WINDOW_MISSES: u32 = 128;

const NULL_TEXT: u32 = 0x6c6c756e;

/** Edges of the row under way, where they are kept. */
let pathLength: u32 = 0;

/** Whether the next row is to go through the graph, keeping its path for a track. */
// @ts-ignore: decorator
@inline
export function wantsTrack(): bool {
  if (load<u32>(context, 112) === 0) return true;
  const rows = load<u32>(context, 116) + 1;
  store<u32>(context, rows, 116);
  return rows >= WINDOW_ROWS && judgeTrack();
}

function judgeTrack(): bool {
  const isLeft = load<u32>(context, 120) > WINDOW_MISSES;
  store<u32>(context, 0, 116);
  store<u32>(context, 0, 120);
  return isLeft;
}

// @ts-ignore: decorator
@inline
export function leaveTrack(): void {
  store<u32>(context, load<u32>(context, 120) + 1, 120);
}

/** Whether there is a track that is not to be judged at the next row. */
// @ts-ignore: decorator
@inline
export function hasTrack(): bool {
  return load<u32>(context, 112) !== 0 && load<u32>(context, 116) < WINDOW_ROWS - 2;
}

/** Two rows went all the way. */
// @ts-ignore: decorator
@inline
export function passPair(): void {
  store<u32>(context, load<u32>(context, 116) + 2, 116);
}

export function beginPath(): void {
  pathLength = 0;
}

/** Keeps an edge that a row took; a path that is too long makes no track. */
export function passEdge(edge: usize): void {
  if (pathLength < TRACK_STEPS_MAX) store<u32>(path() + (<usize>pathLength << 2), <u32>edge);
  pathLength++;
}

/** Makes the kept path the track. */
export function layTrack(): void {
  store<u32>(context, 0, 112);
  if (pathLength === 0 || pathLength > TRACK_STEPS_MAX) return;
  let step = track();
  let steps: u32 = 0;
  let length: usize = 0;
  let seen: u64 = 0;
  for (let index: u32 = 0; index < pathLength; index++) {
    const edge = <usize>load<u32>(path() + (<usize>index << 2));
    const own = <usize>load<u32>(edge);
    const action = load<u32>(edge, 8);
    if (length + own + 4 > LITERAL_MAX) return;
    memory.copy(step + 32 + length, edge + 48, own);
    length += own;
    seen |= load<u64>(edge, 32);
    if (action === ABSENT) {
      store<u32>(step + 32 + length, NULL_TEXT);
      length += 4;
      continue;
    }
    store<u32>(step, <u32>length);
    store<u32>(step, action, 4);
    store<u32>(step, load<u32>(edge, 12), 8);
    store<u32>(step, load<u32>(edge, 16), 12);
    store<u64>(step, seen, 16);
    store<u32>(step, length >= 16 ? 0xffff : (1 << <u32>length) - 1, 24);
    steps++;
    step += STEP_BYTES;
    length = 0;
    if (action === END) break;
  }
  store<u32>(context, steps, 112);
  store<u32>(context, 0, 116);
  store<u32>(context, 0, 120);
}

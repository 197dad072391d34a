/**
 * The generic parser: takes every row that the shape graph does not know, and decides every doubt.
 * Wanted fields are found by their names at each object on the way to wanted values; all else is
 * stepped over. Of a key that comes twice the last value counts, as in Jackson and `JSON.parse`.
 */
import {
  DEPTH_MAX,
  DOUBLE,
  FIELD_BYTES,
  FLOAT,
  KEY_SCRATCH_BYTES,
  NODE_BYTES,
  NOT_OBJECT,
  SYNTAX,
  TOO_DEEP,
  context,
  depth,
  keyScratch,
  root,
  row,
  rowEnd,
  setNull,
  stop,
} from "./json-layout";
import {
  skipColon,
  skipMistyped,
  skipString,
  skipValue,
  skipWhitespace,
  specials,
} from "./json-scan";
import {
  ABSENT,
  FIELD,
  beginTape,
  isTaping,
  note,
  passObject,
  passValue,
  pauseTape,
  resumeTape,
  skipActionOf,
  unwantedNode,
} from "./json-shape";
import { takeBackDeferred } from "./json-number";
import { textEnd, unescape } from "./json-text";
import { decodeValue } from "./json-value";

/** Unwanted objects deeper than this are learned as values, not by their keys. */
const LEARNED_DEPTH_MAX: u32 = 12;

/** Parses the row that starts at `start`. Gives the address behind the object, or 0 after `stop`. */
export function parseRow(start: usize, isTaped: bool): usize {
  beginTape(start, isTaped);
  const p = skipWhitespace(start);
  if (load<u8>(p) !== 123) {
    // JSON of another kind is named as such; what is no JSON at all is told where it is not.
    const end = skipValue(p);
    return end === 0 ? 0 : stop(NOT_OBJECT, end > rowEnd ? end : p);
  }
  return parseObject(p + 1, root);
}

/** From behind the opening brace to behind the closing one. */
function parseObject(start: usize, node: usize): usize {
  if (depth >= DEPTH_MAX) return stop(TOO_DEEP, start - 1);
  depth++;
  const stamp = load<u32>(context, 100) + 1;
  store<u32>(context, stamp, 100);
  let p = skipWhitespace(start);
  if (load<u8>(p) === 125) {
    depth--;
    return p + 1;
  }
  while (true) {
    if (load<u8>(p) !== 34) return stop(SYNTAX, p);
    const key = p + 1;
    let keyLength: usize;
    let field: usize;
    const found = specials(v128.load(key));
    if (found !== 0 && load<u8>(key + <usize>ctz(found)) === 34) {
      keyLength = <usize>ctz(found);
      field = fieldOf(key, keyLength, node);
    } else {
      p = skipString(key);
      if (p === 0) return 0;
      keyLength = p - 1 - key;
      field = fieldOfLongKey(key, keyLength, node);
    }
    p = skipColon(key + keyLength + 1);
    if (p === 0) return 0;
    if (field !== 0) p = parseWanted(p, field, stamp, node, key, keyLength);
    else p = parseUnwanted(p, node, key, keyLength);
    if (p === 0) return 0;
    let c = <u32>load<u8>(p);
    if (c <= 32) {
      p = skipWhitespace(p);
      c = <u32>load<u8>(p);
    }
    if (c !== 44) {
      depth--;
      return c === 125 ? p + 1 : stop(SYNTAX, p);
    }
    p = skipWhitespace(p + 1);
  }
}

function parseWanted(
  p: usize,
  field: usize,
  stamp: u32,
  node: usize,
  key: usize,
  keyLength: usize,
): usize {
  if (load<u32>(field, 32) === stamp) {
    resetField(field);
    pauseTape();
  }
  store<u32>(field, stamp, 32);
  const bit = load<u64>(field, 40);
  const column = <usize>load<u32>(field, 24);
  const inner = <usize>load<u32>(field, 28);
  let end: usize;
  if (column === 0) {
    if (load<u8>(p) === 123) {
      passObject(bit);
      return parseObject(p + 1, inner);
    }
    note(p, ABSENT, 0, bit, node, key, keyLength);
    end = skipMistyped(p, <usize>load<u32>(field, 36));
  } else {
    const action = load<u32>(field, 48);
    note(p, action, action === FIELD ? field : column, bit, node, key, keyLength);
    end = action === FIELD ? decodeField(p, field) : decodeValue(p, column);
  }
  passValue(end);
  return end;
}

/** A value that several columns take, or that a column takes whole and others in parts. */
export function decodeField(p: usize, field: usize): usize {
  let end: usize = 0;
  let column = <usize>load<u32>(field, 24);
  while (column !== 0) {
    end = decodeValue(p, column);
    if (end === 0) return 0;
    column = <usize>load<u32>(column, 32);
  }
  const inner = <usize>load<u32>(field, 28);
  if (inner === 0) return end;
  if (load<u8>(p) !== 123) return skipMistyped(p, <usize>load<u32>(field, 36));
  const wasTaping = isTaping;
  pauseTape();
  end = parseObject(p + 1, inner);
  resumeTape(wasTaping);
  return end;
}

function parseUnwanted(p: usize, node: usize, key: usize, keyLength: usize): usize {
  if (isTaping && depth < LEARNED_DEPTH_MAX && load<u8>(p) === 123) {
    const inner = unwantedNode(node, key, keyLength);
    if (inner !== 0) return parseObject(p + 1, inner);
    pauseTape();
  }
  note(p, skipActionOf(p), 0, 0, node, key, keyLength);
  const end = skipValue(p);
  passValue(end);
  return end;
}

/** Takes back what an earlier value of the key set. */
function resetField(field: usize): void {
  let column = <usize>load<u32>(field, 24);
  while (column !== 0) {
    setNull(column, true);
    if (load<u32>(column, 40) === <u32>row + 1) store<u32>(column, 0, 40);
    const type = load<u32>(column);
    if (type === DOUBLE || type === FLOAT) takeBackDeferred(column);
    column = <usize>load<u32>(column, 32);
  }
  const blamed = <usize>load<u32>(field, 36);
  if (blamed !== 0 && load<u32>(blamed, 40) === <u32>row + 1) store<u32>(blamed, 0, 40);
  const inner = <usize>load<u32>(field, 28);
  if (inner === 0) return;
  const count = load<u32>(inner);
  for (let index: u32 = 0; index < count; index++) {
    resetField(inner + NODE_BYTES + <usize>index * FIELD_BYTES);
  }
}

/** The field called [key, key + length) in `node`, or 0. */
// @ts-ignore: decorator
@inline
function fieldOf(key: usize, length: usize, node: usize): usize {
  const count = load<u32>(node);
  const head = load<u64>(key);
  let field = node + NODE_BYTES;
  for (let index: u32 = 0; index < count; index++, field += FIELD_BYTES) {
    if (load<u32>(field) !== <u32>length) continue;
    if ((head & load<u64>(field, 16)) !== load<u64>(field, 8)) continue;
    if (length <= 8) return field;
    if (memory.compare(key + 8, <usize>load<u32>(field, 4) + 8, length - 8) === 0) return field;
  }
  return 0;
}

/** Keys of 16 bytes and more, and those with escapes. */
function fieldOfLongKey(key: usize, length: usize, node: usize): usize {
  // The host takes no name so long that its longest spelling would not fit.
  if (load<u32>(node) === 0 || length + 16 > KEY_SCRATCH_BYTES) return 0;
  if (unescape(key, keyScratch()) === 0) return 0;
  return fieldOf(keyScratch(), textEnd - keyScratch(), node);
}

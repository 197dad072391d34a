/** Text out of JSON: strings in place or with their escapes decoded, raw JSON, and base64. */
import {
  BAD_ESCAPE,
  BAD_TEXT,
  CONTROL_CHARACTER,
  NO_ROOM,
  ROW,
  WRONG_TYPE,
  arenaTop,
  context,
  rowEnd,
  setNull,
  slotOf,
  stop,
  wrong,
} from "./json-layout";
import {
  BACKSLASH,
  NULL,
  QUOTE,
  asciiSpecials,
  hexOf,
  skipMistyped,
  skipString,
  skipValue,
  specials,
} from "./json-scan";

/** What `contentOf`, `unescape` and `trim` found. */
export let textStart: usize = 0;
export let textEnd: usize = 0;

// @ts-ignore: decorator
@inline
export function putText(column: usize, start: usize, end: usize): void {
  store<u64>(slotOf(column), <u64>start | (<u64>(end - start) << 32));
  setNull(column, false);
}

/**
 * Decodes the string whose content starts at `start` to `target`, until its closing quotation
 * mark, and gives the address behind that; `textEnd` is then the end of what was written. Escapes
 * never grow, so the content's length is room enough, and 16 bytes for the last store. Half a
 * surrogate pair becomes U+FFFD: UTF-8 cannot hold it.
 */
export function unescape(start: usize, target: usize): usize {
  let p = start;
  let to = target;
  while (true) {
    const bytes = v128.load(p);
    v128.store(to, bytes);
    const found = asciiSpecials(bytes);
    if (found === 0) {
      p += 16;
      to += 16;
      if (p > rowEnd) return stop(CONTROL_CHARACTER, p);
      continue;
    }
    const length = <usize>ctz(found);
    p += length;
    to += length;
    const c = <u32>load<u8>(p);
    if (c === QUOTE) {
      textEnd = to;
      return p + 1;
    }
    if (c !== BACKSLASH) return stop(CONTROL_CHARACTER, p);
    const escaped = <u32>load<u8>(p, 1);
    if (escaped === 117) {
      const unit = hexOf(p + 2);
      if (unit < 0) return stop(BAD_ESCAPE, p);
      p += 6;
      let point = <u32>unit;
      if ((point & 0xf800) === 0xd800) {
        point = 0xfffd;
        if (unit < 0xdc00 && load<u16>(p) === 0x755c) {
          const low = hexOf(p + 2);
          if (low < 0) return stop(BAD_ESCAPE, p);
          if ((low & 0xfc00) === 0xdc00) {
            point = 0x10000 + ((<u32>unit - 0xd800) << 10) + (<u32>low - 0xdc00);
            p += 6;
          }
        }
      }
      to = putPoint(to, point);
      continue;
    }
    const byte = unescaped(escaped);
    if (byte === 0) return stop(BAD_ESCAPE, p);
    store<u8>(to++, <u8>byte);
    p += 2;
  }
}

function unescaped(c: u32): u32 {
  switch (c) {
    case 34:
    case 92:
    case 47:
      return c;
    case 98:
      return 8;
    case 102:
      return 12;
    case 110:
      return 10;
    case 114:
      return 13;
    case 116:
      return 9;
    default:
      return 0;
  }
}

function putPoint(to: usize, point: u32): usize {
  if (point < 0x80) {
    store<u8>(to, <u8>point);
    return to + 1;
  }
  if (point < 0x800) {
    store<u8>(to, <u8>(0xc0 | (point >> 6)));
    store<u8>(to, <u8>(0x80 | (point & 63)), 1);
    return to + 2;
  }
  if (point < 0x10000) {
    store<u8>(to, <u8>(0xe0 | (point >> 12)));
    store<u8>(to, <u8>(0x80 | ((point >> 6) & 63)), 1);
    store<u8>(to, <u8>(0x80 | (point & 63)), 2);
    return to + 3;
  }
  store<u8>(to, <u8>(0xf0 | (point >> 18)));
  store<u8>(to, <u8>(0x80 | ((point >> 12) & 63)), 1);
  store<u8>(to, <u8>(0x80 | ((point >> 6) & 63)), 2);
  store<u8>(to, <u8>(0x80 | (point & 63)), 3);
  return to + 4;
}

/**
 * The content of the string whose content starts at `start`, in place or decoded into the arena,
 * as `textStart` and `textEnd`. The arena's top does not move: who keeps the text moves it.
 */
// @ts-ignore: decorator
@inline
export function contentOf(start: usize): usize {
  const found = specials(v128.load(start));
  if (found !== 0) {
    const end = start + <usize>ctz(found);
    if (load<u8>(end) === 34) {
      textStart = start;
      textEnd = end;
      return end + 1;
    }
  }
  return longContentOf(start);
}

function longContentOf(start: usize): usize {
  const p = skipString(start);
  if (p === 0) return 0;
  textStart = start;
  textEnd = p - 1;
  return hasEscape(start, p - 1) ? decodedContentOf(start) : p;
}

function hasEscape(start: usize, end: usize): bool {
  for (let p = start; p < end; p += 16) {
    const found = <u32>i8x16.bitmask(i8x16.eq(v128.load(p), i8x16.splat(92)));
    if (found !== 0) return p + <usize>ctz(found) < end;
  }
  return false;
}

function decodedContentOf(start: usize): usize {
  // The host makes the arena as large as the input, so this does not happen.
  if (arenaTop + (textEnd - start) + 16 > <usize>load<u32>(context, 40)) return stop(NO_ROOM, start);
  textStart = arenaTop;
  return unescape(start, arenaTop);
}

/** Keeps what `contentOf` left in the arena, if it is there. */
export function keepContent(): void {
  if (textStart >= arenaTop && textStart < <usize>load<u32>(context, 40)) arenaTop = textEnd;
}

/** Takes white space off both ends of the content, as Flink does before it reads a number. */
export function trimContent(): void {
  while (textStart < textEnd && load<u8>(textStart) <= 32) textStart++;
  while (textEnd > textStart && load<u8>(textEnd - 1) <= 32) textEnd--;
}

/** STRING, CHAR, VARCHAR: a string's content; of any other value but null its JSON text. */
// @ts-ignore: decorator
@inline
export function decodeText(p: usize, column: usize): usize {
  if (load<u8>(p) !== 34) return decodeRaw(p, column);
  const end = contentOf(p + 1);
  if (end === 0) return 0;
  putText(column, textStart, textEnd);
  // Only what was decoded lies there, and now stays.
  if (textStart === arenaTop) arenaTop = textEnd;
  return end;
}

/** JSON and ROW: the value's text as it came; a ROW must be an object. */
export function decodeRaw(p: usize, column: usize): usize {
  const isNull = load<u32>(p) === NULL;
  const end = isNull ? p + 4 : skipValue(p);
  if (end === 0) return 0;
  if (isNull) setNull(column, true);
  else if (load<u32>(column) === ROW && load<u8>(p) !== 123) wrong(column, WRONG_TYPE, p);
  else putText(column, p, end);
  return end;
}

/** BYTES: base64 (RFC 4648 §4, padded), decoded into the arena. */
export function decodeBytes(p: usize, column: usize): usize {
  if (load<u8>(p) !== QUOTE) return skipMistyped(p, column);
  const end = contentOf(p + 1);
  if (end === 0) return 0;
  const room = <usize>load<u32>(context, 40) - arenaTop;
  if (textEnd - textStart + 16 > room) return stop(NO_ROOM, p);
  // Decoding shrinks, so it may write over the text that escapes left in the arena.
  const written = decodeBase64(textStart, textEnd, arenaTop);
  if (written === 0) {
    wrong(column, BAD_TEXT, p);
    return end;
  }
  putText(column, arenaTop, written);
  arenaTop = written;
  return end;
}

/** Where the bytes written to `to` end, or 0 when [start, end) is not base64. */
function decodeBase64(start: usize, end: usize, target: usize): usize {
  if (((end - start) & 3) !== 0) return 0;
  let to = target;
  for (let p = start; p < end; p += 4) {
    const a = base64Digit(load<u8>(p));
    const b = base64Digit(load<u8>(p, 1));
    let c = base64Digit(load<u8>(p, 2));
    let d = base64Digit(load<u8>(p, 3));
    let bytes: usize = 3;
    if (d < 0 && p + 4 === end && load<u8>(p, 3) === 61) {
      d = 0;
      bytes = 2;
      if (c < 0 && load<u8>(p, 2) === 61) {
        c = 0;
        bytes = 1;
      }
    }
    if ((a | b | c | d) < 0) return 0;
    const word = (a << 18) | (b << 12) | (c << 6) | d;
    store<u8>(to, <u8>(word >> 16));
    if (bytes > 1) store<u8>(to, <u8>(word >> 8), 1);
    if (bytes > 2) store<u8>(to, <u8>word, 2);
    to += bytes;
  }
  return to;
}

function base64Digit(byte: u8): i32 {
  const c = <u32>byte;
  if (c - 65 <= 25) return <i32>(c - 65);
  if (c - 97 <= 25) return <i32>(c - 71);
  if (c - 48 <= 9) return <i32>(c + 4);
  if (c === 43) return 62;
  return c === 47 ? 63 : -1;
}

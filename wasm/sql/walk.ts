/**
 * Kafka records (message format v2) become columns: the first step of a query over a topic. The
 * log checked each batch when it came in; here nothing is trusted all the same, and no byte behind
 * the batch counts, whatever its lengths say.
 *
 * One record; `varint` is 32 bits, `varlong` 64, both zigzag:
 *
 *   length varint, attributes i8, timestampDelta varlong, offsetDelta varint,
 *   keyLength varint (−1: NULL), key, valueLength varint (−1: NULL), value,
 *   headerCount varint, headers
 *
 * Frame, 48 bytes, written by the host; an address of 0 means that nobody wants the column:
 *
 *    0  i64 baseOffset
 *    8  i64 baseTimestamp     the batch's first timestamp, or its log append time
 *   16  u32 isLogAppendTime   1: every record has baseTimestamp
 *   20  u32 offsets           i64 per row
 *   24  u32 timestamps        i64 per row, milliseconds
 *   28  u32 keys              text slots (u32 address, u32 length)
 *   32  u32 keyNulls          u8 per row, 1: NULL; wanted with keys
 *   36  u32 values            text slots
 *   40  u32 valueNulls
 *   44  u32 headers           text slots: from headerCount to the record's end
 */
import { invalidUtf8 } from "./parts/utf8";

/** Where the number read last ended. */
let cursor: usize = 0;

/** A varint or varlong at `p`; reads ten bytes at most. Longer ones end where the tenth does. */
// @ts-ignore: decorator
@inline
function varlong(p: usize): i64 {
  const first = <u64>load<u8>(p);
  if (first < 0x80) {
    cursor = p + 1;
    return <i64>(first >> 1) ^ -(<i64>(first & 1));
  }
  const second = <u64>load<u8>(p, 1);
  if (second < 0x80) {
    cursor = p + 2;
    const value = (first & 0x7f) | (second << 7);
    return <i64>(value >> 1) ^ -(<i64>(value & 1));
  }
  return longVarlong(p);
}

function longVarlong(start: usize): i64 {
  let p = start;
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    const byte = <u64>load<u8>(p++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  cursor = p;
  return <i64>(value >> 1) ^ -(<i64>(value & 1));
}

/**
 * Writes `count` records, which are exactly the `length` bytes at `source`, as rows from `firstRow`
 * on. Gives `count`, or the index of the first record that is not whole; when all are and bytes
 * are left behind them, −1. Reads up to 40 bytes behind `source + length`.
 */
export function walk(frame: usize, source: usize, length: usize, count: u32, firstRow: u32): i32 {
  const end = source + length;
  const baseOffset = load<i64>(frame);
  const baseTimestamp = load<i64>(frame, 8);
  const isLogAppendTime = load<u32>(frame, 16) !== 0;
  const offsets = <usize>load<u32>(frame, 20);
  const timestamps = <usize>load<u32>(frame, 24);
  const keys = <usize>load<u32>(frame, 28);
  const keyNulls = <usize>load<u32>(frame, 32);
  const values = <usize>load<u32>(frame, 36);
  const valueNulls = <usize>load<u32>(frame, 40);
  const headers = <usize>load<u32>(frame, 44);
  let p = source;
  for (let index: u32 = 0; index < count; index++) {
    const row = <usize>(firstRow + index);
    if (p >= end) return index;
    const recordLength = varlong(p);
    p = cursor;
    if (p > end || <u64>recordLength > <u64>(end - p)) return index;
    const recordEnd = p + <usize>recordLength;
    const timestampDelta = varlong(p + 1);
    const offsetDelta = varlong(cursor);
    const keyLength = varlong(cursor);
    p = cursor;
    if (p > recordEnd || keyLength < -1 || keyLength > <i64>(recordEnd - p)) return index;
    if (keys !== 0) putSlot(keys, keyNulls, row, p, keyLength);
    if (keyLength > 0) p += <usize>keyLength;
    const valueLength = varlong(p);
    p = cursor;
    // The count of headers takes a byte at least: values end before the record does.
    if (p >= recordEnd || valueLength < -1 || valueLength >= <i64>(recordEnd - p)) return index;
    putSlot(values, valueNulls, row, p, valueLength);
    if (valueLength > 0) p += <usize>valueLength;
    if (offsets !== 0) store<i64>(offsets + (row << 3), baseOffset + offsetDelta);
    if (timestamps !== 0) {
      const delta = isLogAppendTime ? 0 : timestampDelta;
      store<i64>(timestamps + (row << 3), baseTimestamp + delta);
    }
    if (headers !== 0) {
      store<u64>(headers + (row << 3), <u64>p | (<u64>(recordEnd - p) << 32));
    }
    p = recordEnd;
  }
  return p === end ? <i32>count : -1;
}

// @ts-ignore: decorator
@inline
function putSlot(slots: usize, nulls: usize, row: usize, p: usize, length: i64): void {
  const isNull = length < 0;
  store<u64>(slots + (row << 3), <u64>p | (isNull ? 0 : <u64>length << 32));
  store<u8>(nulls + row, <u8>isNull);
}

/**
 * Checks that the texts of rows `first` to `first + count` are UTF-8. `status` (u8 per row) becomes
 * `code` where one is not and it was 0, and `positions` (u32 per row) the place in the text. Gives
 * how many became so.
 */
export function checkText(
  slots: usize,
  nulls: usize,
  first: u32,
  count: u32,
  status: usize,
  positions: usize,
  code: u32,
): u32 {
  let wrong: u32 = 0;
  for (let row = <usize>first, end = <usize>(first + count); row < end; row++) {
    if (nulls !== 0 && load<u8>(nulls + row) !== 0) continue;
    const start = <usize>load<u32>(slots + (row << 3));
    const invalid = invalidUtf8(start, <usize>load<u32>(slots + (row << 3), 4));
    if (invalid === 0 || load<u8>(status + row) !== 0) continue;
    store<u8>(status + row, <u8>code);
    store<u32>(positions + (row << 2), <u32>(invalid - start));
    wrong++;
  }
  return wrong;
}

/** Writes the numbers of the rows whose status is 0, u32 each, and gives how many they are. */
export function selectRows(status: usize, count: u32, selection: usize): u32 {
  let selected: u32 = 0;
  for (let row: u32 = 0; row < count; row++) {
    store<u32>(selection + (<usize>selected << 2), row);
    selected += <u32>(load<u8>(status + row) === 0);
  }
  return selected;
}

/** Tells whether any of `count` bytes is not 0. Reads up to 15 bytes behind, which do not count. */
export function hasSome(bytes: usize, count: u32): bool {
  let p = bytes;
  const end = bytes + <usize>count;
  while (p + 16 <= end) {
    if (v128.any_true(v128.load(p))) return true;
    p += 16;
  }
  while (p < end) if (load<u8>(p++) !== 0) return true;
  return false;
}

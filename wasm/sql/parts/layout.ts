/** Column and Table as `src/sql/memory/column-layout.ts` lays them out. */

export const COLUMN_BYTES: usize = 32;
export const COLUMN_SHIFT: usize = 5;

export const COLUMN_KIND: usize = 0;
export const COLUMN_VALUES: usize = 4;
export const COLUMN_NULLS: usize = 8;
export const COLUMN_STRIDE: usize = 12;
export const COLUMN_NULL_STRIDE: usize = 16;
export const COLUMN_BASE: usize = 20;

export const TABLE_COLUMNS: usize = 0;
export const TABLE_COLUMN_COUNT: usize = 4;
export const TABLE_ROW_COUNT: usize = 8;
export const TABLE_SELECTION: usize = 12;
export const TABLE_FIRST: usize = 16;
export const TABLE_CURRENT: usize = 20;
export const TABLE_SCHEMA: usize = 24;

export const KIND_INTEGER: u32 = 0;
export const KIND_REAL: u32 = 1;
export const KIND_TEXT: u32 = 2;
export const KIND_BLOB: u32 = 3;
export const KIND_WIDE: u32 = 4;

/** Readable behind the end of every allocation. */
export const SLACK: usize = 16;

// @ts-ignore: decorator
@inline
export function slotOf(column: usize, row: u32): usize {
  return <usize>load<u32>(column, COLUMN_VALUES) + <usize>row * load<u32>(column, COLUMN_STRIDE);
}

// @ts-ignore: decorator
@inline
export function isNull(column: usize, row: u32): bool {
  const nulls = <usize>load<u32>(column, COLUMN_NULLS);
  if (nulls == 0) return false;
  return load<u8>(nulls + <usize>row * load<u32>(column, COLUMN_NULL_STRIDE)) != 0;
}

/** Big-endian two's complement with the sign bit flipped: bytes in the order of the numbers. */
// @ts-ignore: decorator
@inline
export function storeWideBlob(to: usize, low: u64, high: i64): void {
  store<u64>(to, bswap<u64>(<u64>high ^ 0x8000000000000000));
  store<u64>(to, bswap<u64>(low), 8);
}

// @ts-ignore: decorator
@inline
export function wideBlobLow(at: usize): u64 {
  return bswap<u64>(load<u64>(at, 8));
}

// @ts-ignore: decorator
@inline
export function wideBlobHigh(at: usize): i64 {
  return <i64>(bswap<u64>(load<u64>(at)) ^ 0x8000000000000000);
}

/** Whether `length` bytes are the same at both places; may read 15 bytes behind either. */
export function sameBytes(a: usize, b: usize, length: u32): bool {
  let at: u32 = 0;
  for (; at + 16 <= length; at += 16) {
    if (v128.any_true(v128.xor(v128.load(a + at), v128.load(b + at)))) return false;
  }
  const rest = length - at;
  if (rest == 0) return true;
  const others = <u32>i8x16.bitmask(i8x16.ne(v128.load(a + at), v128.load(b + at)));
  return (others & ((1 << rest) - 1)) == 0;
}

/**
 * Copies `length` bytes; neither reads nor writes behind them. Most are short, for which a bulk copy
 * costs more than it copies.
 */
// @ts-ignore: decorator
@inline
export function copyBytes(to: usize, from: usize, length: usize): void {
  if (length > 256) {
    memory.copy(to, from, length);
    return;
  }
  let at: usize = 0;
  for (; at + 16 <= length; at += 16) v128.store(to + at, v128.load(from + at));
  if (length & 8) {
    store<u64>(to + at, load<u64>(from + at));
    at += 8;
  }
  if (length & 4) {
    store<u32>(to + at, load<u32>(from + at));
    at += 4;
  }
  if (length & 2) {
    store<u16>(to + at, load<u16>(from + at));
    at += 2;
  }
  if (length & 1) store<u8>(to + at, load<u8>(from + at));
}

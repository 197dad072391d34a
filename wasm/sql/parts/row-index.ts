/**
 * A hash index over one column of integers or text: `bucketMask + 1` buckets, then a link per row,
 * each the number + 1 of the next row with that bucket, ascending; 0 ends a chain. Rows that are
 * NULL are in none. It says where equal values may be; whoever follows a chain compares.
 */
import { COLUMN_BASE, COLUMN_KIND, isNull, KIND_TEXT, slotOf } from "./layout";
import { malloc } from "./sqlite";

const MULTIPLIER: u64 = 0x9e3779b97f4a7c15;

// @ts-ignore: decorator
@inline
export function hashInteger(value: i64): u32 {
  return <u32>((<u64>value * MULTIPLIER) >> 32);
}

export function hashText(text: usize, length: u32): u32 {
  let hash: u64 = length;
  let at: u32 = 0;
  for (; at + 8 <= length; at += 8) {
    hash = (hash ^ load<u64>(text + at)) * MULTIPLIER;
    hash ^= hash >> 32;
  }
  for (; at < length; at++) hash = (hash ^ load<u8>(text + at)) * MULTIPLIER;
  return <u32>(hash >> 32);
}

/** Of twice as many buckets as rows, or nearly. */
export function bucketMaskFor(rowCount: u32): u32 {
  return (<u32>1 << (32 - clz(rowCount))) - 1;
}

/** Address of an index of the rows of a scan, to be freed; 0: no memory. */
export function buildIndex(
  column: usize,
  selection: usize,
  first: u32,
  rowCount: u32,
  bucketMask: u32,
): usize {
  const buckets = <usize>bucketMask + 1;
  const index = malloc((buckets + rowCount) << 2);
  if (index == 0) return 0;
  memory.fill(index, 0, buckets << 2);
  const links = index + (buckets << 2);
  const isText = load<u32>(column, COLUMN_KIND) == KIND_TEXT;
  // From the last row to the first, each going before those behind it.
  for (let row = rowCount; row > first; ) {
    row--;
    const place = selection == 0 ? row : load<u32>(selection + ((<usize>row) << 2));
    if (isNull(column, place)) continue;
    const slot = slotOf(column, place);
    const hash = isText
      ? hashText(load<u32>(slot) + load<u32>(column, COLUMN_BASE), load<u32>(slot, 4))
      : hashInteger(load<i64>(slot));
    const bucket = index + ((<usize>(hash & bucketMask)) << 2);
    store<u32>(links + ((<usize>row) << 2), load<u32>(bucket));
    store<u32>(bucket, row + 1);
  }
  return index;
}

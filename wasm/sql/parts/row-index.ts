/**
 * A hash index over the columns that equalities compare: `bucketMask + 1` buckets, then a link per
 * row, each the number + 1 of the next row with that bucket, ascending; 0 ends a chain. Rows that
 * are NULL in one of the columns are in none. It says where equal values may be; whoever follows a
 * chain compares. All equalities count, since one alone (of window bounds, say) may be true of all.
 */
import { COLUMN_BASE, isNull, slotOf } from "./layout";
import { malloc } from "./sqlite";
import {
  EQ,
  FILTER_BYTES,
  FILTER_IS_TEXT,
  FILTER_LENGTH,
  FILTER_OPERATOR,
  FILTER_VALUE,
} from "./table-filter";

const MULTIPLIER: u64 = 0x9e3779b97f4a7c15;

// @ts-ignore: decorator
@inline
function mix(hash: u64, value: u64): u64 {
  const product = (hash ^ value) * MULTIPLIER;
  return product ^ (product >> 32);
}

function mixText(hash: u64, text: usize, length: u32): u64 {
  let mixed = mix(hash, length);
  let at: u32 = 0;
  for (; at + 8 <= length; at += 8) mixed = mix(mixed, load<u64>(text + at));
  for (; at < length; at++) mixed = mix(mixed, load<u8>(text + at));
  return mixed;
}

export function countEqualities(filters: usize, filterCount: u32): u32 {
  let count: u32 = 0;
  let filter = filters;
  for (let left = filterCount; left > 0; left--) {
    if (load<u32>(filter, FILTER_OPERATOR) == EQ) count++;
    filter += FILTER_BYTES;
  }
  return count;
}

/** Of the values that the equalities ask for. */
export function hashValues(filters: usize, filterCount: u32): u32 {
  let hash: u64 = 0;
  let filter = filters;
  for (let left = filterCount; left > 0; left--) {
    if (load<u32>(filter, FILTER_OPERATOR) == EQ) {
      hash = load<u32>(filter, FILTER_IS_TEXT)
        ? mixText(hash, load<u32>(filter, FILTER_VALUE), load<u32>(filter, FILTER_LENGTH))
        : mix(hash, load<u64>(filter, FILTER_VALUE));
    }
    filter += FILTER_BYTES;
  }
  return <u32>hash;
}

let hasNull: bool = false;

/** Of a row's values in the columns of the equalities; sets `hasNull`. */
function hashRow(filters: usize, filterCount: u32, place: u32): u32 {
  let hash: u64 = 0;
  let filter = filters;
  hasNull = false;
  for (let left = filterCount; left > 0; left--) {
    if (load<u32>(filter, FILTER_OPERATOR) == EQ) {
      const column = <usize>load<u32>(filter);
      if (isNull(column, place)) {
        hasNull = true;
        return 0;
      }
      const slot = slotOf(column, place);
      hash = load<u32>(filter, FILTER_IS_TEXT)
        ? mixText(hash, load<u32>(slot) + load<u32>(column, COLUMN_BASE), load<u32>(slot, 4))
        : mix(hash, load<u64>(slot));
    }
    filter += FILTER_BYTES;
  }
  return <u32>hash;
}

/** Of about twice as many buckets as rows. */
export function bucketMaskFor(rowCount: u32): u32 {
  return (<u32>1 << (32 - clz(rowCount))) - 1;
}

/** Address of an index of the rows of a scan, to be freed; 0: no memory. */
export function buildIndex(
  filters: usize,
  filterCount: u32,
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
  // From the last row to the first, each going before those behind it.
  for (let row = rowCount; row > first; ) {
    row--;
    const place = selection == 0 ? row : load<u32>(selection + ((<usize>row) << 2));
    const hash = hashRow(filters, filterCount, place);
    if (hasNull) continue;
    const bucket = index + ((<usize>(hash & bucketMask)) << 2);
    store<u32>(links + ((<usize>row) << 2), load<u32>(bucket));
    store<u32>(bucket, row + 1);
  }
  return index;
}

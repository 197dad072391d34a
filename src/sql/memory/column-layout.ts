/**
 * The one layout in which rows cross between kernels, SQLite's virtual tables and the host: columns
 * in the memory that SQLite and all kernels share. Host code writes descriptors; kernels and
 * virtual tables read them. All integers little-endian; pointers are u32 addresses; 0 is "absent".
 *
 * Column, 32 bytes:
 *
 *   0  u32 kind       0 integer, 1 real, 2 text, 3 blob, 4 wide
 *   4  u32 values     address of the first slot
 *   8  u32 nulls      address of the first null byte (1: NULL), or 0: no NULLs
 *  12  u32 stride     bytes from one row's slot to the next: 8, 16 for wide, or an entry's size
 *  16  u32 nullStride bytes from one row's null byte to the next: 1, or an entry's size
 *  20  u32 base       text and blob: added to each slot's pointer (0: the pointers are addresses)
 *  24  u32 reserved, 28 u32 reserved
 *
 * Slot: integer i64; real f64; text and blob u32 pointer, u32 length; wide i128 (low u64, high
 * i64).
 * A NULL row's slot holds anything. Text and blob bytes belong to whoever made the rows and live
 * as long as the rows: a kernel that keeps a value copies its bytes.
 *
 * Table, 32 bytes:
 *
 *   0  u32 columns    address of columnCount columns, one behind the other
 *   4  u32 columnCount
 *   8  u32 rowCount   rows that the columns have, or row numbers in the selection
 *  12  u32 selection  address of u32 row numbers, ascending, or 0: all rows
 *  16  u32 first      where a scan starts (an index into the selection, if there is one)
 *  20  u32 current    the scan writes the index of the row that it stands on, for errors
 *  24  u32 schema     address of the zero-terminated CREATE TABLE text (virtual tables only)
 *  28  u32 reserved
 *
 * Readers may load up to 15 bytes behind any values, nulls, selection or text: whoever allocates
 * leaves that room.
 */
import type { ValueKind } from "../types/data-type.ts";

export const columnBytes = 32;
export const tableBytes = 32;
/** What every allocation leaves readable behind its end. */
export const slackBytes = 16;

export const columnField = {
  kind: 0,
  values: 4,
  nulls: 8,
  stride: 12,
  nullStride: 16,
  base: 20,
} as const;

export const tableField = {
  columns: 0,
  columnCount: 4,
  rowCount: 8,
  selection: 12,
  first: 16,
  current: 20,
  schema: 24,
} as const;

export const kindCodes: Readonly<Record<ValueKind, number>> = {
  integer: 0,
  real: 1,
  text: 2,
  blob: 3,
  wide: 4,
};

export function slotBytes(kind: ValueKind): number {
  return kind === "wide" ? 16 : 8;
}

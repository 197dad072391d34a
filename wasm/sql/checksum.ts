/**
 * CRC-32C of bytes in the memory of a query, where kernels write the records that it covers: they
 * are summed without a copy. See `../parts/crc32c.ts`; its tables lie where the host has room.
 */
import { CRC_BYTES, fillTables, sum } from "../parts/crc32c";

/** What `init` is to have room for. */
export function tableBytes(): u32 {
  return <u32>CRC_BYTES;
}

/** Fills the tables at `tables`; once. */
export function init(tables: usize): void {
  fillTables(tables);
}

/** The CRC of `length` bytes at `position`, going on from `previous` (0 to begin). */
export function crc32c(tables: usize, previous: u32, position: usize, length: usize): u32 {
  return sum(tables, previous, position, length);
}

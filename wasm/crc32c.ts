/**
 * CRC-32C (`parts/crc32c.ts`) over bytes in linear memory.
 *
 * The memory is imported and the module has no data and no heap of its own: it owns the first
 * 64 KiB, everything above is the embedding's.
 */
import { fillTables, sum } from "./parts/crc32c";

/** Address 0 is nobody's. */
const BASE: usize = 1024;

/** Fills the tables. Call once per memory, before anything else. */
export function init(): void {
  fillTables(BASE);
}

/** The CRC of `length` bytes at `position`, going on from `previous` (0 to begin). */
export function crc32c(previous: u32, position: usize, length: usize): u32 {
  return sum(BASE, previous, position, length);
}

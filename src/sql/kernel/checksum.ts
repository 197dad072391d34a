/**
 * CRC-32C of bytes in the memory of a query, where kernels have written them: summed without a copy
 * by `wasm/sql/checksum.ts`. Bytes that lie elsewhere are left to another Crc32c.
 */
import type { Crc32c } from "../../base/crc32c.ts";
import type { SqliteHost } from "../sqlite/host.ts";

interface ChecksumKernel {
  tableBytes(): number;
  init(tables: number): void;
  crc32c(tables: number, previous: number, position: number, length: number): number;
}

/** Up to here, what bytes lie in makes no difference, and to ask for it costs more. */
const fewBytes = 512;

/** The CRC of `length` bytes of the memory at `position`, going on from `previous` (0 to begin). */
export type SumInPlace = (previous: number, position: number, length: number) => number;

const known = new WeakMap<SqliteHost, SumInPlace>();

/**
 * The host's, made once: its tables stay.
 * @throws StreamError `sql_memory_exceeded`
 */
export function sumInPlaceOf(host: SqliteHost): SumInPlace {
  const made = known.get(host);
  if (made !== undefined) return made;
  const kernel = host.link<ChecksumKernel>("checksum");
  const tables = host.memory.allocate(kernel.tableBytes());
  kernel.init(tables);
  const sum: SumInPlace = (previous, position, length) =>
    kernel.crc32c(tables, previous, position, length) >>> 0;
  known.set(host, sum);
  return sum;
}

/**
 * `elsewhere`: for what is not in the host's memory.
 * @throws StreamError `sql_memory_exceeded`
 */
export function checksumOf(host: SqliteHost, elsewhere: Crc32c): Crc32c {
  const sum = sumInPlaceOf(host);
  const { memory } = host;
  return {
    of(bytes, previous = 0) {
      const isHere = bytes.length > fewBytes && bytes.buffer === memory.bytes.buffer;
      if (!isHere) return elsewhere.of(bytes, previous);
      return sum(previous, bytes.byteOffset, bytes.length);
    },
  };
}

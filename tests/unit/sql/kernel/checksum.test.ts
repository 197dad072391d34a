import { describe, expect, test } from "bun:test";
import { checksumOf, sumInPlaceOf } from "../../../../src/sql/kernel/checksum.ts";
import { crc32c } from "../../../support/record-tools.ts";
import { createSqliteHost } from "../../../support/sqlite.ts";

const host = createSqliteHost();
const sums = checksumOf(host, crc32c);

/** Bytes in the host's memory, and the same elsewhere. */
function placed(
  length: number,
  shift: number,
): { readonly here: Uint8Array; readonly there: Uint8Array } {
  let state = 0x2545f491 + length;
  const there = Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  });
  const address = host.memory.allocate(length + shift) + shift;
  host.memory.bytes.set(there, address);
  return { here: host.memory.bytes.subarray(address, address + length), there };
}

describe("checksumOf", () => {
  test("sums what lies in the host's memory as others do, at every alignment", () => {
    for (const length of [0, 1, 511, 512, 513, 600, 8191, 8192, 8193, 21_705, 1_100_000]) {
      for (const shift of [0, 1, 7, 13]) {
        const { here, there } = placed(length, shift);
        expect(sums.of(here)).toBe(crc32c.of(there));
      }
    }
  });

  test("goes on from the sum of what was before", () => {
    const { here, there } = placed(100_000, 3);
    const head = crc32c.of(there.subarray(0, 40));
    expect(sums.of(here.subarray(40), head)).toBe(crc32c.of(there));
    const middle = sums.of(here.subarray(0, 50_000));
    expect(sums.of(here.subarray(50_000), middle)).toBe(crc32c.of(there));
  });

  test("still does when the memory has grown", () => {
    const { there } = placed(2000, 0);
    host.memory.allocate(64 * 1024 * 1024);
    const address = host.memory.place(there);
    expect(sums.of(host.memory.bytes.subarray(address, address + 2000))).toBe(crc32c.of(there));
  });

  test("leaves to the other what lies elsewhere", () => {
    const { there } = placed(5000, 0);
    expect(sums.of(there)).toBe(crc32c.of(there));
  });

  test("is made once for a host", () => {
    expect(sumInPlaceOf(host)).toBe(sumInPlaceOf(host));
  });
});

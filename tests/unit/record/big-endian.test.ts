import { describe, expect, test } from "bun:test";
import * as bigEndian from "../../../src/record/big-endian.ts";

const bytes = new Uint8Array(16);
const view = new DataView(bytes.buffer);

describe("big-endian integers", () => {
  test.each([0, 1, -1, 255, -32768, 32767])("int16 %d agrees with DataView", (value) => {
    bigEndian.writeInt16(bytes, 3, value);
    expect(view.getInt16(3)).toBe(value);
    expect(bigEndian.readInt16(bytes, 3)).toBe(value);
    expect(bigEndian.readUint16(bytes, 3)).toBe(value & 0xffff);
  });

  test.each([0, 1, -1, 0x12345678, -(2 ** 31), 2 ** 31 - 1])("int32 %d agrees", (value) => {
    bigEndian.writeInt32(bytes, 5, value);
    expect(view.getInt32(5)).toBe(value);
    expect(bigEndian.readInt32(bytes, 5)).toBe(value);
    expect(bigEndian.readUint32(bytes, 5)).toBe(value >>> 0);
  });

  const longs = [0, 1, -1, 2 ** 32, -(2 ** 32), 2 ** 32 - 1, -(2 ** 32) - 1, 2 ** 53 - 1];
  test.each([...longs, -(2 ** 53) + 1, 1_700_000_000_123])("int64 %d agrees", (value) => {
    bigEndian.writeInt64(bytes, 7, value);
    expect(view.getBigInt64(7)).toBe(BigInt(value));
    expect(bigEndian.readInt64(bytes, 7)).toBe(value);
  });

  test("int64 beyond 2^53 reads as no safe integer", () => {
    for (const value of [2n ** 53n, 2n ** 63n - 1n, -(2n ** 53n), -(2n ** 63n)]) {
      view.setBigInt64(0, value);
      expect(Number.isSafeInteger(bigEndian.readInt64(bytes, 0))).toBe(false);
    }
  });
});

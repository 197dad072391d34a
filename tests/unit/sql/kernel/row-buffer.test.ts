import { describe, expect, test } from "bun:test";
import { RowBuffer } from "../../../../src/sql/kernel/row-buffer.ts";
import { createSqliteHost } from "../../../support/sqlite.ts";

const MiB = 1024 * 1024;

describe("RowBuffer", () => {
  test("keeps its memory while it is enough, and takes more before it is not", () => {
    const buffer = new RowBuffer(createSqliteHost().memory);
    expect([buffer.address, buffer.bytes]).toEqual([0, 0]);
    const first = buffer.reserve(1000);
    expect(buffer.reserve(10)).toBe(first);
    expect(buffer.reserve(1500)).toBe(first);
    buffer.reserve(1501);
    expect(buffer.bytes).toBeGreaterThanOrEqual(1501);
  });

  test("gives back what one large value took", () => {
    const buffer = new RowBuffer(createSqliteHost().memory);
    buffer.reserve(20 * MiB);
    buffer.reserve(3 * MiB);
    expect(buffer.bytes).toBe(20 * MiB);
    buffer.reserve(1000);
    expect(buffer.bytes).toBeLessThan(MiB);
    buffer.free();
    expect(buffer.bytes).toBe(0);
  });

  test("what the memory does not hold is an error, after which it works on", () => {
    const buffer = new RowBuffer(createSqliteHost(16 * MiB).memory);
    expect(() => buffer.reserve(64 * MiB)).toThrow("Cannot allocate");
    expect(buffer.reserve(1000)).toBeGreaterThan(0);
  });
});

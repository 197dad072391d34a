import { describe, expect, test } from "bun:test";
import { slackBytes } from "../../../../src/sql/memory/column-layout.ts";
import { createSqliteHost } from "../../../support/sqlite.ts";

describe("SqliteMemory", () => {
  test("texts keep their byte order mark and zeros; what is no UTF-8 becomes U+FFFD", () => {
    const { memory } = createSqliteHost();
    const text = "\ufeffa\0é🚀";
    const { address, length } = memory.placeText(text);
    expect(memory.text(address, length)).toBe(text);
    expect(memory.textToZero(address)).toBe("\ufeffa");
    expect(memory.textToZero(0)).toBe("");
    const bytes = memory.place(new Uint8Array([0x61, 0xff, 0x62]));
    expect(memory.text(bytes, 3)).toBe("a\ufffdb");
  });

  test("allocations have slack behind them, also at the end of the memory", () => {
    const { memory } = createSqliteHost(64 * 1024 * 1024);
    for (let bytes = 1; bytes < 8 * 1024 * 1024; bytes *= 3) {
      const address = memory.allocate(bytes);
      expect(address + bytes + slackBytes).toBeLessThanOrEqual(memory.bytes.length);
    }
  });

  test("zeroed memory is zero, though it was used before", () => {
    const { memory } = createSqliteHost();
    for (let round = 0; round < 3; round++) {
      const address = memory.allocateZeroed(1000);
      expect(memory.take(address, 1000).every((byte) => byte === 0)).toBe(true);
      memory.bytes.fill(0xaa, address, address + 1000);
      memory.free(address);
    }
  });

  test("scratch is freed, also when its user throws", () => {
    const { memory } = createSqliteHost(16 * 1024 * 1024);
    for (let round = 0; round < 50; round++) {
      const use = () => {
        memory.withScratch(1024 * 1024, () => {
          throw new Error("no");
        });
      };
      expect(use).toThrow("no");
      expect(memory.withText("x".repeat(1024 * 1024), (_, length) => length)).toBe(1024 * 1024);
    }
  });
});

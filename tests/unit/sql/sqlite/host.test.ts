import { describe, expect, test } from "bun:test";
import { SqliteDatabase } from "../../../../src/sql/sqlite/database.ts";
import { memoryBytesMin } from "../../../../src/sql/sqlite/host.ts";
import { createSqliteHost, openSqlite } from "../../../support/sqlite.ts";

const mebibyte = 1024 * 1024;

describe("SqliteHost", () => {
  test("opens databases that know nothing of each other", () => {
    const host = createSqliteHost();
    const [one, other] = [new SqliteDatabase(host), new SqliteDatabase(host)];
    one.run("CREATE TABLE t(a)");
    expect(() => other.query("SELECT * FROM t")).toThrow("no such table: t");
    one.close();
    other.close();
  });

  test("a statement that needs more than the bound fails, and the task goes on", () => {
    const database = openSqlite(16 * mebibyte);
    const { memory } = database.host;
    expect(() => database.query("SELECT zeroblob(30000000) || 'x'")).toThrow(
      "the query may use 16777216 bytes of memory",
    );
    expect(memory.bytes.length).toBeLessThanOrEqual(16 * mebibyte);
    expect(database.query("SELECT length(randomblob(1000000))")).toEqual([[1_000_000n]]);
  });

  test("tables that grow past the bound fail with sql_memory_exceeded", () => {
    const database = openSqlite(16 * mebibyte);
    database.run("CREATE TABLE t(a)");
    const insert = () => {
      for (;;) database.run("INSERT INTO t VALUES (randomblob(500000))");
    };
    expect(insert).toThrow(expect.objectContaining({ code: "sql_memory_exceeded" }));
    expect(database.query("SELECT count(*) > 10 FROM t")).toEqual([[1n]]);
  });

  test("an allocation past the bound or past 2 GiB fails", () => {
    const { memory } = createSqliteHost(16 * mebibyte);
    for (const bytes of [16 * mebibyte, 2 ** 31 - 1, 2 ** 32 + 100]) {
      expect(() => memory.allocate(bytes)).toThrow(
        expect.objectContaining({ code: "sql_memory_exceeded" }),
      );
    }
    memory.free(memory.allocate(mebibyte));
  });

  test("bounds that cannot be kept are refused", () => {
    for (const bytes of [0, memoryBytesMin - 1, 2 ** 31 + 1, Number.NaN]) {
      expect(() => createSqliteHost(bytes)).toThrow(
        expect.objectContaining({ code: "invalid_config" }),
      );
    }
  });

  test("SQLite reads the platform's clock", () => {
    expect(openSqlite().query("SELECT datetime('now')")).toEqual([["2026-01-01 00:00:00"]]);
  });

  test("views are renewed after growth", () => {
    const { memory } = createSqliteHost();
    const before = memory.bytes;
    const address = memory.place(new Uint8Array([1, 2, 3]));
    memory.allocate(64 * mebibyte);
    expect(before.length).toBe(0);
    expect(memory.take(address, 3)).toEqual(new Uint8Array([1, 2, 3]));
    expect(memory.readUint32(address) & 0xffffff).toBe(0x030201);
  });
});

import { describe, expect, test } from "bun:test";
import type { ScratchDisk } from "../../../../src/sql/sqlite/scratch-disk.ts";
import { StateFile, statePageBytes } from "../../../../src/sql/sqlite/vfs.ts";
import { createSqliteHost } from "../../../support/sqlite.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

class MemoryDisk implements ScratchDisk {
  readonly pages = new Map<number, Uint8Array>();
  reads = 0;
  broken: string | null = null;

  read(pageNumber: number, page: Uint8Array): void {
    if (this.broken === "read") throw new Error("the disk is gone");
    this.reads++;
    const stored = this.pages.get(pageNumber);
    if (stored === undefined) throw new Error(`page ${pageNumber} was never written`);
    page.set(stored);
  }

  write(pageNumber: number, page: Uint8Array): void {
    if (this.broken === "write") throw new Error("the disk is full");
    this.pages.set(pageNumber, page.slice());
  }

  close(): void {}
}

const insert =
  "WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?) " +
  "INSERT INTO t SELECT i, printf('%.*c', 400, 'x') || i FROM n";
const insertMore =
  "WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?) " +
  "INSERT INTO t (v) SELECT printf('%.*c', 400, 'x') FROM n";
const summary = "SELECT count(*), sum(k), sum(length(v)), max(v) FROM t";

describe("StateFile", () => {
  test("a delta holds what was written since the last checkpoint, and restores", () => {
    const host = createSqliteHost();
    const file = new StateFile(host, { name: "state" });
    const database = file.open();
    database.run("CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT)");
    database.run(insert, 2000n);
    const full = file.checkpoint("full");
    expect(file.dirtyPageCount).toBe(0);
    database.run("UPDATE t SET v = 'changed' WHERE k = 1234");
    expect(file.dirtyPageCount).toBeGreaterThan(0);
    const delta = file.checkpoint("delta");
    expect(delta.length).toBeLessThan(8 * statePageBytes);
    expect(full.length).toBeGreaterThan(100 * statePageBytes);
    database.run("DELETE FROM t");

    const restored = new StateFile(createSqliteHost(), { name: "other" });
    restored.restore(full);
    restored.restore(delta);
    expect(restored.dirtyPageCount).toBe(0);
    const copy = restored.open();
    expect(copy.query("SELECT v FROM t WHERE k = 1234")).toEqual([["changed"]]);
    expect(copy.query("SELECT count(*) FROM t")).toEqual([[2000n]]);
    expect(copy.query("PRAGMA integrity_check")).toEqual([["ok"]]);
  });

  test("a checkpoint in parts restores as a whole, and the next delta counts from its end", () => {
    const file = new StateFile(createSqliteHost(), { name: "state" });
    const database = file.open();
    database.run("CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT)");
    database.run(insert, 2000n);
    const inParts = (kind: "full" | "delta") => {
      const parts = [file.checkpoint(kind, 100)];
      while (file.dirtyPageCount > 0) parts.push(file.checkpoint("delta", 100));
      return parts;
    };
    const full = inParts("full");
    expect(full.length).toBe(Math.ceil(file.pageCount / 100));
    database.run("UPDATE t SET v = 'changed' WHERE k % 10 = 4");
    const delta = inParts("delta");
    expect(delta.length).toBeGreaterThan(1);
    database.run("UPDATE t SET v = 'again' WHERE k = 7");
    const last = file.checkpoint("delta", 100);
    expect(last.length).toBeLessThan(8 * statePageBytes);

    const restored = new StateFile(createSqliteHost(), { name: "other" });
    for (const part of [...full, ...delta, last]) {
      expect(part.length).toBeLessThan(101 * (statePageBytes + 4));
      restored.restore(part);
    }
    const copy = restored.open();
    expect(copy.query("SELECT count(*) FROM t WHERE v = 'changed'")).toEqual([[200n]]);
    expect(copy.query("SELECT v FROM t WHERE k = 7")).toEqual([["again"]]);
    expect(copy.query(summary)).toEqual(database.query(summary));
    expect(copy.query("PRAGMA integrity_check")).toEqual([["ok"]]);
  });

  test("pages beyond the bound go to scratch disk, and come back", () => {
    const disk = new MemoryDisk();
    const host = createSqliteHost(16 * mebibyte);
    const options = { name: "state", cachedBytesMax: 256 * kibibyte, scratch: disk };
    const file = new StateFile(host, options);
    const database = file.open();
    database.run("CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT)");
    // 40 MB of rows in a memory of 16.
    for (let round = 0; round < 10; round++) {
      database.run(insert.replace("SELECT i,", `SELECT i + ${round * 10_000},`), 10_000n);
    }
    expect(file.cachedPageCount).toBe(64);
    expect(file.pageCount * statePageBytes).toBeGreaterThan(40 * mebibyte);
    expect(disk.pages.size).toBeGreaterThan(file.pageCount - 100);
    expect(database.query("SELECT count(*), sum(k) FROM t")).toEqual([[100_000n, 4_999_950_000n]]);
    expect(database.query("SELECT v FROM t WHERE k = 5")).toEqual([[`${"x".repeat(400)}5`]]);
    expect(disk.reads).toBeGreaterThan(1000);
    database.run("UPDATE t SET v = 'changed' WHERE k % 10000 = 77");
    expect(database.query("SELECT count(*) FROM t WHERE v = 'changed'")).toEqual([[10n]]);
  });

  test("many rows far apart change in less memory than their pages have", () => {
    const host = createSqliteHost(8 * mebibyte);
    const scratch = new MemoryDisk();
    const file = new StateFile(host, { name: "state", scratch, cachedBytesMax: mebibyte });
    const database = file.open();
    database.run("CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT)");
    for (let round = 0; round < 15; round++) database.run(insertMore, 2000n);
    const update = database.prepare("UPDATE t SET v = replace(v, 'x', 'y') WHERE k >= 0");
    expect(() => update.all()).toThrow("memory");
    update.change();
    expect(database.query("SELECT count(*) FROM t WHERE v LIKE 'y%'")).toEqual([[30_000n]]);
    expect(database.query("PRAGMA journal_mode")).toEqual([["memory"]]);
    update.finalize();
    database.close();
  });

  test("a checkpoint of spilled pages restores into as little memory", () => {
    const options = { name: "state", cachedBytesMax: 128 * kibibyte };
    const file = new StateFile(createSqliteHost(), { ...options, scratch: new MemoryDisk() });
    const database = file.open();
    database.run("CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT)");
    database.run(insert, 5000n);
    const wanted = database.query(summary);
    const full = file.checkpoint("full");
    database.run("UPDATE t SET v = v || '!' WHERE k % 500 = 3");
    const changed = database.query(summary);
    const delta = file.checkpoint("delta");
    expect(changed).not.toEqual(wanted);
    for (const [parts, rows] of [
      [[full], wanted],
      [[full, delta], changed],
    ] as const) {
      const other = new StateFile(createSqliteHost(), { ...options, scratch: new MemoryDisk() });
      for (const part of parts) other.restore(part);
      const copy = other.open();
      expect(copy.query(summary)).toEqual(rows);
      expect(other.cachedPageCount).toBe(32);
    }
  });

  test("what is rolled back is in no checkpoint", () => {
    const file = new StateFile(createSqliteHost(), { name: "state" });
    const database = file.open();
    database.run("CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT)");
    database.run(insert, 100n);
    const before = file.checkpoint("full");
    database.run("BEGIN");
    database.run("DELETE FROM t");
    database.run("CREATE TABLE other(a)");
    expect(() => file.checkpoint("delta")).toThrow("between transactions");
    database.run("ROLLBACK");
    const restored = new StateFile(createSqliteHost(), { name: "state" });
    restored.restore(before);
    restored.restore(file.checkpoint("delta"));
    const copy = restored.open();
    expect(copy.query("SELECT count(*) FROM t")).toEqual([[100n]]);
    expect(copy.query("SELECT count(*) FROM sqlite_schema")).toEqual([[1n]]);
  });

  test("an empty database has a checkpoint too", () => {
    const file = new StateFile(createSqliteHost(), { name: "state" });
    const empty = file.checkpoint("full");
    expect(empty.length).toBe(16);
    const restored = new StateFile(createSqliteHost(), { name: "state" });
    restored.restore(empty);
    restored.open().run("CREATE TABLE t(a)");
    expect(restored.pageCount).toBe(2);
  });

  test("scratch disk that fails fails the statement, and the reason is kept", () => {
    const disk = new MemoryDisk();
    const options = { name: "state", cachedBytesMax: 64 * kibibyte, scratch: disk };
    const file = new StateFile(createSqliteHost(), options);
    const database = file.open();
    database.run("CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT)");
    database.run(insert, 5000n);
    disk.broken = "read";
    expect(() => database.query(summary)).toThrow("disk I/O error");
    expect(file.scratchFailure).toEqual(new Error("the disk is gone"));
    expect(() => file.checkpoint("full")).toThrow("scratch disk failed");
    disk.broken = null;
    expect(database.query("SELECT count(*) FROM t")).toEqual([[5000n]]);
    disk.broken = "write";
    expect(() => database.run(insert.replace("SELECT i,", "SELECT i + 5000,"), 5000n)).toThrow();
    expect(file.scratchFailure).toEqual(new Error("the disk is full"));
  });

  test("without scratch disk the task's memory is the bound", () => {
    const file = new StateFile(createSqliteHost(16 * mebibyte), { name: "state" });
    const database = file.open();
    database.run("CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT)");
    expect(() => database.run(insert, 100_000n)).toThrow(
      expect.objectContaining({ code: "sql_memory_exceeded" }),
    );
    expect(database.query("SELECT count(*) FROM t")).toEqual([[0n]]);
  });

  test("bytes that are no checkpoint are refused", () => {
    const source = new StateFile(createSqliteHost(), { name: "state" });
    source.open().run("CREATE TABLE t(a)");
    const good = source.checkpoint("full");
    const file = new StateFile(createSqliteHost(), { name: "state" });
    const damaged = (position: number, byte: number) => {
      const bytes = good.slice();
      bytes[position] = byte;
      return bytes;
    };
    for (const bytes of [
      new Uint8Array(0),
      good.subarray(0, 15),
      good.subarray(0, good.length - 1),
      damaged(0, 2),
      damaged(1, 9),
      damaged(5, 0x20),
      damaged(12, 3),
      damaged(16, 200),
    ]) {
      expect(() => file.restore(bytes)).toThrow(expect.objectContaining({ code: "corrupt_state" }));
    }
  });

  test("two files of one host are two databases; a freed one gives its memory back", () => {
    const host = createSqliteHost(64 * mebibyte);
    const kept = new StateFile(host, { name: "kept" });
    const one = kept.open();
    one.run("CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT)");
    for (let round = 0; round < 8; round++) {
      const file = new StateFile(host, { name: "state" });
      const database = file.open();
      database.run("CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT)");
      database.run(insert, 40_000n);
      database.close();
      file.free();
    }
    expect(one.query("SELECT count(*) FROM t")).toEqual([[0n]]);
  });
});

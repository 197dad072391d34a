import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import {
  ObjectScratch,
  type ObjectSqlStorage,
} from "../../../../src/runtime/workerd/object-scratch.ts";
import { scratchRowBytes } from "../../../../src/runtime/workerd/scratch-rows.ts";
import { StateFile } from "../../../../src/sql/sqlite/vfs.ts";
import { createSqliteHost } from "../../../support/sqlite.ts";

/** As a Durable Object's: BLOBs come as ArrayBuffer. */
function objectStorage(database: Database): ObjectSqlStorage & { statements: string[] } {
  const statements: string[] = [];
  return {
    statements,
    exec(sql, ...values) {
      statements.push(sql);
      const rows = database.prepare(sql).all(...(values as string[])) as Record<string, unknown>[];
      const given = rows.map((row) =>
        Object.entries(row).map(([name, value]) => [
          name,
          value instanceof Uint8Array ? value.slice().buffer : value,
        ]),
      );
      return { toArray: () => given.map((each) => Object.fromEntries(each)) };
    },
  };
}

const insert =
  "WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?) " +
  "INSERT INTO t SELECT i, printf('%.*c', 400, 'x') || i FROM n";
const tables = "SELECT name FROM sqlite_master";

describe("ObjectScratch", () => {
  test("a state file that has no room keeps its pages there", () => {
    const database = new Database(":memory:");
    const scratch = new ObjectScratch(objectStorage(database), { bytesMax: 2 ** 30 });
    const disk = scratch.open();
    const file = new StateFile(createSqliteHost(), {
      ...{ name: "state", scratch: disk, cachedBytesMax: 256 * 1024 },
    });
    const state = file.open();
    state.run("CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT)");
    state.run(insert, 20_000n);
    state.run("DELETE FROM t WHERE k % 3 = 0");
    expect(file.cachedPageCount).toBeLessThanOrEqual(64);
    const [[count]] = state.query("SELECT count(*) FROM t") as [[bigint]];
    expect(count).toBe(13_333n);
    expect(state.query("PRAGMA integrity_check")).toEqual([["ok"]]);
    const kept = database.prepare("SELECT count(*) AS n FROM scratch").get() as { n: number };
    expect(kept.n).toBeGreaterThan(20);
    disk.close();
    expect(database.prepare(tables).all()).toEqual([]);
  });

  test("what an earlier activation left goes", () => {
    const database = new Database(":memory:");
    const storage = objectStorage(database);
    const disk = new ObjectScratch(storage, { bytesMax: 2 ** 30 }).open();
    for (let page = 0; page < 64; page++) disk.write(page, new Uint8Array(4096).fill(page));
    expect(database.prepare(tables).all()).toHaveLength(1);
    new ObjectScratch(storage, { bytesMax: 2 ** 30 }).clear();
    expect(database.prepare(tables).all()).toEqual([]);
    // Where nothing was left nothing is written.
    storage.statements.length = 0;
    new ObjectScratch(storage, { bytesMax: 2 ** 30 }).clear();
    expect(storage.statements.filter((sql) => !sql.startsWith("SELECT"))).toEqual([]);
  });

  test("a disk that ends leaves the others their rows", () => {
    const database = new Database(":memory:");
    const scratch = new ObjectScratch(objectStorage(database), { bytesMax: 2 ** 30 });
    const [one, other] = [scratch.open(), scratch.open()];
    for (let page = 0; page < 40; page++) {
      one.write(page, new Uint8Array(4096).fill(1));
      other.write(page, new Uint8Array(4096).fill(2));
    }
    one.close();
    const third = scratch.open();
    for (let page = 0; page < 40; page++) third.write(page, new Uint8Array(4096).fill(3));
    const page = new Uint8Array(4096);
    other.read(0, page);
    expect(page).toEqual(new Uint8Array(4096).fill(2));
    third.read(0, page);
    expect(page).toEqual(new Uint8Array(4096).fill(3));
  });

  test("past its bound the statement fails with the setting that holds it", () => {
    const scratch = new ObjectScratch(objectStorage(new Database(":memory:")), {
      bytesMax: 4 * scratchRowBytes,
    });
    const file = new StateFile(createSqliteHost(), {
      ...{ name: "state", scratch: scratch.open(), cachedBytesMax: 128 * 1024 },
    });
    const state = file.open();
    state.run("CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT)");
    expect(() => state.run(insert, 20_000n)).toThrow("MILLRACE_SCRATCH_BYTES");
    expect(state.query("SELECT count(*) FROM t")).toEqual([[0n]]);
  });
});

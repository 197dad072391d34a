import { describe, expect, test } from "bun:test";
import { SqliteDatabase } from "../../../../src/sql/sqlite/database.ts";
import { createSqliteHost, openSqlite } from "../../../support/sqlite.ts";

describe("SqliteDatabase", () => {
  test("a statement that fails half-way leaves nothing and can run again", () => {
    const database = openSqlite();
    database.run("CREATE TABLE t(a INTEGER PRIMARY KEY)");
    database.run("INSERT INTO t VALUES (3)");
    expect(() => database.run("INSERT INTO t VALUES (1), (2), (3)")).toThrow(
      "UNIQUE constraint failed: t.a",
    );
    expect(database.query("SELECT a FROM t")).toEqual([[3n]]);
  });

  test("transactions are SQLite's", () => {
    const database = openSqlite();
    database.run("CREATE TABLE t(a)");
    database.run("BEGIN");
    database.run("INSERT INTO t VALUES (?)", 1n);
    database.run("ROLLBACK");
    expect(database.query("SELECT count(*) FROM t")).toEqual([[0n]]);
  });

  test("a file or a VFS that is not there is refused with the reason", () => {
    const host = createSqliteHost();
    expect(() => new SqliteDatabase(host, { name: "/somewhere/file.db" })).toThrow(
      "Cannot open the database /somewhere/file.db",
    );
    expect(() => new SqliteDatabase(host, { name: "x", vfs: "nowhere" })).toThrow(
      expect.objectContaining({ code: "sql_evaluation_failed" }),
    );
  });

  test("an error carries SQLite's code and reason", () => {
    const database = openSqlite();
    expect(() => database.query("SELECT abs(-9223372036854775808)")).toThrow(
      expect.objectContaining({ details: { code: 1, reason: "integer overflow" } }),
    );
  });
});

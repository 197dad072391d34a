import { describe, expect, test } from "bun:test";
import { isStreamError } from "../../../../src/base/stream-error.ts";
import { openSqlite } from "../../../support/sqlite.ts";

describe("SqliteStatement", () => {
  test("values come back as they were bound, 64-bit integers exactly", () => {
    const database = openSqlite();
    const values = [
      null,
      0n,
      -(2n ** 63n),
      2n ** 63n - 1n,
      9_007_199_254_740_993n,
      1.5,
      3,
      "",
      "a\0b",
      "\ufeffgrüße 🚀",
      new Uint8Array(0),
      new Uint8Array([0, 255, 1]),
    ];
    const sql = `SELECT ${values.map(() => "?").join(", ")}`;
    expect(database.query(sql, ...values)).toEqual([values]);
  });

  test("a number is a REAL and a bigint an INTEGER", () => {
    const database = openSqlite();
    expect(database.query("SELECT typeof(?), typeof(?)", 3, 3n)).toEqual([["real", "integer"]]);
  });

  test("a failing row throws with SQLite's reason, and a reset statement runs again", () => {
    const database = openSqlite();
    const statement = database.prepare("SELECT abs(?)");
    statement.bind(-(2n ** 63n));
    const error = thrownBy(() => statement.step());
    expect(isStreamError(error, "sql_evaluation_failed")).toBe(true);
    expect(error).toMatchObject({ message: "Cannot evaluate SELECT abs(?): integer overflow" });
    expect(statement.reset().all(-7n)).toEqual([[7n]]);
    statement.finalize();
    statement.finalize();
    expect(() => statement.step()).toThrow("the statement is not finalized");
  });

  test("text that is no statement is refused with SQLite's reason", () => {
    const database = openSqlite();
    const error = thrownBy(() => database.prepare("SELECT FROM"));
    expect(error).toMatchObject({ code: "sql_evaluation_failed" });
    expect(String(error)).toContain('near "FROM": syntax error');
    expect(() => database.prepare("SELECT 1; SELECT 2")).toThrow("one statement");
    expect(() => database.prepare("-- nothing")).toThrow("one statement");
  });

  test("a name in double quotes is never a text", () => {
    expect(() => openSqlite().prepare('SELECT "nowhere"')).toThrow("no such column");
  });

  test("names its columns", () => {
    const statement = openSqlite().prepare('SELECT 1 AS a, 2 AS "b c"');
    expect(statement.columnNames).toEqual(["a", "b c"]);
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

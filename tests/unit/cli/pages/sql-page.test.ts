import { describe, expect, test } from "bun:test";
import { flinkFunctions, workingForms } from "../../../../src/cli/pages/flink-functions.ts";
import { withSqlReference } from "../../../../src/cli/pages/sql-page.ts";
import { TestCatalog } from "../../../support/sql-catalog.ts";

const catalog = new TestCatalog("CREATE STREAM s (a INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)");

describe("docs/SQL.md", () => {
  test("ticks no form that the checker refuses", () => {
    for (const [name, expression] of Object.entries(workingForms)) {
      const inner = `SELECT ${expression} FROM TUMBLE(s, ts, INTERVAL '1 minute')`;
      const isRank = name === "ROW_NUMBER";
      const isTest = expression.includes("(SELECT");
      const sql = isRank
        ? `SELECT * FROM (${inner}) WHERE rownum <= 2`
        : isTest
          ? `SELECT a FROM TUMBLE(s, ts, INTERVAL '1 minute') l WHERE ${expression}`
          : `SELECT ${expression} FROM s`;
      expect(catalog.plan(sql).root.columns).toHaveLength(1);
    }
  });

  test("knows each ticked form from Flink's list", () => {
    const names = new Set(Object.values(flinkFunctions).flat());
    expect(Object.keys(workingForms).filter((name) => !names.has(name))).toEqual([]);
    expect([...names].filter((name) => name === "")).toEqual([]);
  });

  test("refuses a page without its marks", () => {
    expect(() => withSqlReference("# SQL")).toThrow("lacks the marks");
  });
});

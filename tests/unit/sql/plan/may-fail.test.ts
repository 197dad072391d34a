import { describe, expect, test } from "bun:test";
import { mayFail } from "../../../../src/sql/plan/may-fail.ts";
import type { CalcNode } from "../../../../src/sql/plan/plan.ts";
import { TestCatalog } from "../../../support/sql-catalog.ts";

const catalog = new TestCatalog();
catalog.add("CREATE STREAM t (a BIGINT, b INT, s STRING) WITH ('topic' = 't')");

function mayFailIn(condition: string): boolean {
  const { root } = catalog.plan(`SELECT a FROM t WHERE ${condition}`);
  const { filter } = root as CalcNode;
  if (filter === null) throw new Error("no filter");
  return mayFail(filter);
}

describe("mayFail", () => {
  test("is false of comparisons and logic over columns", () => {
    for (const each of ["a = 1", "a > 2 AND s <> 'x' OR s IS NULL", "NOT (a IN (1, 2))"]) {
      expect([each, mayFailIn(each)]).toEqual([each, false]);
    }
  });

  test("is true wherever something is computed", () => {
    for (const each of [
      "a / 2 = 1",
      "a > 1 AND a + 1 > 2",
      "CAST(s AS INT) = 1",
      "a IN (1, a * 2)",
    ]) {
      expect([each, mayFailIn(each)]).toEqual([each, true]);
    }
  });
});

import { describe, expect, test } from "bun:test";
import { pullStatement, pushStatements } from "../../../src/pipeline/view-statement.ts";
import type { Catalog, StreamEntry } from "../../../src/sql/check/catalog.ts";
import { planQuery } from "../../../src/sql/check/plan-query.ts";
import { parseStatement } from "../../../src/sql/syntax/parse-statement.ts";

const bigint = { kind: "bigint" } as const;
const view: StreamEntry = {
  ...{ kind: "materialized view", name: "totals", topic: "totals", format: "json" },
  columns: [
    { name: "item", type: { kind: "varchar", length: null } },
    { name: "n", type: bigint },
    { name: "place", type: { kind: "row", fields: [{ name: "x", type: bigint }] } },
  ].map((column) => ({ ...column, nullable: true, from: { kind: "value" } })) as never,
  ...{ primaryKey: ["item"], changes: "append", watermark: null, idleTimeoutMs: 5_000 },
  ...{ startup: { mode: "earliest" }, options: {} },
};
const catalog: Catalog = {
  lookup: (name) => (name === "totals" ? view : undefined),
  names: () => ["totals"],
};

function planOf(text: string, isBounded = true) {
  const statement = parseStatement(text);
  if (statement.kind !== "query") throw new Error("a query");
  return planQuery(statement.query, text, { catalog, timeZone: "UTC", isBounded });
}

describe("pullStatement", () => {
  test("lifts what columns are compared with, so that other keys find it prepared", () => {
    const one = pullStatement(planOf("SELECT n FROM totals WHERE item = 'a' AND n > 1"), view);
    const other = pullStatement(planOf("SELECT n FROM totals WHERE item = 'b' AND n > 1"), view);
    expect(one?.sql).toBe(other?.sql ?? "");
    expect([one?.params, other?.params, one?.lookups]).toEqual([["a"], ["b"], [0]]);
  });

  test("keeps ORDER BY and LIMIT in the statement", () => {
    const plan = planOf("SELECT n FROM totals ORDER BY n DESC LIMIT 3 OFFSET 1");
    expect(pullStatement(plan, view)?.sql).toMatch(/ORDER BY .*DESC.* LIMIT 3 OFFSET 1$/);
  });

  test("leaves to other operators what is more than one table's rows", () => {
    for (const text of [
      "SELECT COUNT(*) AS c FROM totals",
      "SELECT n FROM totals UNION ALL SELECT n FROM totals",
      "SELECT PROCTIME() AS p FROM totals",
    ]) {
      expect(pullStatement(planOf(text), view)).toBeNull();
    }
  });
});

describe("pushStatements", () => {
  test("are there for filters and projections over one another, and nothing else", () => {
    const nested = "SELECT m + 1 AS k FROM (SELECT n * 2 AS m FROM totals) WHERE m > 4";
    const statements = pushStatements(planOf(nested, false), view);
    const statement = statements?.changes({ from: 3, until: 9, limit: 5 });
    expect(statement?.params).toEqual([3n, 9n, 5n]);
    expect(pushStatements(planOf("SELECT SUM(n) AS s FROM totals", false), view)).toBeNull();
  });
});

import { expect, test } from "bun:test";
import type { Query } from "../../../../src/sql/syntax/ast.ts";
import { parseStatement } from "../../../../src/sql/syntax/parse-statement.ts";

function queryOf(text: string): Query {
  const statement = parseStatement(text);
  if (statement.kind !== "query") throw new Error("not a query");
  return statement.query;
}

test("clauses land where they belong", () => {
  const text =
    "SELECT DISTINCT a AS x, t.* FROM t WHERE b GROUP BY a HAVING c WINDOW w AS (ORDER BY d) " +
    "ORDER BY a DESC NULLS FIRST LIMIT 3 OFFSET 2";
  expect(queryOf(text)).toMatchObject({
    body: {
      kind: "select",
      isDistinct: true,
      items: [
        { kind: "expression", alias: { text: "x" } },
        { kind: "star", of: { parts: [{ text: "t" }] } },
      ],
      from: { kind: "table" },
      where: { kind: "name" },
      groupBy: [{ kind: "expression" }],
      having: { kind: "name" },
      windows: [{ name: { text: "w" } }],
    },
    orderBy: [{ isDescending: true, nulls: "first" }],
    limit: { value: 3 },
    offset: { value: 2 },
    emit: null,
  });
});

test("INTERSECT binds tighter than UNION, which goes left to right", () => {
  expect(
    queryOf("VALUES 1 UNION ALL VALUES 2 INTERSECT VALUES 3 EXCEPT VALUES 4").body,
  ).toMatchObject({
    operator: "except",
    left: { operator: "union", isAll: true, right: { operator: "intersect" } },
  });
});

test.each<[string, object]>([
  ["EMIT FINAL", { emit: { mode: "final" } }],
  ["EMIT CHANGES LIMIT 5", { emit: { mode: "changes" }, limit: { value: 5 } }],
  ["EMIT PERIODIC INTERVAL '5' SECOND", { emit: { mode: "periodic", every: { value: 5000 } } }],
  ["ALLOWED LATENESS INTERVAL '1' MINUTE EMIT FINAL", { allowedLateness: { value: 60_000 } }],
  ["FETCH FIRST ROW ONLY", { limit: { value: 1 } }],
  ["FETCH NEXT 3 ROWS ONLY", { limit: { value: 3 } }],
  ["LIMIT ALL", { limit: null }],
])("%s", (tail, fields) => {
  expect(queryOf(`SELECT a FROM t ${tail}`)).toMatchObject(fields);
});

test("EMIT and ALLOWED LATENESS are refused in subqueries of every kind", () => {
  const inner = "SELECT a FROM t EMIT FINAL";
  for (const text of [
    `SELECT * FROM (${inner})`,
    `WITH c AS (${inner}) SELECT * FROM c`,
    `SELECT a IN (${inner})`,
    `(${inner}) UNION SELECT 1`,
  ]) {
    expect(() => parseStatement(text)).toThrow("not in a subquery");
  }
});

test("GROUP BY takes sets, which the checker judges", () => {
  const text =
    "SELECT 1 FROM t GROUP BY a, ROLLUP (b, (c, d)), GROUPING SETS ((a, b), (), CUBE (c)), ()";
  expect(queryOf(text).body).toMatchObject({
    groupBy: [
      { kind: "expression" },
      { kind: "rollup", members: [[{}], [{}, {}]] },
      { kind: "groupingSets", sets: [{ kind: "set" }, { expressions: [] }, { kind: "cube" }] },
      { kind: "set", expressions: [] },
    ],
  });
});

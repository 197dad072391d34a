import { expect, test } from "bun:test";
import { parseExpression } from "../../../../src/sql/syntax/parse-statement.ts";

test.each<[string, object]>([
  ["()", { partitionBy: [], orderBy: [], frame: null }],
  [
    "(PARTITION BY a, b ORDER BY c DESC)",
    { partitionBy: [{}, {}], orderBy: [{ isDescending: true }] },
  ],
  ["(ORDER BY a ROWS 3 PRECEDING)", { frame: { unit: "ROWS", high: { kind: "currentRow" } } }],
  [
    "(ORDER BY a RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND 2 + 1 FOLLOWING)",
    {
      frame: {
        unit: "RANGE",
        low: { kind: "preceding", distance: { kind: "interval" } },
        high: { kind: "following", distance: { kind: "binary" } },
      },
    },
  ],
  [
    "(ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)",
    { frame: { low: { kind: "unboundedPreceding" }, high: { kind: "unboundedFollowing" } } },
  ],
])("OVER %s", (window, fields) => {
  expect(parseExpression(`SUM(a) OVER ${window}`)).toMatchObject({ over: fields });
});

test("GROUPS and EXCLUDE are refused by their names", () => {
  for (const frame of ["GROUPS 1 PRECEDING", "ROWS 1 PRECEDING EXCLUDE TIES"]) {
    const word = frame.includes("GROUPS") ? "GROUPS" : "EXCLUDE";
    expect(() => parseExpression(`SUM(a) OVER (ORDER BY b ${frame})`)).toThrow(word);
  }
});

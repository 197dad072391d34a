import { describe, expect, test } from "bun:test";
import { extremeWindowJoinOf } from "../../../../src/sql/plan/extreme-window-join.ts";
import type { PlanNode } from "../../../../src/sql/plan/plan.ts";
import { shareSources } from "../../../../src/sql/plan/share-sources.ts";
import { TestCatalog } from "../../../support/sql-catalog.ts";

const catalog = new TestCatalog(
  "CREATE STREAM t (k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts);",
);

const hop = "HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '10' SECOND)";
const tumble = "TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)";
const session = "SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '10' SECOND)";

interface Parts {
  readonly windows?: string;
  readonly of?: string;
  readonly extreme?: string;
  readonly on?: string;
  readonly join?: string;
  readonly group?: string;
}

function found(parts: Parts = {}) {
  const { windows = hop, extreme = "MAX(n)", on = "A.n >= M.m", join = "JOIN", group = "" } = parts;
  const counts = (from: string) =>
    `(SELECT k, COUNT(*) AS n, window_start AS s, window_end AS e FROM TABLE(${from}) ` +
    "GROUP BY k, window_start, window_end)";
  const of = parts.of ?? counts(windows);
  const sql =
    `SELECT A.k, A.n FROM ${counts(windows)} A ${join} (SELECT ${extreme} AS m, s, e ` +
    `FROM ${of} GROUP BY ${group}s, e) M ON A.s = M.s AND A.e = M.e AND ${on}`;
  let node: PlanNode = shareSources(catalog.plan(sql).root);
  while (node.kind === "calc") node = node.input;
  if (node.kind !== "windowJoin") throw new Error(`${node.kind} is no window join`);
  return extremeWindowJoinOf(node);
}

describe("extremeWindowJoinOf", () => {
  test("finds rows that are joined with the greatest or least of their own window", () => {
    expect(found()).toMatchObject({ stream: "left", extreme: "max" });
    expect(found({ windows: tumble })).toMatchObject({ stream: "left", extreme: "max" });
    expect(found({ on: "A.n = M.m" })).toMatchObject({ stream: "left", extreme: "max" });
    expect(found({ on: "M.m <= A.n" })).toMatchObject({ stream: "left", extreme: "max" });
    const least = found({ on: "A.n <= M.m", extreme: "MIN(n)" });
    expect(least).toMatchObject({ stream: "left", extreme: "min" });
  });

  test("needs a comparison that beaten rows cannot meet", () => {
    expect(found({ on: "A.n <= M.m" })).toBeNull();
    expect(found({ on: "A.n > M.m" })).toBeNull();
    expect(found({ on: "A.n + 1 >= M.m" })).toBeNull();
    expect(found({ on: "A.n >= M.m AND A.n <> M.m" })).toBeNull();
    expect(found({ extreme: "MIN(n)" })).toBeNull();
    expect(found({ extreme: "SUM(n)" })).toBeNull();
    expect(found({ join: "LEFT JOIN" })).toBeNull();
  });

  test("needs that every row counts for the greatest, and that an end is one window", () => {
    const filtered = (where: string) =>
      `(SELECT k, COUNT(*) AS n, window_start AS s, window_end AS e FROM TABLE(${hop}) ` +
      `${where} GROUP BY k, window_start, window_end HAVING COUNT(*) > 2)`;
    expect(found({ of: filtered("") })).toBeNull();
    expect(found({ of: filtered("WHERE v > 0") })).toBeNull();
    expect(found({ extreme: "MAX(n) FILTER (WHERE n > 1)" })).toBeNull();
    expect(found({ windows: session })).toBeNull();
    expect(found({ group: "k, " })).toBeNull();
  });
});

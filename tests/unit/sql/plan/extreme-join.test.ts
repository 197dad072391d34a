import { describe, expect, test } from "bun:test";
import { extremeJoinOf } from "../../../../src/sql/plan/extreme-join.ts";
import type { PlanNode } from "../../../../src/sql/plan/plan.ts";
import { shareSources } from "../../../../src/sql/plan/share-sources.ts";
import { TestCatalog } from "../../../support/sql-catalog.ts";

const catalog = new TestCatalog(`
  CREATE STREAM t (k STRING, v BIGINT, w BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts);
  CREATE VIEW positive AS SELECT k, v, w, ts FROM t WHERE v > 0;
`);

function found(parts: { stream?: string; of?: string; group?: string; on?: string } = {}) {
  const { stream = "positive", of = "positive", group = "", on = "B.v = M.m" } = parts;
  const sql =
    `SELECT B.k, M.e FROM ${stream} B JOIN (SELECT MAX(v) AS m, window_end AS e FROM TABLE(TUMBLE(` +
    `TABLE ${of}, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY ${group}window_start, window_end) ` +
    `M ON ${on} WHERE B.ts BETWEEN M.e - INTERVAL '10' SECOND AND M.e`;
  let node: PlanNode = shareSources(catalog.plan(sql).root);
  while (node.kind === "calc") node = node.input;
  if (node.kind !== "intervalJoin") throw new Error(`${node.kind} is no join`);
  return extremeJoinOf(node);
}

describe("extremeJoinOf", () => {
  test("finds a stream that is joined with the greatest value of its own windows", () => {
    expect(found()).toMatchObject({
      ...{ stream: "left", extreme: "max", sizeMs: 10_000, offsetMs: 0, fromMs: 0, toMs: 10_000 },
    });
    expect(found({ of: "t" })).not.toBeNull();
  });

  test("needs that every row of the stream counts for the aggregate", () => {
    expect(found({ stream: "t" })).toBeNull();
    expect(found({ of: "(SELECT v, ts FROM t WHERE v > 1)" })).toBeNull();
    expect(found({ of: "(SELECT v * 1 AS v, ts FROM positive)" })).toBeNull();
    expect(found({ group: "k, " })).toBeNull();
  });

  test("needs that the value itself is equal to the greatest", () => {
    expect(found({ on: "B.w = M.m" })).toBeNull();
    expect(found({ on: "B.v + 1 = M.m" })).toBeNull();
  });
});

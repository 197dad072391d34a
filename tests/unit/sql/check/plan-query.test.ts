import { describe, expect, test } from "bun:test";
import { inputsOf } from "../../../../src/sql/plan/inputs-of.ts";
import type { PlanNode, SourceNode } from "../../../../src/sql/plan/plan.ts";
import type { Scalar } from "../../../../src/sql/plan/scalar.ts";
import { childrenOf } from "../../../../src/sql/plan/scalar-walk.ts";
import { TestCatalog } from "../../../support/sql-catalog.ts";

const catalog = new TestCatalog(`
  CREATE STREAM bids (auction BIGINT, price INT, item ROW<name STRING, size ROW<w INT, h INT>>,
    ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND);
  CREATE VIEW named (a, p, t) AS SELECT auction, price, ts FROM bids;
`);

function nodes(root: PlanNode): PlanNode[] {
  return [root, ...inputsOf(root).flatMap(nodes)];
}

function find<Kind extends PlanNode["kind"]>(sql: string, kind: Kind) {
  const found = nodes(catalog.plan(sql).root).find((node) => node.kind === kind);
  if (found === undefined) throw new Error(`No ${kind} in the plan of ${sql}`);
  return found as Extract<PlanNode, { readonly kind: Kind }>;
}

function paths(source: SourceNode): string[] {
  return source.origins.map((origin) =>
    origin.from === "value" ? origin.path.join(".") : origin.from,
  );
}

/** Every column that a node reads is one of its input's. */
function checkColumns(node: PlanNode): void {
  const [input] = inputsOf(node);
  const inRange = (index: number, width: number) => expect(index).toBeLessThan(width);
  const check = (scalar: Scalar, width: number): void => {
    if (scalar.kind === "column") inRange(scalar.index, width);
    for (const child of childrenOf(scalar)) check(child, width);
  };
  if (node.kind === "calc") {
    expect(node.projections.length).toBe(node.columns.length);
    for (const each of node.projections) check(each, input?.columns.length ?? 0);
    if (node.filter !== null) check(node.filter, input?.columns.length ?? 0);
  }
  if (node.kind === "source") {
    expect(node.origins.length + node.computed.length).toBe(node.columns.length);
    for (const each of node.computed) check(each, node.origins.length);
  }
  for (const each of inputsOf(node)) checkColumns(each);
}

describe("plans", () => {
  test("decode what is read, fields of rows where they lie", () => {
    const source = find("SELECT item.size.h FROM bids WHERE price > 3", "source");
    expect(paths(source)).toEqual(["price", "ts", "item.size.h"]);
    expect(source.watermark).toEqual({ column: 1, delayMs: 5000 });
  });

  test("keep the row where all of it is read", () => {
    expect(paths(find("SELECT item FROM bids", "source"))).toEqual(["item", "ts"]);
  });

  test("name the result as the query does", () => {
    const { root } = catalog.plan("SELECT a AS x, p, a + 1, t FROM named");
    expect(root.columns.map(({ name }) => name)).toEqual(["x", "p", "EXPR$2", "t"]);
    expect(root.columns.map(({ time }) => time)).toEqual([null, null, null, "rowtime"]);
  });

  test("share an accumulator between calls that need the same", () => {
    const node = find(
      "SELECT AVG(price), SUM(price), COUNT(price), COUNT(*) FROM bids",
      "groupAggregate",
    );
    expect(node.accumulators.map(({ kind }) => kind)).toEqual(["sum", "count", "count"]);
    expect(node.columns[0]?.type).toEqual({ kind: "decimal", precision: 38, scale: 0 });
  });

  test("say which rows an updating result has by which key", () => {
    const { root } = catalog.plan("SELECT COUNT(*) AS n, auction FROM bids GROUP BY auction");
    expect([root.changes, root.key]).toEqual(["update", [1]]);
    const lost = catalog.plan("SELECT COUNT(*) AS n FROM bids GROUP BY auction");
    expect([lost.root.changes, lost.root.key]).toEqual(["update", null]);
    expect(catalog.plan("SELECT DISTINCT auction FROM bids").root.changes).toBe("append");
  });

  test("keep the emit mode and lateness of the last aggregate", () => {
    const sql = `SELECT COUNT(*), window_end FROM TUMBLE(bids, ts, INTERVAL '1 minute')
      GROUP BY window_start, window_end EMIT CHANGES ALLOWED LATENESS INTERVAL '10' SECOND`;
    const node = find(sql, "windowAggregate");
    expect(node.emit).toEqual({ mode: "changes" });
    expect(node.allowedLatenessMs).toBe(10_000);
    expect(node.key).toEqual([1, 2]);
  });

  test("bound an interval join by its comparisons", () => {
    const sql = `SELECT a.price FROM bids a JOIN bids b ON a.auction = b.auction
      AND b.ts BETWEEN a.ts - INTERVAL '1' MINUTE AND a.ts + INTERVAL '2' MINUTE`;
    const node = find(sql, "intervalJoin");
    // b is within [a − 1 min, a + 2 min], so a − b is within [−2 min, 1 min].
    expect([node.lowerMs, node.upperMs]).toEqual([-120_000, 60_000]);
    expect(node.equalities).toHaveLength(1);
    expect(node.residual).toBeNull();
  });

  test("filter the side that an outer join keeps before it, the other one after it", () => {
    const side = (name: string) => `(SELECT * FROM TUMBLE(bids, ts, INTERVAL '1 minute')) ${name}`;
    const sql = `SELECT l.price FROM ${side("l")} LEFT JOIN ${side("r")}
      ON l.window_start = r.window_start AND l.window_end = r.window_end
        AND l.price > 1 AND r.price > 2
      WHERE l.auction = 3 AND r.auction IS NULL`;
    const { root } = catalog.plan(sql);
    const join = find(sql, "windowJoin");
    expect(root.kind === "calc" && root.filter).toMatchObject({ name: "isNull" });
    expect(join.residual).toMatchObject({ name: "gt" });
    const filters = nodes(join).flatMap((node) =>
      node.kind === "calc" && node.filter !== null ? [node.filter] : [],
    );
    expect(filters).toMatchObject([{ name: "eq" }, { name: "gt" }]);
  });

  describe("of IN and EXISTS", () => {
    const side = (name: string) => `(SELECT * FROM TUMBLE(bids, ts, INTERVAL '1 minute')) ${name}`;
    const same = "l.window_start = r.window_start AND l.window_end = r.window_end";
    const join = (where: string) =>
      find(`SELECT l.price FROM ${side("l")} WHERE ${where}`, "windowJoin");
    const inside = (more: string) => `(SELECT r.price FROM ${side("r")} WHERE ${same}${more})`;

    test("keep the columns of one side", () => {
      const node = join(`l.price IN ${inside("")}`);
      expect(node.joinType).toBe("semi");
      expect(node.columns.length).toBe(node.left.columns.length);
      expect(node.equalities.length).toBe(1);
      expect(node.residual).toBeNull();
      checkColumns(node);
    });

    test("count a comparison with NULL as a match of NOT IN, not of NOT EXISTS", () => {
      const notIn = join(`l.price NOT IN ${inside("")}`);
      expect([notIn.joinType, notIn.equalities.length]).toEqual(["anti", 0]);
      expect(notIn.residual).toMatchObject({ name: "isNotFalse" });
      const notExists = join(`NOT EXISTS ${inside(" AND r.price = l.price")}`);
      expect([notExists.joinType, notExists.equalities.length]).toEqual(["anti", 1]);
      expect(notExists.residual).toBeNull();
      expect(join(`NOT l.price NOT IN ${inside("")}`).joinType).toBe("semi");
    });

    test("find names inside the subquery before those outside", () => {
      const node = join(`EXISTS ${inside(" AND price > 1 AND l.price = price")}`);
      expect(node.equalities.length).toBe(1);
      expect(nodes(node.right).some((each) => each.kind === "calc" && each.filter !== null)).toBe(
        true,
      );
    });

    test("settle what asks for the row outside before a semi join, within an anti join", () => {
      const filtered = (node: PlanNode) =>
        nodes(node).some((each) => each.kind === "calc" && each.filter !== null);
      const semi = join(`EXISTS ${inside(" AND l.price > 1")}`);
      expect([filtered(semi.left), semi.residual]).toEqual([true, null]);
      const anti = join(`NOT EXISTS ${inside(" AND l.price > 1")}`);
      expect([filtered(anti.left), anti.residual]).toMatchObject([false, { name: "gt" }]);
    });

    test("compare rows of several values, windows among them", () => {
      const values = "l.price, l.window_start, l.window_end";
      const query = `SELECT price, window_start, window_end FROM ${side("r")}`;
      expect(join(`(${values}) IN (${query})`).equalities.length).toBe(1);
      expect(join(`(${values}) NOT IN (${query})`).residual).toMatchObject({ name: "isNotFalse" });
    });
  });

  test("give a window's start the lag of its length in an interval join", () => {
    const sql = `SELECT b.price FROM bids b JOIN (
        SELECT MAX(price) AS m, window_start AS s FROM TUMBLE(bids, ts, INTERVAL '1 minute')
        GROUP BY window_start, window_end) w
      ON b.price = w.m AND b.ts >= w.s AND b.ts < w.s + INTERVAL '1' MINUTE`;
    const node = find(sql, "intervalJoin");
    expect([node.leftLagMs, node.rightLagMs]).toEqual([0, 60_000]);
    expect([node.lowerMs, node.upperMs]).toEqual([0, 59_999]);
  });

  test("sort what ends, by columns or places", () => {
    const bounded = new TestCatalog("CREATE STREAM s (a INT, b INT)", { isBounded: true });
    const { root } = bounded.plan("SELECT a, b FROM s ORDER BY 2 DESC, a LIMIT 3 OFFSET 1");
    expect(root).toMatchObject({
      kind: "sort",
      limit: 3,
      skip: 1,
      orderBy: [
        { column: 1, descending: true, nullsFirst: false },
        { column: 0, descending: false, nullsFirst: true },
      ],
    });
  });

  test("of many shapes read columns that are there", () => {
    const queries = [
      "SELECT COUNT(*) FROM bids",
      "SELECT COUNT(*) FROM (SELECT price FROM bids WHERE price > 1 UNION ALL SELECT a FROM named)",
      "SELECT MAX(n) FROM (SELECT auction, COUNT(*) AS n, SUM(price) FROM bids GROUP BY auction)",
      "WITH w AS (SELECT * FROM SESSION(TABLE bids PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) SELECT window_end, price FROM w WHERE price > 2",
      `SELECT l.price, r.n FROM (SELECT * FROM TUMBLE(bids, ts, INTERVAL '1 minute')) l FULL JOIN
        (SELECT price + 1 AS k, COUNT(*) AS n, window_start, window_end
         FROM TUMBLE(bids, ts, INTERVAL '1 minute') GROUP BY price + 1, window_start, window_end) r
        ON l.price + 1 = r.k AND l.window_start = r.window_start AND l.window_end = r.window_end`,
      "SELECT price, PROCTIME() AS p FROM (SELECT price FROM bids) WHERE PROCTIME() IS NOT NULL",
      "VALUES (1, 'a'), (2, NULL)",
      "SELECT 1 + 1",
    ];
    for (const sql of queries) checkColumns(catalog.plan(sql).root);
  });
});

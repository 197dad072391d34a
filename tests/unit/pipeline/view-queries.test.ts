import { afterEach, describe, expect, test } from "bun:test";
import { present } from "../../../src/base/assert.ts";
import { parseScript } from "../../../src/sql/syntax/parse-script.ts";
import { SqlStack } from "../../support/sql-stack.ts";

let sql: SqlStack;
afterEach(() => sql.close());

const orders = "CREATE STREAM orders (item STRING, amount BIGINT) WITH ('partitions' = '1')";
const totals = `CREATE MATERIALIZED VIEW totals AS
SELECT item, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY item`;

/** A view of totals over some orders, all of them in it. */
async function openTotals(rows: readonly unknown[]): Promise<void> {
  sql = await SqlStack.open();
  await sql.run(`SET 'execution.checkpointing.interval' = '10 ms'; ${orders}; ${totals}`);
  await sql.append("orders", rows);
}

const settled = (count: number) =>
  sql.until(async () => (await sql.records("totals")).length >= count);

describe("SELECT over a materialized view", () => {
  test("gives the row of each key as it is now", async () => {
    await openTotals([
      { item: "a", amount: 1 },
      { item: "b", amount: 2 },
    ]);
    await settled(2);
    await sql.append("orders", [{ item: "a", amount: 5 }]);
    await settled(3);
    expect(await sql.run("SELECT * FROM totals ORDER BY item")).toEqual([
      [
        { item: "a", n: 2, total: 6 },
        { item: "b", n: 1, total: 2 },
      ],
    ]);
    expect(await sql.run("SELECT total + 1 AS t FROM totals WHERE item = 'a'")).toEqual([
      [{ t: 7 }],
    ]);
    expect(await sql.run("SELECT item FROM totals WHERE n = 1 LIMIT 5")).toEqual([[{ item: "b" }]]);
  });

  test("gives all rows of a large view as they were at one time, while it changes", async () => {
    const items = Array.from({ length: 20_000 }, (_, index) => `item ${index} ${"x".repeat(40)}`);
    await openTotals(items.map((item) => ({ item, amount: 1 })));
    await settled(items.length);
    const seen = new Set<number>();
    for (let round = 2; round <= 5; round++) {
      await sql.append(
        "orders",
        items.map((item) => ({ item, amount: 1 })),
      );
      do {
        const [all] = (await sql.run("SELECT * FROM totals")) as [{ n: number }[]];
        const counts = new Set(all.map(({ n }) => n));
        expect([all.length, counts.size]).toEqual([items.length, 1]);
        for (const count of counts) seen.add(count);
      } while (!seen.has(round));
    }
    expect(seen.has(5)).toBe(true);
  }, 60_000);

  test("lets a view go on when a large result is left before its end", async () => {
    const items = Array.from({ length: 20_000 }, (_, index) => `item ${index} ${"x".repeat(40)}`);
    await openTotals(items.map((item) => ({ item, amount: 1 })));
    await settled(items.length);
    const [statement] = parseScript("SELECT * FROM totals");
    const left = new AbortController();
    const result = await sql.service.execute(present(statement, "one"), sql.session, left.signal);
    if (result.kind !== "rows") throw new Error("no rows");
    for await (const { rows } of result.rows) {
      // A page, not all of it.
      expect(rows.length).toBeLessThan(items.length);
      break;
    }
    left.abort();
    await sql.append("orders", [{ item: "new", amount: 1 }]);
    const total = "SELECT total FROM totals WHERE item = 'new'";
    await sql.until(async () => ((await sql.run(total))[0] as unknown[]).length === 1);
  }, 30_000);

  test("counts the rows that there are, not the changes that made them", async () => {
    await openTotals([{ item: "a", amount: 1 }]);
    await settled(1);
    await sql.append("orders", [{ item: "a", amount: 5 }]);
    await settled(2);
    expect(await sql.run("SELECT COUNT(*) AS items, SUM(total) AS sum_all FROM totals")).toEqual([
      [{ items: 1, sum_all: 6 }],
    ]);
  });
});

describe("EMIT CHANGES over a materialized view", () => {
  test("gives a snapshot, then what changes, rows that leave the filter as deleted", async () => {
    await openTotals([
      { item: "a", amount: 1 },
      { item: "b", amount: 2 },
    ]);
    await settled(2);
    const follower = await sql.follow("SELECT item, total FROM totals WHERE n < 3 EMIT CHANGES");
    const snapshot = await follower.take(2);
    expect(snapshot.map(({ kind, row }) => [kind, row])).toEqual([
      ["snapshot", { item: "a", total: 1 }],
      ["snapshot", { item: "b", total: 2 }],
    ]);
    await sql.append("orders", [{ item: "c", amount: 3 }]);
    expect(await follower.take(1)).toMatchObject([{ kind: "insert", row: { item: "c" } }]);
    await sql.append("orders", [{ item: "a", amount: 4 }]);
    expect(await follower.take(1)).toMatchObject([{ kind: "update", row: { total: 5 } }]);
    await sql.append("orders", [{ item: "a", amount: 4 }]);
    expect(await follower.take(1)).toMatchObject([{ kind: "delete", row: { total: 5 } }]);
    await follower.close();
  });
});

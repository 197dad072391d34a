import { afterEach, describe, expect, test } from "bun:test";
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

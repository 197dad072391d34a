import { afterEach, describe, expect, test } from "bun:test";
import { SqlStack } from "../../support/sql-stack.ts";

let sql: SqlStack;
afterEach(() => sql.close());

const schema = `
CREATE STREAM orders (
  item STRING, amount BIGINT, price DECIMAL(20, 2), paid TIMESTAMP(3), ratio DOUBLE, ok BOOLEAN,
  raw BYTES, day DATE, big DECIMAL(38, 0), at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL
) WITH ('partitions' = '1');
CREATE STREAM items (name STRING, size BIGINT) WITH ('partitions' = '1')`;

async function open(): Promise<void> {
  sql = await SqlStack.open();
  await sql.run(schema);
  await sql.append("orders", [
    {
      ...{ item: "a", amount: 1, price: 1.5, paid: "2026-01-01 00:00:01.000", ratio: 0.1 },
      ...{
        ok: true,
        raw: "AAEC",
        day: "2026-01-01",
        big: "12345678901234567890123456789012345678",
      },
    },
    { item: 'b"\\', amount: "9223372036854775807", price: 2.5, paid: "1969-12-31 23:59:59.999" },
    { item: null, amount: 3, price: null, ok: false },
  ]);
  await sql.append("items", [
    { name: "a", size: 1 },
    { name: 'b"\\', size: 2 },
  ]);
}

const rowsOf = async (text: string) => (await sql.run(text))[0];

describe("subqueries that stand for values", () => {
  test("compare with one value, exactly, of each type", async () => {
    await open();
    for (const column of ["amount", "price", "paid", "ratio", "raw", "day", "big", "at", "item"]) {
      const only = `(SELECT ${column} FROM orders WHERE item = 'a')`;
      const found = await rowsOf(`SELECT item FROM orders WHERE ${column} = ${only} LIMIT 1`);
      expect([column, found]).toEqual([column, [{ item: "a" }]]);
    }
    const greatest = "SELECT item FROM orders WHERE amount = (SELECT MAX(amount) FROM orders)";
    expect(await rowsOf(greatest)).toEqual([{ item: 'b"\\' }]);
  });

  test("are NULL of their type where they have no row, and 0 where they count none", async () => {
    await open();
    const none = "(SELECT size FROM items WHERE size > 9)";
    expect(await rowsOf(`SELECT ${none} AS s, TYPEOF(${none}) AS t FROM items LIMIT 1`)).toEqual([
      { s: null, t: "BIGINT" },
    ]);
    const count = "(SELECT COUNT(*) FROM items WHERE size > 9)";
    expect(await rowsOf(`SELECT name FROM items WHERE ${count} = 0 ORDER BY size`)).toEqual([
      { name: "a" },
      { name: 'b"\\' },
    ]);
  });

  test("are lists for IN and NOT IN, where NULL is neither in nor out", async () => {
    await open();
    const where = async (test: string) =>
      (
        (await rowsOf(`SELECT size FROM items WHERE ${test} ORDER BY size`)) as { size: number }[]
      ).map(({ size }) => size);
    expect(await where("name IN (SELECT item FROM orders)")).toEqual([1, 2]);
    expect(await where("name IN (SELECT item FROM orders WHERE amount < 3)")).toEqual([1]);
    expect(await where("name NOT IN (SELECT item FROM orders WHERE amount < 3)")).toEqual([2]);
    expect(await where("name NOT IN (SELECT item FROM orders WHERE amount <= 3)")).toEqual([]);
    expect(await where("name NOT IN (SELECT item FROM orders WHERE amount < 0)")).toEqual([1, 2]);
    expect(await where("size = 2 OR NOT name IN (SELECT item FROM orders)")).toEqual([2]);
  });

  test("tell for EXISTS whether there is a row, also within conditions", async () => {
    await open();
    const where = async (test: string) => await rowsOf(`SELECT size FROM items WHERE ${test}`);
    expect(await where("EXISTS (SELECT 1 FROM orders WHERE ok) AND size = 1")).toEqual([
      { size: 1 },
    ]);
    expect(await where("NOT EXISTS (SELECT * FROM orders)")).toEqual([]);
    expect(await where("EXISTS (SELECT 1 FROM orders WHERE amount < 0) OR size = 2")).toEqual([
      { size: 2 },
    ]);
  });

  test("nest, and stand in a WITH that is named twice", async () => {
    await open();
    const nested = `SELECT size FROM items WHERE name IN (
      SELECT item FROM orders WHERE amount = (SELECT MIN(size) FROM items))`;
    expect(await rowsOf(nested)).toEqual([{ size: 1 }]);
    const twice = `WITH c AS (SELECT size FROM items WHERE size >= (SELECT MAX(size) FROM items))
      SELECT size, (SELECT COUNT(*) FROM c) AS n FROM c WHERE size IN (SELECT size FROM c)`;
    expect(await rowsOf(twice)).toEqual([{ size: 2, n: 1 }]);
  });

  test("see what the query around them sees, whatever is published meanwhile", async () => {
    await open();
    const { log } = sql.stack;
    let isFirst = true;
    const { follow } = log;
    Object.assign(log, {
      follow: (...args: Parameters<typeof follow>) => {
        const reader = follow.apply(log, args);
        const { next } = reader;
        reader.next = async (...asked) => {
          if (isFirst) await sql.append("items", [{ name: "later", size: 100 }]);
          isFirst = false;
          return next.apply(reader, asked);
        };
        return reader;
      },
    });
    const greatest = "SELECT size FROM items WHERE size >= (SELECT MAX(size) FROM items)";
    expect(await rowsOf(greatest)).toEqual([{ size: 2 }]);
    expect(await rowsOf(greatest)).toEqual([{ size: 100 }]);
  });

  test("ask views, and filter pulls of views", async () => {
    await open();
    await sql.run(
      `CREATE MATERIALIZED VIEW sizes AS SELECT name, SUM(size) AS size FROM items GROUP BY name`,
    );
    await sql.until(async () => (await sql.records("sizes")).length >= 2);
    const pull = "SELECT name FROM sizes WHERE size = (SELECT MIN(size) FROM sizes)";
    expect(await rowsOf(pull)).toEqual([{ name: "a" }]);
    const scan = "SELECT amount FROM orders WHERE item IN (SELECT name FROM sizes WHERE size = 1)";
    expect(await rowsOf(scan)).toEqual([{ amount: 1 }]);
  });

  test("are explained, each with a number that stands in its place", async () => {
    await open();
    const [rows] = (await sql.run(
      "EXPLAIN SELECT size FROM items WHERE size > (SELECT MIN(size) FROM items)",
    )) as [{ plan: string }[]];
    const lines = rows.map(({ plan }) => plan);
    expect(lines[0]).toBe("Subquery 1, run first");
    expect(lines).toContain("    where size > (subquery 1)");
  });

  const refused = [
    ["SELECT size FROM items WHERE size = (SELECT amount FROM orders)", "gave more than one row"],
    ["SELECT size FROM items WHERE size = (SELECT amount, item FROM orders)", "gives 2 columns"],
    [
      "SELECT size FROM items i WHERE size > (SELECT MIN(amount) FROM orders WHERE item = i.name)",
      "uses columns of the query around it is not supported here: it stands on its own",
    ],
    [
      "SELECT size FROM items i WHERE EXISTS (SELECT 1 FROM orders WHERE item = i.name)",
      "in a SELECT that ends, also where the subquery uses no column of the query around it",
    ],
    ["SELECT size FROM items WHERE size = (SELECT MAX(amont) FROM orders)", "Did you mean amount?"],
    ["SELECT (SELECT 1) FROM items EMIT CHANGES", "a query that goes on takes no subquery"],
    ["SELECT size FROM items WHERE (size, name) IN (SELECT 1, 'a')", "rows of several"],
  ] as const;
  for (const [text, complaint] of refused) {
    test(`are refused where they are none: ${complaint}`, async () => {
      await open();
      await expect(sql.run(text)).rejects.toThrow(complaint);
    });
  }
});

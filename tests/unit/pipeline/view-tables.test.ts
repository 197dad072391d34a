import { afterEach, describe, expect, test } from "bun:test";
import { present } from "../../../src/base/assert.ts";
import { catalogOf, loadSqlCatalog } from "../../../src/pipeline/sql-catalog.ts";
import type { ViewRef } from "../../../src/pipeline/view-tables.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import { memoryDatabase } from "../../support/log-stack.ts";
import { SqlStack } from "../../support/sql-stack.ts";

const stacks: SqlStack[] = [];
afterEach(async () => {
  for (const stack of stacks.splice(0)) await stack.close();
});

async function open(...parts: Parameters<typeof SqlStack.open>): Promise<SqlStack> {
  const stack = await SqlStack.open(...parts);
  stacks.push(stack);
  return stack;
}

const interval = "SET 'execution.checkpointing.interval' = '10 ms'";
const orders = "CREATE STREAM orders (item STRING, amount BIGINT) WITH ('partitions' = '1')";
const view = (name: string) =>
  `CREATE MATERIALIZED VIEW ${name} AS SELECT item, SUM(amount) AS total FROM orders GROUP BY item`;

async function refOf(sql: SqlStack, name: string): Promise<ViewRef> {
  const entry = catalogOf(await loadSqlCatalog(sql.stack.database)).lookup(name);
  if (entry?.kind !== "materialized view") throw new Error(`no view ${name}`);
  return { entry, topic: await sql.topic(entry.topic) };
}

const hasRecords = (sql: SqlStack, name: string, count: number) =>
  sql.until(async () => (await sql.records(name)).length >= count);

describe("ViewTables", () => {
  test("serve a view on every worker, with what another has just published", async () => {
    const shared = { store: new MemoryStore(), database: memoryDatabase(), shared: true };
    const one = await open(shared);
    const other = await open(shared);
    // Once they know each other, a query waits for the one that it prefers: both must look for it.
    for (const { manager, stack } of [one, other]) {
      manager.start();
      await one.until(async () => stack.log.cluster().nodes.length === 2);
    }
    await one.run(`${interval}; ${orders}; ${view("totals")}`);
    for (let amount = 1; amount <= 5; amount++) {
      await one.append("orders", [{ item: "a", amount: 1 }]);
      await hasRecords(one, "totals", amount);
      // Nobody waits: a pull has what was published before it.
      for (const sql of [one, other]) {
        expect(await sql.run("SELECT total FROM totals WHERE item = 'a'")).toEqual([
          [{ total: amount }],
        ]);
      }
    }
    await one.run("DROP MATERIALIZED VIEW totals");
    await expect(other.run("SELECT total FROM totals")).rejects.toThrow("totals");
    await one.run(view("totals"));
    // What was there already may come in more than one commit.
    await one.until(async () => (await one.records("totals")).at(-1)?.value?.includes('"total":5'));
    expect(await other.run("SELECT total FROM totals")).toEqual([[{ total: 5 }]]);
    // The query may have to be placed on the other worker first.
  }, 30_000);

  test("make a view's table anew after a restart, out of its topic", async () => {
    const parts = { store: new MemoryStore(), database: memoryDatabase() };
    const first = await open(parts);
    await first.run(`${interval}; ${orders}; ${view("totals")}`);
    await first.append("orders", [
      { item: "a", amount: 1 },
      { item: "b", amount: 2 },
    ]);
    await hasRecords(first, "totals", 2);
    stacks.splice(0);
    await first.reading.close();
    await first.manager.close();
    await first.stack.log.close();
    const second = await open(parts);
    expect(await second.run("SELECT item, total FROM totals ORDER BY item")).toEqual([
      [
        { item: "a", total: 1 },
        { item: "b", total: 2 },
      ],
    ]);
  });

  test("drop what nobody has read for a while, and make it again", async () => {
    const sql = await open({}, { idleMs: 20 });
    await sql.run(`${interval}; ${orders}; ${view("totals")}`);
    await sql.append("orders", [{ item: "a", amount: 1 }]);
    await hasRecords(sql, "totals", 1);
    const pull = () => sql.run("SELECT total FROM totals");
    expect(await pull()).toEqual([[{ total: 1 }]]);
    expect(sql.reading.tables.viewCount).toBe(1);
    await sql.until(async () => sql.reading.tables.viewCount === 0);
    expect(await pull()).toEqual([[{ total: 1 }]]);
  });

  test("keep to their memory: the table that was not read longest makes room", async () => {
    // Each takes 8 MiB at least: two have room.
    const sql = await open({}, { memoryBytesMax: 20 * 1024 * 1024 });
    await sql.run(`${interval}; ${orders}; ${view("one")}; ${view("two")}; ${view("three")}`);
    await sql.append("orders", [{ item: "a", amount: 1 }]);
    for (const name of ["one", "two", "three"]) {
      await hasRecords(sql, name, 1);
      expect(await sql.run(`SELECT total FROM ${name}`)).toEqual([[{ total: 1 }]]);
      expect(sql.reading.tables.memoryBytes).toBeLessThanOrEqual(20 * 1024 * 1024);
    }
    expect(sql.reading.tables.viewCount).toBeLessThan(3);
    expect(await sql.run("SELECT total FROM one")).toEqual([[{ total: 1 }]]);
  });

  test("say which view found no room, and do not try again at once", async () => {
    const sql = await open({}, { memoryBytesMax: 9 * 1024 * 1024 });
    await sql.run(`${interval}; ${orders}; ${view("totals")}`);
    const items = Array.from({ length: 30_000 }, (_, index) => ({
      ...{ item: `item ${index} ${"x".repeat(40)}`, amount: 1 },
    }));
    await sql.append("orders", items);
    await hasRecords(sql, "totals", 30_000);
    const ref = await refOf(sql, "totals");
    for (let times = 0; times < 2; times++) {
      await expect(sql.run("SELECT total FROM totals WHERE item = 'a'")).rejects.toMatchObject({
        ...{ code: "sql_memory_exceeded", details: { view: present(ref.entry.name, "a name") } },
      });
    }
    expect(sql.reading.tables.viewCount).toBe(0);
  });

  test("let a follower who does not read keep nobody from reading", async () => {
    const sql = await open({}, { changesMax: 4 });
    await sql.run(`${interval}; ${orders}; ${view("totals")}`);
    await sql.append("orders", [{ item: "a", amount: 1 }]);
    await hasRecords(sql, "totals", 1);
    const slow = await sql.follow("SELECT total FROM totals EMIT CHANGES");
    expect(await slow.take(1)).toMatchObject([{ kind: "snapshot", row: { total: 1 } }]);
    for (let total = 2; total <= 12; total++) {
      await sql.append("orders", [{ item: "a", amount: 1 }]);
      await hasRecords(sql, "totals", total);
      expect(await sql.run("SELECT total FROM totals")).toEqual([[{ total }]]);
    }
    const rest = await slow.take(11);
    expect(rest.map(({ row }) => (row as { total: number }).total)).toEqual(
      Array.from({ length: 11 }, (_, index) => index + 2),
    );
    await slow.close();
  });
});

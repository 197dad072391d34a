import { afterEach, describe, expect, test } from "bun:test";
import { statement } from "../../../src/meta/sql-values.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import { memoryDatabase } from "../../support/log-stack.ts";
import { type SeenEvent, SqlStack } from "../../support/sql-stack.ts";

const stacks: SqlStack[] = [];
afterEach(async () => {
  for (const stack of stacks.splice(0)) await stack.close();
});

const definitionOf = (partitions: number) => `SET 'execution.checkpointing.interval' = '10 ms';
CREATE STREAM orders (item STRING, amount BIGINT) WITH ('partitions' = '1');
CREATE MATERIALIZED VIEW totals WITH ('partitions' = '${partitions}') AS
SELECT item, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY item`;
const definition = definitionOf(1);
const follow = "SELECT item, total FROM totals WHERE MOD(total, 3) <> 0 EMIT CHANGES";

async function open(
  parts: Parameters<typeof SqlStack.open>[0] = {},
  changesMax = 65_536,
): Promise<SqlStack> {
  const stack = await SqlStack.open(parts, { changesMax });
  stacks.push(stack);
  return stack;
}

async function recordCount(sql: SqlStack): Promise<number> {
  const { partitionCount } = await sql.topic("totals");
  let count = 0;
  for (let partition = 0; partition < partitionCount; partition++) {
    count += (await sql.records("totals", partition)).length;
  }
  return count;
}

/** Orders one by one, each committed before the next: the same changes in every run. */
async function order(sql: SqlStack, item: string, amount: number): Promise<void> {
  const length = await recordCount(sql);
  await sql.append("orders", [{ item, amount }]);
  await sql.until(async () => (await recordCount(sql)) > length);
}

const orders = [
  ["a", 1],
  ["b", 2],
  ["c", 4],
  ["a", 1],
  ["a", 1],
  ["b", 1],
  ["a", 5],
  ["c", 1],
  ["d", 3],
  ["d", 1],
  ["b", 4],
] as const;
/** Of them, those that are there when the first follower comes. */
const early = 4;

/** The events of a follower who is there from the fourth order on. */
async function unbrokenRun(sql: SqlStack, partitions = 1): Promise<SeenEvent[]> {
  await sql.run(definitionOf(partitions));
  for (const [item, amount] of orders.slice(0, early)) await order(sql, item, amount);
  const follower = await sql.follow(follow);
  const events = await follower.take(3);
  for (const [item, amount] of orders.slice(early)) await order(sql, item, amount);
  events.push(...(await follower.take(6)));
  await follower.close();
  return events;
}

describe.each([1, 3])("EMIT CHANGES with a cursor, of %d partitions", (partitions) => {
  test("has these events when nothing breaks it", async () => {
    const sql = await open();
    const events = await unbrokenRun(sql, partitions);
    expect(
      await Promise.all(
        Array.from(Array(partitions).keys(), async (partition) => {
          return (await sql.records("totals", partition)).length > 0;
        }),
      ),
    ).toEqual(Array(partitions).fill(true));
    expect(events.map(({ kind, row }) => [kind, ...Object.values(row as object)])).toEqual([
      ["snapshot", "b", 2],
      ["snapshot", "c", 4],
      ["snapshot", "a", 2],
      ["delete", "a", 2],
      ["delete", "b", 2],
      ["insert", "a", 8],
      ["update", "c", 5],
      ["insert", "d", 4],
      ["insert", "b", 7],
    ]);
  });

  for (const [where, changesMax] of [
    ["where changes are kept", 65_536],
    ["far behind what is kept", 1],
  ] as const) {
    test(`goes on at every event without loss or repeat, ${where}`, async () => {
      const sql = await open({}, changesMax);
      const events = await unbrokenRun(sql, partitions);
      for (const [index, { cursor }] of events.entries()) {
        const rest = events.slice(index + 1);
        if (cursor === null || rest.length === 0) continue;
        const follower = await sql.follow(follow, cursor);
        expect(await follower.take(rest.length)).toEqual(rest);
        await follower.close();
      }
    });
  }

  test("goes on on another worker, whose table is made of the topic alone", async () => {
    const shared = { store: new MemoryStore(), database: memoryDatabase(), shared: true };
    const events = await unbrokenRun(await open(shared), partitions);
    for (const index of [0, 3, 6]) {
      const other = await open(shared);
      const rest = events.slice(index + 1);
      const follower = await other.follow(follow, events[index]?.cursor ?? "");
      expect(await follower.take(rest.length)).toEqual(rest);
      await follower.close();
    }
  });

  test("is refused where the view was made again, or ends before it", async () => {
    const sql = await open();
    const events = await unbrokenRun(sql, partitions);
    const last = events.at(-1)?.cursor ?? "";
    const [id] = last.split(":");
    await expect(sql.follow(follow, `${id}:99`)).rejects.toMatchObject({
      code: "offset_out_of_range",
    });
    await expect(sql.follow(follow, "here")).rejects.toMatchObject({ code: "invalid_request" });
    await sql.run("DROP MATERIALIZED VIEW totals");
    await sql.run(definition.split(";\n").at(-1) ?? "");
    await expect(sql.follow(follow, last)).rejects.toMatchObject({ code: "topic_recreated" });
  });

  test("is refused where the log was cut below it, and goes on where it was cut above", async () => {
    const sql = await open();
    const events = await unbrokenRun(sql, partitions);
    const { database, log } = sql.stack;
    const topic = await log.topics.byName("totals");
    if (topic === undefined) throw new Error("no topic");
    const place = [topic.topicNumber, 0] as const;
    await database.batch(
      [
        statement(
          "UPDATE topic_partition SET leader_epoch = 1 WHERE topic_number = ?1 AND partition = ?2",
          ...place,
        ),
        statement(
          "INSERT INTO leader_epoch (topic_number, partition, leader_epoch, start_offset) " +
            "VALUES (?1, ?2, 1, 5)",
          ...place,
        ),
      ],
      "write",
    );
    const [id] = (events[0]?.cursor ?? "").split(":");
    const refused = { code: "offset_out_of_range" };
    await expect(sql.follow(follow, events.at(-1)?.cursor ?? "")).rejects.toMatchObject(refused);
    await expect(sql.follow(follow, `${id}:6`)).rejects.toMatchObject(refused);
    // Of several partitions nobody can tell what is left.
    const kept = sql.follow(follow, `${id}:5`);
    if (partitions > 1) await expect(kept).rejects.toMatchObject(refused);
    else await (await kept).close();
    await (await sql.follow(follow, `${id}:6@1`)).close();
  });

  test("ends when the view is dropped under its reader", async () => {
    const sql = await open();
    await sql.run(definition);
    await order(sql, "a", 1);
    const follower = await sql.follow(follow);
    await follower.take(1);
    const waiting = follower.take(1);
    await sql.run("DROP MATERIALIZED VIEW totals");
    await expect(waiting).rejects.toMatchObject({ code: "sql_object_unknown" });
  });

  test("ends a wait when its reader leaves", async () => {
    const sql = await open();
    await sql.run(definition);
    await order(sql, "a", 1);
    const follower = await sql.follow(follow);
    await follower.take(1);
    const waiting = follower.take(1);
    await follower.close();
    await expect(waiting).rejects.toThrow("it ended");
  });
});

describe("EMIT CHANGES over a stream", () => {
  test("gives the rows that come from now on", async () => {
    const sql = await open();
    await sql.run(definition);
    await sql.append("orders", [{ item: "old", amount: 1 }]);
    const follower = await sql.follow("SELECT item FROM orders WHERE amount > 1 EMIT CHANGES");
    const taking = follower.take(2);
    await sql.until(async () => {
      await sql.append("orders", [{ item: "new", amount: 2 }]);
      return Promise.race([taking, new Promise<false>((done) => setTimeout(done, 20, false))]);
    });
    const kinds = (await taking).map(({ kind, row }) => ({ kind, row }));
    expect(kinds[0]).toEqual({ kind: "insert", row: { item: "new" } });
    await follower.close();
  });

  test("gives the rows of a group as they change", async () => {
    const sql = await open();
    await sql.run(`CREATE STREAM orders (item STRING, amount BIGINT)
      WITH ('partitions' = '1', 'scan.startup.mode' = 'earliest')`);
    await sql.append("orders", [{ item: "a", amount: 1 }]);
    const follower = await sql.follow(
      "SELECT item, SUM(amount) AS total FROM orders GROUP BY item EMIT CHANGES",
    );
    expect(await follower.take(1)).toMatchObject([{ kind: "update", row: { total: 1 } }]);
    await sql.append("orders", [{ item: "a", amount: 2 }]);
    expect(await follower.take(1)).toMatchObject([{ row: { item: "a", total: 3 } }]);
    await follower.close();
  });
});

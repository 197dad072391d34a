import { afterEach, describe, expect, test } from "bun:test";
import { StreamError } from "../../../src/base/stream-error.ts";
import type { SqlDatabase } from "../../../src/meta/sql-database.ts";
import { readSqlCatalog } from "../../../src/meta/sql-objects.ts";
import { closeWorker } from "../../../src/meta/workers.ts";
import { FileWithHoles } from "../../support/file-with-holes.ts";
import { memoryDatabase } from "../../support/log-stack.ts";
import { SqlStack } from "../../support/sql-stack.ts";

let sql: SqlStack;
afterEach(() => sql.close());

const bids = `CREATE STREAM bids (
  auction BIGINT, price BIGINT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('partitions' = '1')`;

const counts = `CREATE MATERIALIZED VIEW counts AS
SELECT auction, COUNT(*) AS n, SUM(price) AS total, window_start, window_end
FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)
GROUP BY auction, window_start, window_end`;

const bid = (auction: number, price: number, second: number) => ({
  ...{ auction, price, ts: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString() },
});

describe("SqlService", () => {
  test("fills a materialized view from history and goes on", async () => {
    sql = await SqlStack.open();
    expect(await sql.run("SET 'execution.checkpointing.interval' = '10 ms'")).toEqual([
      "Set execution.checkpointing.interval",
    ]);
    expect(await sql.run(bids)).toEqual(["Created stream bids"]);
    await sql.append("bids", [bid(1, 10, 1), bid(2, 5, 2), bid(1, 7, 3)]);
    expect(await sql.run(counts)).toEqual(["Created materialized view counts"]);
    await sql.append("bids", [bid(1, 1, 11), bid(3, 1, 25)]);
    const records = await sql.until(async () => {
      const seen = await sql.records("counts");
      return seen.length >= 3 && seen;
    });
    expect(records.map(({ value }) => value)).toEqual([
      '{"auction":1,"n":2,"total":17,"window_start":"2026-01-01 00:00:00.000","window_end":"2026-01-01 00:00:10.000"}',
      '{"auction":2,"n":1,"total":5,"window_start":"2026-01-01 00:00:00.000","window_end":"2026-01-01 00:00:10.000"}',
      '{"auction":1,"n":1,"total":1,"window_start":"2026-01-01 00:00:10.000","window_end":"2026-01-01 00:00:20.000"}',
    ]);
    expect(records[0]?.timestamp).toBe(Date.UTC(2026, 0, 1, 0, 0, 10));
  });

  test("answers an ad-hoc SELECT over a topic", async () => {
    sql = await SqlStack.open();
    await sql.run(bids);
    await sql.append("bids", [bid(1, 10, 1), bid(2, 5, 2), bid(1, 7, 3)]);
    expect(await sql.run("SELECT auction, SUM(price) AS total FROM bids GROUP BY auction")).toEqual(
      [
        [
          { auction: 1, total: 17 },
          { auction: 2, total: 5 },
        ],
      ],
    );
    expect(
      await sql.run("SELECT price * 2 AS p FROM bids WHERE auction = 1 ORDER BY p LIMIT 1"),
    ).toEqual([[{ p: 14 }]]);
  });

  test("inserts rows, and keeps an updating view of them by key", async () => {
    sql = await SqlStack.open();
    await sql.run(`SET 'execution.checkpointing.interval' = '10 ms'; ${bids}`);
    await sql.run(`CREATE MATERIALIZED VIEW totals AS
      SELECT auction, COUNT(*) AS n, MAX(price) AS top FROM bids GROUP BY auction`);
    expect(
      await sql.run(
        "INSERT INTO bids VALUES (1, 10, TIMESTAMP '2026-01-01 00:00:01'), (2, 3, NULL)",
      ),
    ).toEqual(["Inserted 2 rows"]);
    await sql.append("bids", [bid(1, 12, 1)]);
    const last = await sql.until(async () => {
      const seen = await sql.records("totals");
      return seen.at(-1)?.value === '{"auction":1,"n":2,"top":12}' && seen;
    });
    expect(last.at(-1)?.key).toBe('{"auction":1}');
    expect((await sql.records("totals.errors")).map(({ value }) => value)).toEqual([
      expect.stringContaining("the event time ts is NULL"),
    ]);
  });

  test("keeps the topics of a view that was made when only the answer was lost", async () => {
    const whole = memoryDatabase();
    let isLost = false;
    const database: SqlDatabase = {
      ...whole,
      batch: async (statements, mode) => {
        const results = await whole.batch(statements, mode);
        if (isLost && statements.some(({ sql: text }) => text.startsWith("INSERT INTO query"))) {
          isLost = false;
          throw new StreamError("metadata_unavailable", "the answer was lost");
        }
        return results;
      },
    };
    sql = await SqlStack.open({ database });
    await sql.run(`SET 'execution.checkpointing.interval' = '10 ms'; ${bids}`);
    isLost = true;
    await expect(sql.run("CREATE MATERIALIZED VIEW v AS SELECT auction FROM bids")).rejects.toThrow(
      "the answer was lost",
    );
    await sql.append("bids", [bid(1, 10, 1)]);
    await sql.manager.look();
    await sql.until(async () => (await sql.records("v")).length === 1);
  });

  test("batches of results keep to their topic's max.message.bytes", async () => {
    sql = await SqlStack.open();
    const config = { "max.message.bytes": "1000" };
    const { topics } = sql.stack.log;
    await topics.create({ name: "texts", partitionCount: 1, replicationFactor: -1, config });
    await sql.run(
      `CREATE STREAM words (word STRING) WITH ('partitions' = '1');
       CREATE STREAM texts (word STRING) WITH ('topic' = 'texts');
       INSERT INTO texts SELECT word FROM words`,
    );
    const lengths = Array.from({ length: 300 }, (_, index) => (index === 100 ? 3_000 : index % 40));
    const words = lengths.map((length) => ({ word: "w".repeat(length) }));
    await sql.append("words", words);
    await sql.manager.look();
    await sql.until(async () => (await sql.records("texts")).length === words.length);
    const values = (await sql.records("texts")).map(({ value }) => JSON.parse(value ?? ""));
    expect(values).toEqual(words);
    const sizes = await sql.batchSizes("texts");
    // A row that is larger than a batch may be is one of its own.
    expect(sizes.filter((size) => size > 1_000)).toHaveLength(1);
    expect(sizes.length).toBeGreaterThan(8);
    expect(sizes.length).toBeLessThan(20);
  });

  test("explains how much of the log a SELECT reads", async () => {
    sql = await SqlStack.open();
    await sql.run(
      `CREATE STREAM bids (auction BIGINT, place BIGINT METADATA FROM 'offset' VIRTUAL)
       WITH ('topic' = 'bids', 'partitions' = '1')`,
    );
    for (const second of [1, 2, 3]) await sql.append("bids", [bid(1, 10, second)]);
    const last = async (select: string) => {
      const [rows] = await sql.run(`EXPLAIN ${select}`);
      return (rows as { plan: string }[]).at(-1)?.plan;
    };
    const whole = await last("SELECT auction FROM bids");
    expect(whole).toMatch(/^Reads 3 of 3 objects, (\d+) of \1 bytes$/);
    const one = await last("SELECT auction FROM bids WHERE place = 1");
    expect(one).toMatch(/^Reads 1 of 3 objects, (\d+) of \d+ bytes$/);
    expect(await last("SELECT auction FROM bids EMIT CHANGES")).not.toStartWith("Reads");
  });

  test("shows, describes, explains and drops what was made", async () => {
    sql = await SqlStack.open();
    await sql.run(`${bids}; ${counts}`);
    expect(await sql.run("SHOW TABLES")).toEqual([
      [
        { "table name": "bids", kind: "stream" },
        { "table name": "counts", kind: "materialized view" },
      ],
    ]);
    const [columns] = await sql.run("DESCRIBE bids");
    expect(columns).toContainEqual({
      ...{ name: "ts", type: "TIMESTAMP(3)", null: true, key: null, extras: null },
      watermark: "ts - INTERVAL '1' SECOND",
    });
    expect(JSON.stringify(await sql.run("EXPLAIN SELECT auction FROM bids"))).toContain("bids");
    expect(await sql.run("DROP MATERIALIZED VIEW counts")).toEqual([
      "Dropped materialized view counts",
    ]);
    expect((await sql.stack.log.topics.list()).map(({ name }) => name as string)).toEqual(["bids"]);
    await expect(sql.run("DROP STREAM bid")).rejects.toThrow(/did you mean "bids"/);
  });

  test("infers the columns of a stream from what its topic holds", async () => {
    sql = await SqlStack.open();
    await sql.stack.log.topics.create({
      ...{ name: "orders", partitionCount: 1, replicationFactor: -1, config: {} },
    });
    await sql.append("orders", [
      { id: 1, total: 1.5, at: "2026-01-01 00:00:00.000", customer: { name: "a" } },
      { id: 2, total: 2, at: null, customer: { name: "b", age: 3 }, tags: ["x"] },
    ]);
    await sql.run("CREATE STREAM orders");
    expect(await sql.run("SELECT id, total, customer.name AS who FROM orders")).toEqual([
      [
        { id: 1, total: 1.5, who: "a" },
        { id: 2, total: 2, who: "b" },
      ],
    ]);
  });
});

describe("views over views", () => {
  const settings = "SET 'execution.checkpointing.interval' = '10 ms';";
  const small = `CREATE MATERIALIZED VIEW small AS
    SELECT SUM(price) AS total, window_time AS at_ FROM
      TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)
    GROUP BY window_start, window_end, window_time HAVING SUM(price) > 0`;
  const over = (view: string, source: string, seconds: number) =>
    `CREATE MATERIALIZED VIEW ${view} AS
    SELECT SUM(total) AS total, window_time AS at_ FROM
      TUMBLE(TABLE ${source}, DESCRIPTOR(at_), INTERVAL '${seconds}' SECOND)
    GROUP BY window_start, window_end, window_time`;
  const totals = async (view: string) =>
    (await sql.records(view)).map(({ value }) => {
      const { total, at_ } = JSON.parse(value ?? "{}") as { total: number; at_: string };
      return `${at_.slice(17, 19)} ${total}`;
    });
  const come = (view: string, wanted: readonly string[]) =>
    sql.until(async () => {
      const found = await totals(view);
      if (found.length > wanted.length) throw new Error(`${view} has ${found.join(", ")}`);
      return found.join() === wanted.join() && found;
    });

  test("close as soon as the first one has, also by a commit without rows", async () => {
    sql = await SqlStack.open();
    await sql.run(`${settings} ${bids}; ${small}`);
    await sql.run(over("middle", "small", 20));
    await sql.run(over("large", "middle", 40));
    await sql.append("bids", [bid(1, 1, 1), bid(1, 2, 12), bid(1, 4, 21)]);
    await come("middle", ["19 3"]);
    await sql.append("bids", [bid(1, 0, 31), bid(1, 0, 41)]);
    // Nothing comes of the window from 30 on: that the watermark has passed it is all there is.
    await come("middle", ["19 3", "39 4"]);
    await come("large", ["39 7"]);
    expect(await totals("small")).toEqual(["09 1", "19 2", "29 4"]);
    for (const view of ["small", "middle", "large"]) {
      expect(await sql.records(`${view}.late`)).toEqual([]);
    }
  });

  test("find in history what commits said, and go on where they were stopped", async () => {
    sql = await SqlStack.open();
    await sql.run(`${settings} ${bids}; ${small}`);
    await sql.append("bids", [bid(1, 1, 1), bid(1, 2, 12), bid(1, 4, 21), bid(1, 0, 41)]);
    await come("small", ["09 1", "19 2", "29 4"]);
    const [first] = [...sql.manager.running().keys()];
    await sql.run(`PAUSE QUERY "${first}"`);
    await sql.append("bids", [bid(1, 8, 59), bid(1, 0, 62)]);
    await sql.run(over("middle", "small", 20));
    await come("middle", ["19 3", "39 4"]);
    const [second] = [...sql.manager.running().keys()];
    await sql.run(`PAUSE QUERY "${second}"; RESUME QUERY "${first}"`);
    await come("small", ["09 1", "19 2", "29 4", "59 8"]);
    expect(await totals("middle")).toEqual(["19 3", "39 4"]);
    await sql.run(`RESUME QUERY "${second}"`);
    await come("middle", ["19 3", "39 4", "59 8"]);
  });

  test("read a view once more when it was dropped and made again", async () => {
    sql = await SqlStack.open();
    await sql.run(`${settings} ${bids}; ${small}`);
    await sql.append("bids", [bid(1, 1, 1), bid(1, 4, 21), bid(1, 0, 41)]);
    await sql.run(over("middle", "small", 20));
    await come("middle", ["19 1", "39 4"]);
    await sql.run("DROP MATERIALIZED VIEW small");
    await sql.until(async () => sql.manager.running().size === 0);
    await sql.run(small);
    await sql.run(over("again", "small", 20));
    await come("again", ["19 1", "39 4"]);
  });

  test("give a SELECT that ends the same windows", async () => {
    sql = await SqlStack.open();
    await sql.run(`${settings} ${bids}; ${small}`);
    await sql.append("bids", [bid(1, 1, 1), bid(1, 2, 12), bid(1, 4, 21), bid(1, 0, 41)]);
    await come("small", ["09 1", "19 2", "29 4"]);
    expect(
      await sql.run(`SELECT SUM(total) AS total FROM
        TUMBLE(TABLE small, DESCRIPTOR(at_), INTERVAL '20' SECOND) GROUP BY window_start, window_end`),
    ).toEqual([[{ total: 3 }, { total: 4 }]]);
  });
});

describe("a power loss", () => {
  const settings = "SET 'execution.checkpointing.interval' = '10 ms';";
  const totals = `CREATE MATERIALIZED VIEW totals AS
    SELECT auction, SUM(price) AS total FROM bids GROUP BY auction`;
  const tops = "CREATE MATERIALIZED VIEW tops AS SELECT MAX(total) AS top FROM totals";

  /** Where the records from `offset` on of a topic's only partition lie. */
  const placesOf = async (topicNumber: number, offset: number) => {
    const [found] = await sql.stack.database.batch(
      [
        {
          sql: `SELECT o.key, e.position, e.length FROM extent e
JOIN object o ON o.object_id = e.object_id
WHERE e.topic_number = ?1 AND e.last_offset >= ?2`,
          args: [topicNumber, offset],
        },
      ],
      "read",
    );
    return (found?.rows ?? []).map(([key, position, length]) => ({
      ...{ key: String(key), position: Number(position), length: Number(length) },
    }));
  };
  const come = (view: string, wanted: string) =>
    sql.until(async () => (await sql.records(view)).at(-1)?.value === wanted);

  /** The process dies, and what was written last with it. */
  async function restartWithout(store: FileWithHoles, topicName: string, offset: number) {
    const { topicNumber } = await sql.topic(topicName);
    const places = await placesOf(topicNumber, offset);
    const { database, log } = sql.stack;
    await sql.manager.close();
    const { workerEpoch } = log.session.current();
    for (const { key, position, length } of places) store.lose(key, position, position + length);
    await closeWorker(database, { workerEpoch, observedCounter: 0 });
    sql = await SqlStack.open({ store, database, storeMayLoseTail: true });
  }

  test("takes what queries made of lost records, and views over them, and they go on", async () => {
    const store = new FileWithHoles();
    sql = await SqlStack.open({ store, storeMayLoseTail: true });
    await sql.run(`${settings} ${bids}; ${totals}`);
    await sql.run(tops);
    await sql.append("bids", [bid(1, 10, 1)]);
    await come("tops", '{"top":10}');
    await sql.append("bids", [bid(1, 5, 2), bid(2, 100, 2)]);
    await come("tops", '{"top":100}');
    await restartWithout(store, "bids", 1);
    expect((await sql.records("bids")).length).toBe(1);
    expect((await sql.records("totals")).map(({ value }) => value)).toEqual([
      '{"auction":1,"total":10}',
    ]);
    expect((await sql.records("tops")).map(({ value }) => value)).toEqual(['{"top":10}']);
    sql.manager.start();
    await sql.append("bids", [bid(1, 7, 3)]);
    await come("tops", '{"top":17}');
    expect((await sql.records("totals")).map(({ value }) => value)).toEqual([
      '{"auction":1,"total":10}',
      '{"auction":1,"total":17}',
    ]);
    const { queries } = await readSqlCatalog(sql.stack.database);
    expect(queries.map(({ failure }) => failure)).toEqual([null, null]);
  });

  test("that leaves no commit of before says what is lost and what to do", async () => {
    const store = new FileWithHoles();
    sql = await SqlStack.open({ store, storeMayLoseTail: true });
    await sql.run(`${settings} ${bids}; ${totals}`);
    await sql.append("bids", [bid(1, 10, 1)]);
    await sql.append("bids", [bid(1, 5, 2)]);
    await come("totals", '{"auction":1,"total":15}');
    const { database } = sql.stack;
    // As though the results of long ago had come of what is lost: nothing leads back there.
    await database.batch([{ sql: "DELETE FROM group_offset", args: [] }], "write");
    await restartWithout(store, "bids", 1);
    sql.manager.start();
    const failure = await sql.until(async () => {
      const { queries } = await readSqlCatalog(database);
      return queries[0]?.failure ?? undefined;
    });
    expect(failure).toBe(
      'Cannot go on: the records 1 to 1 of "bids"/0 are lost, which results were made of, and no ' +
        'commit from before is left. Drop the query and make it again to fill "totals" from ' +
        "what is there",
    );
  });
});

import { afterEach, describe, expect, test } from "bun:test";
import { StreamError } from "../../../src/base/stream-error.ts";
import type { SqlDatabase } from "../../../src/meta/sql-database.ts";
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

  test("a first and a last time shorten a scan, in whatever order times come", async () => {
    const stack = await SqlStack.open();
    sql = stack;
    await stack.run(
      `CREATE STREAM bids (auction BIGINT, at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL)
       WITH ('topic' = 'bids', 'partitions' = '1')`,
    );
    // Times of records, a publish each.
    for (const times of [[1, 9], [5, 6], [3], [7, 8], [9, 8]]) {
      const rows = times.map((time) => ({ row: bid(time, 10, 1), timestamp: time }));
      await stack.appendTimed("bids", rows);
    }
    const read = async (where: string) => {
      const select = `SELECT auction FROM bids WHERE ${where}`;
      const [explained] = (await stack.run(`EXPLAIN ${select}`)) as [{ plan: string }[]];
      const [rows] = (await stack.run(select)) as [{ auction: number }[]];
      const size = /^Reads (\d) of 5/.exec(explained.at(-1)?.plan ?? "")?.[1];
      return [size, rows.map(({ auction }) => auction).join(" ")];
    };
    const time = (ms: number) => `TO_TIMESTAMP_LTZ(${ms}, 3)`;
    expect(await read(`at <= ${time(0)}`)).toEqual(["0", ""]);
    expect(await read(`at <= ${time(1)}`)).toEqual(["1", "1"]);
    expect(await read(`at <= ${time(4)}`)).toEqual(["3", "1 3"]);
    expect(await read(`at <= ${time(7)}`)).toEqual(["4", "1 5 6 3 7"]);
    expect(await read(`at BETWEEN ${time(5)} AND ${time(6)}`)).toEqual(["3", "5 6"]);
    expect(await read(`at > ${time(8)}`)).toEqual(["5", "9 9"]);
  });

  test("explains how a SELECT finds its rows in a view's table, and who has that", async () => {
    const stack = await SqlStack.open();
    sql = stack;
    await sql.run(`CREATE STREAM bids (a STRING, b STRING, n INT) WITH ('partitions' = '1');
      CREATE MATERIALIZED VIEW v AS SELECT a, b, SUM(n) AS n FROM bids GROUP BY a, b`);
    const explained = async (rest: string) => {
      const [rows] = (await stack.run(`EXPLAIN SELECT * FROM v ${rest}`)) as [{ plan: string }[]];
      return rows.slice(-2).map(({ plan }) => plan);
    };
    expect(await explained("WHERE b = 'x' AND a = 'y'")).toEqual([
      "Reads the table of v, which this worker makes when it is first read, from topic v",
      "    lookup by the primary key (a, b)",
    ]);
    await sql.run("SELECT * FROM v");
    const place = "Reads the table of v, which this worker holds, from topic v";
    expect(await explained("WHERE a = 'y' AND n > 1")).toEqual([
      place,
      "    lookup by the first columns of the primary key (a)",
    ]);
    expect(await explained("WHERE n = 1")).toEqual([
      place,
      "    lookup by n: a scan at first, by an index when it is asked for again",
    ]);
    expect(await explained("WHERE n > 1 ORDER BY n LIMIT 3")).toEqual([
      place,
      "    scan of all its rows",
    ]);
    expect((await explained("EMIT CHANGES")).join()).not.toContain("Reads");
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
    expect(await sql.run("SHOW VIEWS")).toEqual([
      [{ "view name": "counts", kind: "materialized view" }],
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

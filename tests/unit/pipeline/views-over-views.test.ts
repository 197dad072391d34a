/** Queries over the output of other queries: how far that has come they know from its commits. */
import { afterEach, describe, expect, test } from "bun:test";
import { forgetWatermarks } from "../../../src/meta/publish-order.ts";
import { readSqlCatalog } from "../../../src/meta/sql-objects.ts";
import { closeWorker } from "../../../src/meta/workers.ts";
import { FileWithHoles } from "../../support/file-with-holes.ts";
import { SqlStack } from "../../support/sql-stack.ts";

let sql: SqlStack;
afterEach(() => sql.close());

const bids = `CREATE STREAM bids (
  auction BIGINT, price BIGINT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('partitions' = '1')`;

const bid = (auction: number, price: number, second: number) => ({
  ...{ auction, price, ts: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString() },
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

  test("begin after retention with what remains, and how far it had come", async () => {
    sql = await SqlStack.open();
    await sql.run(`${settings} ${bids}; ${small}`);
    await sql.append("bids", [bid(1, 1, 1), bid(1, 2, 12)]);
    await come("small", ["09 1"]);
    await sql.append("bids", [bid(1, 4, 21)]);
    await come("small", ["09 1", "19 2"]);
    await sql.append("bids", [bid(1, 8, 31), bid(1, 0, 41)]);
    await come("small", ["09 1", "19 2", "29 4", "39 8"]);
    const [first] = [...sql.manager.running().keys()];
    await sql.run(`PAUSE QUERY "${first}"`);
    await sql.stack.log.deleteRecords(await sql.topic("small"), 0, 1);
    await forgetWatermarks(sql.stack.database, { limitRows: 100 });
    await sql.run(over("middle", "small", 20));
    await come("middle", ["19 2", "39 12"]);
  });

  test("take the changes of windows that are open", async () => {
    sql = await SqlStack.open();
    await sql.run(`${settings} ${bids}`);
    await sql.run(`CREATE MATERIALIZED VIEW live AS
      SELECT auction, COUNT(*) AS n, window_start, window_end FROM
        TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)
      GROUP BY auction, window_start, window_end EMIT CHANGES`);
    await sql.run("CREATE MATERIALIZED VIEW top AS SELECT MAX(n) AS top, COUNT(*) AS c FROM live");
    await sql.append("bids", [bid(1, 1, 1), bid(2, 1, 1), bid(1, 1, 2)]);
    await sql.until(async () => (await sql.records("top")).at(-1)?.value === '{"top":2,"c":2}');
    await sql.append("bids", [bid(2, 1, 3), bid(2, 1, 4), bid(3, 1, 12)]);
    await sql.until(async () => (await sql.records("top")).at(-1)?.value === '{"top":3,"c":3}');
  });

  test("read views of several partitions as one, in publish order", async () => {
    sql = await SqlStack.open();
    await sql.run(`${settings} ${bids}`);
    await sql.run(`CREATE MATERIALIZED VIEW wide WITH ('partitions' = '4') AS
      SELECT auction, SUM(price) AS total, window_start, window_end, window_time AS at_ FROM
        TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)
      GROUP BY auction, window_start, window_end, window_time`);
    await sql.run(over("middle", "wide", 20));
    await sql.run(`CREATE MATERIALIZED VIEW sums WITH ('partitions' = '3') AS
      SELECT auction, SUM(price) AS total FROM bids GROUP BY auction`);
    await sql.run("CREATE MATERIALIZED VIEW sum AS SELECT SUM(total) AS total FROM sums");
    const auctions = [1, 2, 3, 4, 5, 6, 7, 8];
    for (const second of [1, 11, 21]) {
      await sql.append(
        "bids",
        auctions.map((auction) => bid(auction, second, second)),
      );
    }
    await come("middle", ["19 96"]);
    await sql.until(async () => (await sql.records("sum")).at(-1)?.value === '{"total":264}');
    const perPartition = await Promise.all(
      [0, 1, 2, 3].map(async (partition) => (await sql.records("wide", partition)).length),
    );
    expect(perPartition.reduce((sum, count) => sum + count, 0)).toBe(16);
    expect(perPartition.every((count) => count > 0 && count < 16)).toBe(true);
    expect(await sql.run("SELECT SUM(total) AS total, COUNT(*) AS n FROM sums")).toEqual([
      [{ total: 264, n: 8 }],
    ]);
    expect(await sql.run("SELECT total FROM sums WHERE auction = 5")).toEqual([[{ total: 33 }]]);
    expect(await sql.run("SELECT COUNT(*) AS n FROM wide WHERE total = 11")).toEqual([[{ n: 8 }]]);
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

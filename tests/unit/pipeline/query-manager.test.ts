import { afterEach, describe, expect, test } from "bun:test";
import { acquireLease, readLease } from "../../../src/meta/leases.ts";
import type { SqlDatabase } from "../../../src/meta/sql-database.ts";
import { createQuery } from "../../../src/meta/sql-objects.ts";
import { closeWorker, registerWorker } from "../../../src/meta/workers.ts";
import { QueryAdmin } from "../../../src/pipeline/query-admin.ts";
import { QueryManager } from "../../../src/pipeline/query-manager.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import { memoryDatabase } from "../../support/log-stack.ts";
import { CountingTask, runnerLogOf } from "../../support/query-fixture.ts";
import { SqlStack } from "../../support/sql-stack.ts";

const open: SqlStack[] = [];
afterEach(async () => {
  for (const sql of open.splice(0)) await sql.close();
});

const script = `SET 'execution.checkpointing.interval' = '10 ms';
CREATE STREAM bids (auction BIGINT) WITH ('partitions' = '1');
CREATE MATERIALIZED VIEW doubled AS SELECT auction * 2 AS n FROM bids`;

function adminOf(sql: SqlStack): QueryAdmin {
  const { log, platform, database } = sql.stack;
  return new QueryAdmin({
    ...{ platform, database, log, topics: log.topics, manager: sql.manager },
    ...{ identity: log.session, statusOf: (id) => sql.manager.statusOf(id) },
  });
}

async function opened(parts: Parameters<typeof SqlStack.open>[0] = {}): Promise<SqlStack> {
  const sql = await SqlStack.open(parts);
  open.push(sql);
  return sql;
}

async function rowsOf(database: SqlDatabase, table: string): Promise<number> {
  const [result] = await database.batch(
    [{ sql: `SELECT count(*) FROM ${table}`, args: [] }],
    "read",
  );
  return Number(result?.rows[0]?.[0]);
}

const doubled = (sql: SqlStack) =>
  sql.records("doubled").then((seen) => seen.map(({ value }) => JSON.parse(value ?? "").n));

/** A database that can be cut off from one worker for good, as when its process dies. */
function mortal(database: SqlDatabase) {
  let isDead = false;
  const part: SqlDatabase = {
    ...database,
    batch: (statements, mode) =>
      isDead ? new Promise(() => {}) : database.batch(statements, mode),
  };
  return { database: part, die: () => (isDead = true) };
}

describe("QueryManager", () => {
  test("runs what it can read, whatever stands beside it", async () => {
    const sql = await opened();
    const unreadable = { target: "x", statement: "x", definition: '{"version":99}' };
    await createQuery(sql.stack.database, { queryId: "a", ...unreadable });
    await createQuery(sql.stack.database, { queryId: "b", ...unreadable, definition: "no JSON" });
    await sql.run(script);
    await sql.append("bids", [{ auction: 1 }]);
    await sql.until(async () => (await doubled(sql)).length === 1);
    expect([...sql.manager.running().keys()]).toHaveLength(1);
    expect((await adminOf(sql).list()).map(({ target }) => target)).toEqual(["doubled"]);
  });

  test("fills a view whose rows stand in its statement, once", async () => {
    const sql = await opened();
    await sql.run(`SET 'execution.checkpointing.interval' = '10 ms';
      CREATE MATERIALIZED VIEW colours AS
        SELECT * FROM (VALUES (1, 'red'), (2, 'green')) AS t (id, name);
      CREATE MATERIALIZED VIEW counted AS
        SELECT COUNT(*) AS n FROM (VALUES (1), (2), (3)) AS t (id)`);
    const valuesOf = async (view: string) => (await sql.records(view)).map(({ value }) => value);
    const red = '{"id":1,"name":"red"}';
    const green = '{"id":2,"name":"green"}';
    await sql.until(async () => (await valuesOf("colours")).length > 0);
    await sql.until(async () => (await valuesOf("counted")).length > 0);
    // Another worker goes on from the commit.
    for (const [queryId] of sql.manager.running()) await adminOf(sql).setDesired(queryId, "paused");
    for (const { queryId } of await adminOf(sql).list()) {
      await adminOf(sql).setDesired(queryId, "running");
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await valuesOf("colours")).toEqual([red, green]);
    expect(await valuesOf("counted")).toEqual(['{"n":3}']);
  });

  test("ends though a commit is on its way that nobody answers", async () => {
    const sql = await opened();
    await sql.run(script);
    await sql.manager.close();
    const { log, platform, database } = sql.stack;
    let isAsked = false;
    const never = new Promise<never>(() => {});
    const appendGroup = () => {
      isAsked = true;
      return never;
    };
    const manager = new QueryManager({
      ...{ platform, database, topics: log.topics, identity: log.session, closeMsMax: 20 },
      log: { ...runnerLogOf(log), appendGroup },
      startTask: async (setup) => new CountingTask(sql.stack, await sql.topic("doubled"), setup),
    });
    await manager.look();
    await sql.append("bids", [{ auction: 1 }]);
    await sql.until(async () => isAsked);
    await manager.close();
    expect(manager.running().size).toBe(1);
  });

  test("takes what its placement says, and tells of all that are to run", async () => {
    const sql = await opened();
    await sql.run(script);
    await sql.manager.close();
    const { log, platform, database } = sql.stack;
    const told: unknown[] = [];
    const managerOf = (takes: boolean) =>
      new QueryManager({
        ...{ platform, database, topics: log.topics, identity: log.session },
        log: runnerLogOf(log),
        startTask: async (setup) => new CountingTask(sql.stack, await sql.topic("doubled"), setup),
        placement: { toTake: (free) => (takes ? [...free] : []), toHandOver: () => undefined },
        onWanted: (queryIds) => told.push([...queryIds]),
      });
    const idle = managerOf(false);
    await idle.look();
    expect(idle.running().size).toBe(0);
    const taking = managerOf(true);
    await taking.look();
    const [queryId = ""] = taking.running().keys();
    const { topicNumber } = await sql.topic("bids");
    expect(told).toEqual([[[queryId, [topicNumber]]], [[queryId, [topicNumber]]]]);
    await taking.close();
  });

  test("gives back what an object's last activation held and this one is not to run", async () => {
    const sql = await opened();
    await sql.run(script);
    await sql.manager.close();
    const { log, platform, database } = sql.stack;
    const [query] = await adminOf(sql).list();
    const lease = { kind: "query", name: query?.queryId ?? "" };
    const { workerEpoch } = log.session.current();
    await acquireLease(database, { ...lease, workerEpoch, objectName: "an object" });
    const manager = new QueryManager({
      ...{ platform, database, topics: log.topics, identity: log.session },
      ...{ log: runnerLogOf(log), objectName: "an object" },
      startTask: async (setup) => new CountingTask(sql.stack, await sql.topic("doubled"), setup),
      placement: { toTake: () => [], toHandOver: () => undefined },
    });
    await manager.look();
    expect(manager.running().size).toBe(0);
    expect(await readLease(database, lease)).toMatchObject({ workerEpoch: null });
    expect(await rowsOf(database, "lease WHERE object_name IS NOT NULL")).toBe(0);
  });

  test("gives back the lease of a query that was paused while its object was away", async () => {
    const sql = await opened();
    await sql.run(script);
    await sql.manager.close();
    const { log, platform, database } = sql.stack;
    const [query] = await adminOf(sql).list();
    const lease = { kind: "query", name: query?.queryId ?? "" };
    const objectName = "an object";
    const before = await registerWorker(database, {
      ...{ registration: "before", kind: "durable_object", nodeId: null },
      ...{ kafkaHost: null, kafkaPort: null, httpUrl: null },
    });
    await acquireLease(database, { ...lease, workerEpoch: before.workerEpoch, objectName });
    await closeWorker(database, { workerEpoch: before.workerEpoch, observedCounter: 0 });
    await adminOf(sql).setDesired(lease.name, "paused");
    const manager = new QueryManager({
      ...{ platform, database, topics: log.topics, identity: log.session },
      ...{ log: runnerLogOf(log), objectName },
      startTask: async (setup) => new CountingTask(sql.stack, await sql.topic("doubled"), setup),
    });
    await manager.look();
    expect(await readLease(database, lease)).toMatchObject({ workerEpoch: null });
    expect(await rowsOf(database, "lease WHERE object_name IS NOT NULL")).toBe(0);
  });

  test("leaves nothing of a query that is dropped while it commits", async () => {
    const sql = await opened();
    await sql.run(script);
    const { database } = sql.stack;
    await sql.append("bids", [{ auction: 1 }]);
    await sql.until(async () => (await rowsOf(database, "group_offset")) === 1);
    await sql.append("bids", [{ auction: 2 }]);
    await sql.run("DROP MATERIALIZED VIEW doubled");
    expect(sql.manager.running().size).toBe(0);
    expect(await rowsOf(database, "group_offset")).toBe(0);
    expect(await rowsOf(database, "lease WHERE kind = 'query'")).toBe(0);
  });

  test("goes on where it stopped after a pause, also with partitions added meanwhile", async () => {
    const sql = await opened();
    await sql.run(script);
    await sql.append("bids", [{ auction: 1 }]);
    await sql.until(async () => (await doubled(sql)).length === 1);
    const [queryId = ""] = sql.manager.running().keys();
    await adminOf(sql).setDesired(queryId, "paused");
    expect(sql.manager.running().size).toBe(0);
    await sql.stack.log.topics.addPartitions((await sql.topic("bids")).topicId, 2);
    await sql.append("bids", [{ auction: 2 }], 1);
    await adminOf(sql).setDesired(queryId, "running");
    await sql.append("bids", [{ auction: 3 }]);
    await sql.until(async () => (await doubled(sql)).length === 3);
    expect(await doubled(sql)).toEqual([2, 4, 6]);
  });

  test("a query of a worker that died goes on with another, each result once", async () => {
    const store = new MemoryStore();
    const shared = memoryDatabase();
    const { database, die } = mortal(shared);
    const victim = await SqlStack.open({ store, database, shared: true });
    await victim.run(script);
    const other = await opened({ store, database: shared, shared: true });
    victim.manager.start();
    await victim.append("bids", [{ auction: 1 }, { auction: 2 }]);
    await other.until(async () => (await doubled(other)).length === 2);
    await victim.append("bids", [{ auction: 3 }]);
    other.manager.start();
    die();
    await other.append("bids", [{ auction: 4 }]);
    await other.until(async () => (await doubled(other)).length >= 4);
    expect(await doubled(other)).toEqual([2, 4, 6, 8]);
  }, 20_000);

  test("a worker that lost its epoch takes its queries anew under the next one", async () => {
    const sql = await opened({ shared: true });
    const log = sql.stack.log;
    await sql.run(script);
    sql.manager.start();
    await sql.append("bids", [{ auction: 1 }]);
    await sql.until(async () => (await doubled(sql)).length === 1);
    const before = log.session.current().workerEpoch;
    await sql.stack.database.batch(
      [{ sql: "UPDATE worker SET closed = 1 WHERE worker_epoch = ?1", args: [before] }],
      "write",
    );
    await sql.until(async () => log.session.current().workerEpoch !== before);
    sql.manager.fence();
    await sql.append("bids", [{ auction: 2 }]);
    await sql.until(async () => (await doubled(sql)).length >= 2);
    expect(await doubled(sql)).toEqual([2, 4]);
  }, 20_000);
});

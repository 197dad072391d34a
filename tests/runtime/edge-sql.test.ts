/** SQL in the Worker: statements in the first shard, continuous queries where they are let run. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { tableFromIPC } from "apache-arrow";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { acquireLease, releaseLease } from "../../src/meta/leases.ts";
import { queryHolders } from "../../src/meta/query-places.ts";
import type { SqlDatabase } from "../../src/meta/sql-database.ts";
import { closeWorker, leaveWorkers, listWorkers, registerWorker } from "../../src/meta/workers.ts";
import { openLibsqlServer } from "../../src/runtime/node/libsql-server.ts";
import { edgeToken, startEdgeWorker } from "../support/edge-worker.ts";
import type { Isolate } from "../support/isolate.ts";
import { eventually } from "../support/processes.ts";
import { SocketClient } from "../support/socket-client.ts";

const stream = `CREATE STREAM bids (auction BIGINT, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('partitions' = '1')`;

const view = `SET 'execution.checkpointing.interval' = '50 ms';
CREATE MATERIALIZED VIEW counts AS
SELECT auction, COUNT(*) AS n, SUM(price) AS total, window_start
FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)
GROUP BY auction, window_start, window_end`;

class Client {
  readonly worker: Isolate;
  readonly database: SqlDatabase;

  constructor(worker: Isolate, database: SqlDatabase) {
    this.worker = worker;
    this.database = database;
  }

  post(path: string, body: string, accept = "application/json"): Promise<Response> {
    const headers = {
      Authorization: `Bearer ${edgeToken}`,
      "Content-Type": "application/json",
      Accept: accept,
    };
    return fetch(`${this.worker.url}${path}`, { method: "POST", headers, body });
  }

  get(path: string, accept: string): Promise<Response> {
    const headers = { Authorization: `Bearer ${edgeToken}`, Accept: accept };
    return fetch(`${this.worker.url}${path}`, { headers });
  }

  async run(sql: string): Promise<unknown> {
    return await (await this.post("/v1/sql", JSON.stringify({ sql }))).json();
  }

  async rows(sql: string): Promise<string[]> {
    const answer = await this.post("/v1/sql", JSON.stringify({ sql }), "application/x-ndjson");
    return (await answer.text()).split("\n").filter(Boolean);
  }

  /** As a producer that sends again until somebody has answered. */
  async bidOnce(sequence: number, second: number): Promise<void> {
    const ts = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
    const headers = {
      ...{ Authorization: `Bearer ${edgeToken}`, "Content-Type": "application/json" },
      ...{ "Producer-Id": "bidder", "Producer-Epoch": "0", "Producer-Seq": String(sequence) },
    };
    const body = `{"records":[{"value":{"auction":7,"price":0.10,"ts":"${ts}"}}]}`;
    const url = `${this.worker.url}/v1/topics/bids/records`;
    await eventually(async () => {
      const answer = await fetch(url, { method: "POST", headers, body }).catch(() => undefined);
      return answer?.ok === true ? answer : undefined;
    });
  }

  async bid(...seconds: number[]): Promise<void> {
    const values = seconds.map((second) => {
      const ts = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
      return `{"value":{"auction":7,"price":0.10,"ts":"${ts}"}}`;
    });
    const answer = await this.post("/v1/topics/bids/records", `{"records":[${values}]}`);
    if (!answer.ok) throw new Error(`${await answer.text()}\n${this.worker.log()}`);
  }
}

function edgeClient(variables: Readonly<Record<`MILLRACE_${string}`, string>> = {}) {
  const metadata = startLibsqlHttpServer();
  const held: { client?: Client } = {};
  beforeAll(async () => {
    const base = { MILLRACE_METADATA: metadata.url, MILLRACE_TOKEN: edgeToken };
    const { url } = metadata;
    const database = openLibsqlServer({ url, authToken: null, timeoutMs: 10_000 });
    held.client = new Client(await startEdgeWorker({ ...base, ...variables }), database);
  });
  afterAll(async () => {
    await held.client?.worker.stop();
    await metadata.close();
  });
  return () => held.client as Client;
}

describe("SQL in the Worker", () => {
  const client = edgeClient();

  test("streams are made, and what their topics hold is queried", async () => {
    expect(await client().run(stream)).toEqual({ results: [{ message: "Created stream bids" }] });
    await client().bid(1, 2, 12);
    const sql = `SELECT COUNT(*) AS n, window_start
      FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)
      GROUP BY window_start, window_end`;
    expect(await client().rows(sql)).toEqual([
      '{"n":2,"window_start":"2026-01-01 00:00:00.000"}',
      '{"n":1,"window_start":"2026-01-01 00:00:10.000"}',
    ]);
    const inserted = "INSERT INTO bids VALUES (8, 1.5, TIMESTAMP '2026-01-01 00:00:13.000')";
    expect(await client().run(inserted)).toEqual({ results: [{ message: "Inserted 1 row" }] });
    expect(await client().rows("SELECT price FROM bids WHERE auction = 8")).toEqual([
      '{"price":1.50}',
    ]);
  });

  test("queries that go on are refused, with what to do instead", async () => {
    expect(JSON.stringify(await client().run(view))).toContain("MILLRACE_QUERIES");
    const insert = "INSERT INTO other SELECT * FROM bids";
    await client().run("CREATE STREAM other (auction BIGINT) WITH ('partitions' = '1')");
    expect(JSON.stringify(await client().run(insert))).toContain("MILLRACE_QUERIES");
    expect(await client().rows("SHOW QUERIES")).toEqual([]);
  });

  test("rows and records leave as Arrow", async () => {
    const accept = "application/vnd.apache.arrow.stream";
    const sql = JSON.stringify({ sql: "SELECT auction, price FROM bids ORDER BY auction" });
    const rows = tableFromIPC(await (await client().post("/v1/sql", sql, accept)).bytes());
    expect(rows.schema.fields.map(String)).toEqual([
      ...["auction: Int64", "price: Decimal[10e+2]"],
    ]);
    expect([...(rows.getChild("auction") ?? [])]).toEqual([7n, 7n, 7n, 8n]);
    for (const path of ["records", "partitions/0/records"]) {
      const answer = await client().get(`/v1/topics/bids/${path}`, accept);
      expect(answer.headers.get("Content-Type")).toBe(accept);
      const records = tableFromIPC(await answer.bytes());
      expect([...(records.getChild("offset") ?? [])]).toEqual([0n, 1n, 2n, 3n]);
      const [value] = records.getChild("value") ?? [];
      expect(JSON.parse(new TextDecoder().decode(value))).toMatchObject({ auction: 7 });
    }
  });

  test("a wrong statement is told its place", async () => {
    const wrong = { line: 1, column: 8, suggestion: "auction" };
    expect(await client().run("SELECT auktion FROM bids")).toMatchObject(wrong);
  });
});

describe("continuous queries in the Worker", () => {
  const client = edgeClient({ MILLRACE_QUERIES: "on" });
  const window = (n: number, total: string, second: string) =>
    `{"auction":7,"n":${n},"total":${total},"window_start":"2026-01-01 00:00:${second}.000"}`;
  const viewed = (count: number) =>
    eventually(async () => {
      const rows = await client().rows("SELECT * FROM counts");
      return rows.length >= count ? rows : undefined;
    });

  test("a view fills its windows", async () => {
    await client().run(stream);
    await client().bid(1, 2, 3);
    await client().run(view);
    await client().bid(12);
    expect(await viewed(1)).toEqual([window(3, "0.30", "00")]);
  });

  test("a view is followed over a WebSocket as credit allows", async () => {
    const headers = { Authorization: `Bearer ${edgeToken}` };
    const sql = encodeURIComponent("SELECT n FROM counts EMIT CHANGES");
    const socket = new SocketClient(`${client().worker.url}/v1/sql/ws?sql=${sql}`, { headers });
    expect(await socket.next()).toEqual({ columns: [{ name: "n", type: "BIGINT" }] } as object);
    socket.send({ credit: 1 });
    const { cursor, data } = await socket.nextData();
    expect(data).toEqual({ change: "snapshot", row: { n: 3 } });
    await socket.close();
    const accept = "text/event-stream";
    const path = `/v1/sql?sql=${sql}&cursor=${encodeURIComponent(cursor ?? "")}`;
    const events = await client().get(path, accept);
    expect(events.status).toBe(200);
    await events.body?.cancel();
  });

  test("a query has an object of its own", async () => {
    const holders = await queryHolders(client().database);
    const open = await listWorkers(client().database);
    expect(open.map(({ kind }) => kind)).toEqual(["durable_object", "durable_object"]);
    expect(holders).toHaveLength(1);
    expect(open.map(({ workerEpoch }) => workerEpoch)).toContain(holders[0]?.workerEpoch ?? -1);
    // It made itself known after the shard, which had taken the records by then.
    expect(holders[0]?.workerEpoch).toBe(Math.max(...open.map(({ workerEpoch }) => workerEpoch)));
  });

  test("a process beside it never takes the query's lease, not while nothing of it runs", async () => {
    const { database, worker } = client();
    const [held] = await queryHolders(database);
    const { workerEpoch } = await registerWorker(database, {
      ...{ registration: "a process", kind: "process", nodeId: null },
      ...{ kafkaHost: null, kafkaPort: null, httpUrl: null },
    });
    const wanted = { kind: "query", name: held?.queryId ?? "", workerEpoch };
    const take = () => acquireLease(database, wanted);
    expect((await take()).workerEpoch).toBe(held?.workerEpoch ?? -1);
    // As the object's next activation does it, before it has the lease.
    await closeWorker(database, { workerEpoch: held?.workerEpoch ?? -1, observedCounter: 0 });
    expect((await take()).workerEpoch).not.toBe(workerEpoch);
    await leaveWorkers(database, workerEpoch);
    await worker.restart();
    // The epochs of those that were killed are open until their objects come again.
    const epochs = (await listWorkers(database)).map((each) => each.workerEpoch);
    const last = Math.max(workerEpoch, ...epochs);
    await client().bid(4);
    const again = await eventually(async () =>
      (await queryHolders(database)).find((each) => each.workerEpoch > last),
    );
    expect(again.queryId).toBe(held?.queryId ?? "");
  });

  test("while a process runs the query the object waits until it leaves", async () => {
    const { database } = client();
    const [held] = await queryHolders(database);
    const name = held?.queryId ?? "";
    await client().post(`/v1/queries/${name}/pause`, "");
    const process = await registerWorker(database, {
      ...{ registration: "another process", kind: "process", nodeId: null },
      ...{ kafkaHost: null, kafkaPort: null, httpUrl: null },
    });
    const { workerEpoch } = process;
    // The object gives the lease back, and its mark with it.
    const lease = await eventually(async () => {
      const now = await acquireLease(database, { kind: "query", name, workerEpoch });
      return now.workerEpoch === workerEpoch ? now : undefined;
    });
    await client().post(`/v1/queries/${name}/resume`, "");
    await client().bid(5);
    await Bun.sleep(2_500);
    expect(await queryHolders(database)).toMatchObject([{ queryId: name, workerEpoch }]);
    await releaseLease(database, lease);
    await leaveWorkers(database, workerEpoch);
    // Whom a process beside does not call looks with the next publish, or in half a minute.
    await client().bid(5);
    const [again] = await eventually(async () => {
      const holders = await queryHolders(database);
      return holders.length > 0 ? holders : undefined;
    });
    expect(again?.workerEpoch).not.toBe(workerEpoch);
  });

  test("after workerd was killed it goes on where it was", async () => {
    await client().worker.restart();
    await client().bid(13, 25);
    expect(await viewed(2)).toEqual([window(3, "0.30", "00"), window(2, "0.20", "10")]);
  });

  test("however often workerd is killed, each window comes once and is whole", async () => {
    const seconds = Array.from({ length: 30 }, (_, index) => 30 + index);
    let isOver = false;
    const sending = (async () => {
      for (const [sequence, second] of seconds.entries()) await client().bidOnce(sequence, second);
    })().finally(() => {
      isOver = true;
    });
    let kills = 0;
    for (; kills < 3 && !isOver; kills++) {
      await Bun.sleep(300);
      await client().worker.restart();
    }
    await sending;
    await client().bidOnce(seconds.length, 75);
    const whole = ["30", "40", "50"].map((second) => window(10, "1.00", second));
    const all = [
      ...[window(3, "0.30", "00"), window(2, "0.20", "10"), window(1, "0.10", "20")],
      ...whole,
    ];
    expect(await viewed(all.length)).toEqual(all);
    const sql = "SELECT COUNT(*) AS n FROM counts";
    expect(await client().rows(sql)).toEqual([`{"n":${all.length}}`]);
    expect(kills).toBeGreaterThan(0);
  });
});

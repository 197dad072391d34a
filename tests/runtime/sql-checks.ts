/**
 * SQL on a whole server, from outside: a windowed view over HTTP from its statement to its rows,
 * through a kill and a restart. Its task runs in a thread of the runtime at hand.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { tableFromIPC } from "apache-arrow";
import { queryDetails, queryList } from "../../src/wire/http/sql-shapes.ts";
import { eventually } from "../support/processes.ts";
import { SocketClient } from "../support/socket-client.ts";
import { SseReader } from "../support/sse-reader.ts";
import { type ServerPlace, StreamServer } from "../support/stream-server.ts";

const stream = `CREATE STREAM bids (auction BIGINT, price DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('partitions' = '1')`;

const view = `SET 'execution.checkpointing.interval' = '50 ms';
CREATE MATERIALIZED VIEW counts AS
SELECT auction, COUNT(*) AS n, SUM(price) AS total, window_start
FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)
GROUP BY auction, window_start, window_end`;

const exactId = "9007199254740993";

export function sqlChecks(name: string, place: ServerPlace): void {
  describe(`SQL on ${name}`, () => {
    let server: StreamServer;
    beforeAll(async () => {
      server = await StreamServer.start(place);
    }, 60_000);
    afterAll(async () => await server.kill());

    const ask = (sql: string, accept = "application/json") =>
      fetch(`${server.httpUrl}/v1/sql`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: accept },
        body: JSON.stringify({ sql }),
      });
    const rowsOf = async (sql: string) => {
      const text = await (await ask(sql, "application/x-ndjson")).text();
      return text.split("\n").filter(Boolean);
    };
    const bid = async (...seconds: number[]) => {
      const records = seconds.map((second) => {
        const ts = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
        return `{"value":{"auction":${exactId},"price":0.10,"ts":"${ts}"}}`;
      });
      const answer = await fetch(`${server.httpUrl}/v1/topics/bids/records`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: `{"records":[${records.join(",")}]}`,
      });
      expect(answer.status).toBe(200);
    };
    const viewed = (count: number) =>
      eventually(async () => {
        const rows = await rowsOf("SELECT * FROM counts");
        return rows.length >= count ? rows : undefined;
      });
    const window = (n: number, total: string, second: string) =>
      `{"auction":${exactId},"n":${n},"total":${total},"window_start":"2026-01-01 00:00:${second}.000"}`;

    test("a view is made, fills its windows, and is read", async () => {
      expect(await (await ask(stream)).json()).toEqual({
        results: [{ message: "Created stream bids" }],
      });
      await bid(1, 2, 3);
      expect((await ask(view)).status).toBe(200);
      await bid(12);
      expect(await viewed(1)).toEqual([window(3, "0.30", "00")]);
    }, 60_000);

    test("after kill -9 and a restart it goes on where it was", async () => {
      await server.kill();
      await server.restart();
      await bid(13, 25);
      expect(await viewed(2)).toEqual([window(3, "0.30", "00"), window(2, "0.20", "10")]);
    }, 60_000);

    test("its query tells how it goes, pauses and resumes", async () => {
      const [query] = queryList.parse(
        await (await fetch(`${server.httpUrl}/v1/queries`)).json(),
      ).queries;
      expect(query).toMatchObject({ target: "counts", state: "running", lag: 0 });
      expect(query?.live?.watermark).toBe(Date.UTC(2026, 0, 1, 0, 0, 24));
      const path = `${server.httpUrl}/v1/queries/${query?.queryId}`;
      const paused = await fetch(`${path}/pause`, { method: "POST" });
      expect(queryDetails.parse(await paused.json())).toMatchObject({
        state: "paused",
        live: null,
      });
      await bid(26, 36);
      const resumed = await fetch(`${path}/resume`, { method: "POST" });
      expect(resumed.status).toBe(200);
      expect((await viewed(3)).at(-1)).toBe(window(2, "0.20", "20"));
      const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
      const told = metrics.split("\n").filter((line) => line.startsWith("millrace_query_rows_in"));
      expect(told).toEqual([`millrace_query_rows_in_total{query="${query?.queryId}"} 8`]);
    }, 60_000);

    test("rows leave as Arrow, and a wrong statement with its place", async () => {
      const answer = await ask("SELECT * FROM counts", "application/vnd.apache.arrow.stream");
      const table = tableFromIPC(new Uint8Array(await answer.arrayBuffer()));
      expect(table.getChild("auction")?.get(0)).toBe(BigInt(exactId));
      expect(table.numRows).toBe(3);
      const wrong = await ask("SELECT auktion FROM bids");
      expect(wrong.status).toBe(400);
      expect(await wrong.json()).toMatchObject({ line: 1, column: 8, suggestion: "auction" });
    });

    test("a view is followed over a WebSocket, and on from its cursor by events", async () => {
      const sql = `sql=${encodeURIComponent("SELECT window_start FROM counts EMIT CHANGES")}`;
      const socket = new SocketClient(`${server.httpUrl}/v1/sql/ws?${sql}`);
      const columns = [{ name: "window_start", type: "TIMESTAMP(3)" }];
      expect(await socket.next()).toEqual({ columns } as object);
      socket.send({ credit: 2 });
      const starts: unknown[] = [];
      const take = async () => {
        const { cursor, data } = await socket.nextData();
        starts.push(data);
        return cursor ?? "";
      };
      await take();
      const cursor = await take();
      expect(socket.waiting).toBe(0);
      socket.send({ credit: 1 });
      await take();
      await socket.close();
      const change = (second: number) => ({
        ...{ change: "snapshot", row: { window_start: `2026-01-01 00:00:${second}0.000` } },
      });
      expect(starts).toEqual([change(0), change(1), change(2)]);
      const url = `${server.httpUrl}/v1/sql?${sql}&cursor=${cursor}`;
      const events = new SseReader(await fetch(url, { headers: { Accept: "text/event-stream" } }));
      const [next] = await events.take(1);
      await events.cancel();
      expect(JSON.parse(next?.data ?? "")).toEqual(change(2));
    }, 60_000);

    test("SIGTERM ends the server with a query running", async () => {
      expect(await server.stop()).toBe(0);
      await server.restart();
      expect(await viewed(3)).toHaveLength(3);
    }, 60_000);
  });
}

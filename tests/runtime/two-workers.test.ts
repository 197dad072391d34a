/**
 * Two workers on one store and one libSQL server, asked in turn as by a balancer: on Bun over a
 * folder, and one on Deno beside one on Bun, over S3.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { denoProgram } from "../support/deno-program.ts";
import { temporaryFolder } from "../support/processes.ts";
import { startS3FaultServer } from "../support/s3-fault-server.ts";
import { SocketClient } from "../support/socket-client.ts";
import { SseReader } from "../support/sse-reader.ts";
import { type ServerPlace, StreamServer } from "../support/stream-server.ts";
import type { JsonRecord } from "./golden-batches.ts";

const json = { "Content-Type": "application/json" };
const s3 = await startS3FaultServer();
afterAll(() => s3.close());

const inFolder = { store: `file:${temporaryFolder("two-workers")}` };
const onS3 = {
  store: `s3://bucket/log?endpoint=${s3.endpoint}&region=us-east-1&path-style=true`,
  env: { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "secret" },
  flags: ["--flush-rate-max", "0"],
};
const pairs: readonly (readonly [name: string, places: readonly ServerPlace[]])[] = [
  ["Bun", [inFolder, inFolder]],
  ["Deno and Bun", [{ ...onS3, program: denoProgram("start:s3") }, onS3]],
];

describe.each(pairs)("two workers on %s behind a balancer", (_, places) => {
  const metadata = startLibsqlHttpServer();
  let workers: StreamServer[];

  beforeAll(async () => {
    workers = [];
    for (const place of places) {
      workers.push(await StreamServer.start({ ...place, metadata: metadata.url }));
    }
  }, 60_000);

  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await metadata.close();
  }, 30_000);

  const urlOf = (index: number) => workers[index % 2]?.httpUrl ?? "";

  async function post(url: string, body: object) {
    const answer = await fetch(url, { method: "POST", headers: json, body: JSON.stringify(body) });
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
  }

  async function newTopic(name: string, values: readonly string[]): Promise<void> {
    expect((await post(`${urlOf(0)}/v1/topics`, { name, partitions: 3 })).status).toBe(201);
    const records = values.map((value, index) => ({ value, partition: index % 3 }));
    expect((await post(`${urlOf(0)}/v1/topics/${name}/records`, { records })).status).toBe(200);
  }

  const numbered = (count: number) => Array.from({ length: count }, (_, index) => `value ${index}`);

  test("one cursor goes on at either, in whatever way", async () => {
    const values = numbered(12);
    await newTopic("followed", values);
    const events = new SseReader(
      await fetch(`${urlOf(0)}/v1/topics/followed/stream?offset=earliest`),
    );
    const first = await events.take(4);
    await events.cancel();
    const seen = first.map(({ data }) => JSON.parse(data).value as string);
    const query = `cursor=${first.at(-1)?.id}`;
    const socket = new SocketClient(`${urlOf(1)}/v1/topics/followed/ws?${query}`);
    await socket.next();
    socket.send({ credit: 4 });
    let cursor = "";
    for (let index = 0; index < 4; index++) {
      const message = await socket.nextData();
      seen.push(String(message.data?.["value"]));
      cursor = message.cursor ?? "";
    }
    await socket.close();
    for (let index = 0; seen.length < values.length; index++) {
      const path = `/v1/topics/followed/records?waitMs=10000&maxRecords=2&cursor=${cursor}`;
      const polled = (await (await fetch(urlOf(index) + path)).json()) as {
        records: JsonRecord[];
        cursor: string;
      };
      seen.push(...polled.records.map(({ value }) => String(value)));
      cursor = polled.cursor;
    }
    expect(seen.toSorted()).toEqual(values.toSorted());
  });

  test("a token made at one is good at the other at once, and not for long when revoked", async () => {
    await newTopic("clicks", ["first"]);
    const wanted = { topics: ["clicks"], operations: ["write"] };
    const send = async (index: number, token: unknown) => {
      const headers = { "Content-Type": "text/plain", Authorization: `Bearer ${token}` };
      const path = `${urlOf(index)}/v1/topics/clicks/records`;
      return (await fetch(path, { method: "POST", headers, body: "click" })).status;
    };
    for (let round = 0; round < 3; round++) {
      const { token } = (await post(`${urlOf(round)}/v1/tokens`, wanted)).json;
      expect(await send(round + 1, token)).toBe(200);
    }
    const { token, tokenId } = (await post(`${urlOf(0)}/v1/tokens`, wanted)).json;
    expect(await send(1, token)).toBe(200);
    await fetch(`${urlOf(0)}/v1/tokens/${tokenId}`, { method: "DELETE" });
    expect(await send(0, token)).toBe(401);
    await Bun.sleep(5_100);
    expect(await send(1, token)).toBe(401);
  }, 20_000);

  test("groups are polled at either, and go on when one of them is killed", async () => {
    const values = numbered(30);
    await newTopic("polled", values);
    // Each is coordinated by one or the other.
    const groups = ["a", "b", "c", "d"].map((name) => ({
      ...{ path: `/v1/groups/${name}/poll`, seen: [] as string[] },
      position: undefined as string | undefined,
    }));
    const pollUntil = async (group: (typeof groups)[number], count: number) => {
      for (let index = 0; group.seen.length < count; index++) {
        const { position } = group;
        const body = { topics: ["polled"], max_records: 5, wait_ms: 500 };
        const asked = position === undefined ? body : { ...body, position };
        const answer = await post(urlOf(index) + group.path, asked).catch(() => undefined);
        // The dead worker, and the living one until it has noticed.
        if (answer === undefined || answer.status === 503) {
          await Bun.sleep(50);
          continue;
        }
        expect(answer).toMatchObject({ status: 200 });
        const records = answer.json["records"] as JsonRecord[];
        group.seen.push(...records.map(({ value }) => String(value)));
        group.position = String(answer.json["position"]);
      }
    };
    for (const group of groups) await pollUntil(group, 10);
    await workers[0]?.kill();
    await Promise.all(groups.map((group) => pollUntil(group, values.length)));
    for (const { seen } of groups) expect(new Set(seen)).toEqual(new Set(values));
    await workers[0]?.restart();
  }, 60_000);
});

/** Two workers over one folder and one sqld, fsync off: what a power loss takes is cut by a peer. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/processes.ts";
import { StreamServer } from "../support/stream-server.ts";
import { type Sqld, startSqld } from "./support/sqld.ts";

let sqld: Sqld;
const folder = temporaryFolder("shared");
const running: StreamServer[] = [];

async function start(store: string): Promise<StreamServer> {
  const flags = ["--fsync", "off"];
  const server = await StreamServer.start({ store: `file:${store}`, metadata: sqld.url, flags });
  running.push(server);
  return server;
}

beforeAll(async () => {
  sqld = await startSqld();
});
afterAll(async () => {
  for (const server of running) await server.stop();
  await sqld?.stop();
});

async function post(server: StreamServer, text: string): Promise<number> {
  const headers = { "Content-Type": "text/plain" };
  const url = `${server.httpUrl}/v1/topics/orders/records`;
  const response = await fetch(url, { method: "POST", body: text, headers });
  const { offsets } = (await response.json()) as { offsets: { baseOffset: number }[] };
  return offsets[0]?.baseOffset ?? -1;
}

async function valuesOf(server: StreamServer): Promise<string[]> {
  const url = `${server.httpUrl}/v1/topics/orders/partitions/0/records?offset=earliest`;
  const { records } = (await (await fetch(url)).json()) as { records: { value: string }[] };
  return records.map(({ value }) => value);
}

describe("two workers over one folder", () => {
  test("a start after a loss waits until the dead worker's files were looked through", async () => {
    const first = await start(folder);
    const topic = JSON.stringify({ name: "orders", partitions: 1, config: {} });
    const headers = { "Content-Type": "application/json" };
    await fetch(`${first.httpUrl}/v1/topics`, { method: "POST", body: topic, headers });
    expect([await post(first, "a"), await post(first, "b")]).toEqual([0, 1]);
    await first.kill();
    running.splice(running.indexOf(first), 1);
    const [epoch = ""] = readdirSync(join(folder, "segments"));
    const [file = ""] = readdirSync(join(folder, "segments", epoch));
    const path = join(folder, "segments", epoch, file);
    // The power takes the second of the two segments.
    truncateSync(path, readFileSync(path).length / 2);
    const second = await start(folder);
    expect(await valuesOf(second)).toEqual(["a"]);
    expect(await post(second, "c")).toBe(1);
    expect(second.log()).toContain("records lost with the power: cut");
    const third = await start(folder);
    expect(await valuesOf(third)).toEqual(["a", "c"]);
  });

  test("a worker with another folder is refused", async () => {
    await expect(start(temporaryFolder("other"))).rejects.toThrow("store-id");
  });
});

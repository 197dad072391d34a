/** One worker with its segments in MinIO, at the default ceiling on writes, and an embedded file. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { run } from "../support/processes.ts";
import { StreamServer } from "../support/stream-server.ts";
import { uniqueName } from "./support/broker-under-test.ts";
import { kafkaTool } from "./support/kafka-tools.ts";
import { type Minio, startMinio } from "./support/minio.ts";
import { kcatProgram } from "./support/programs.ts";

let minio: Minio;
let server: StreamServer;
beforeAll(async () => {
  minio = await startMinio();
  server = await StreamServer.start({ store: minio.storeUrl("one"), env: minio.env });
});
afterAll(async () => {
  await server?.stop();
  await minio?.stop();
});

/** `partition offset length` of every record, as kcat reads them. */
async function recordsOf(topic: string): Promise<string[]> {
  const args = ["-C", "-q", "-e", "-t", topic, "-o", "beginning", "-f", "%p %o %S\\n"];
  const read = await run([await kcatProgram(), "-b", server.bootstrap, ...args]);
  return read.stdout.split("\n").slice(0, -1);
}

test("what producer-perf wrote into MinIO is read back, also by the process after a kill", async () => {
  const topic = uniqueName("s3-perf");
  const count = 50_000;
  const place = ["--bootstrap-server", server.bootstrap, "--topic", topic];
  await kafkaTool("topics", [...place, "--create", "--partitions", "8"]);
  const load = ["--topic", topic, "--num-records", `${count}`, "--record-size", "1024"];
  const client = [`bootstrap.servers=${server.bootstrap}`, "batch.size=262144", "acks=all"];
  const pace = ["--throughput", "-1", "--command-property", ...client];
  const produced = await kafkaTool("producer-perf", [...load, ...pace]);
  expect(produced.stdout).toContain(`${count} records sent, `);
  await server.kill();
  await server.restart();
  const cold = await recordsOf(topic);
  expect(cold.length).toBe(count);
  const nextOffsets = new Map<string, number>();
  const astray = cold.filter((line) => {
    const [partition = "", offset, length] = line.split(" ");
    const expected = nextOffsets.get(partition) ?? 0;
    nextOffsets.set(partition, expected + 1);
    return Number(offset) !== expected || length !== "1024";
  });
  expect(astray).toEqual([]);
  expect((await recordsOf(topic)).length).toBe(count);
}, 120_000);

test("records written one by one wait for their turn and are all acknowledged in order", async () => {
  const topic = uniqueName("s3-single");
  const lines = Array.from({ length: 40 }, (_, index) => `${index}`);
  const program = [await kcatProgram(), "-b", server.bootstrap, "-t", topic];
  const input = lines.map((line) => `${line}\n`).join("");
  const each = ["-X", "batch.num.messages=1", "-X", "max.in.flight=1"];
  await run([...program, "-P", ...each], { input });
  const read = await run([...program, "-C", "-q", "-e", "-o", "beginning"]);
  expect(read.stdout).toBe(input);
}, 60_000);

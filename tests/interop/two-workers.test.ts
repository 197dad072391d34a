/**
 * Two workers on one S3 (MinIO) and one libSQL server (sqld): what one acknowledged the other
 * serves, and when one dies without a word, producers and groups go on with the other.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, RunningProgram, run, temporaryFolder } from "../support/processes.ts";
import { StreamServer } from "../support/stream-server.ts";
import { uniqueName } from "./support/broker-under-test.ts";
import { kafkaTool, kafkaToolCommand } from "./support/kafka-tools.ts";
import { type Minio, startMinio } from "./support/minio.ts";
import { kcatProgram } from "./support/programs.ts";
import { type Sqld, startSqld } from "./support/sqld.ts";
import { positionOf, type ToolEvent, toolEvents } from "./support/tool-events.ts";

let minio: Minio;
let sqld: Sqld;
let first: StreamServer;
let second: StreamServer;
const dead = new Set<StreamServer>();

beforeAll(async () => {
  [minio, sqld] = await Promise.all([startMinio(), startSqld()]);
  // Without the ceiling on writes, which would make each small test wait for its turn.
  const flags = ["--flush-rate-max", "0"];
  const place = { store: minio.storeUrl("two"), metadata: sqld.url, env: minio.env, flags };
  first = await StreamServer.start(place);
  second = await StreamServer.start(place);
});
beforeEach(async () => {
  for (const server of dead) await server.restart();
  dead.clear();
});
afterAll(async () => {
  for (const server of [first, second]) if (server && !dead.has(server)) await server.stop();
  await sqld?.stop();
  await minio?.stop();
});

const both = () => `${first.bootstrap},${second.bootstrap}`;

async function createTopic(topic: string, partitions: number): Promise<void> {
  const place = ["--bootstrap-server", both(), "--topic", topic];
  await kafkaTool("topics", [...place, "--create", "--partitions", `${partitions}`]);
}

async function produce(server: StreamServer, topic: string, lines: readonly string[]) {
  const input = lines.map((line) => `${line}\n`).join("");
  await run([await kcatProgram(), "-b", server.bootstrap, "-P", "-t", topic], { input });
}

/** Each record as `partition/offset=value`, as one worker serves them. */
async function consume(server: StreamServer, topic: string): Promise<string[]> {
  const args = ["-C", "-q", "-e", "-t", topic, "-o", "beginning", "-f", "%p/%o=%s\\n"];
  const read = await run([await kcatProgram(), "-b", server.bootstrap, ...args]);
  return read.stdout.split("\n").slice(0, -1);
}

/** 3 000 records a second; idempotent and patient, which the tool by itself is not. */
async function steadyProducer(topic: string, count: number): Promise<RunningProgram> {
  const folder = temporaryFolder("producer");
  const settings = join(folder, "producer.properties");
  writeFileSync(settings, "retries=2147483647\nenable.idempotence=true\nacks=all\n");
  const command = await kafkaToolCommand("verifiable-producer", [
    ...["--bootstrap-server", both(), "--topic", topic, "--command-config", settings],
    ...["--max-messages", `${count}`, "--throughput", "3000"],
  ]);
  return new RunningProgram(command, { logPath: join(folder, "producer.log") });
}

/** The addresses that a worker names as brokers. */
async function brokersOf(server: StreamServer): Promise<string[]> {
  const listed = await run([await kcatProgram(), "-b", server.bootstrap, "-L", "-J"]);
  const { brokers } = JSON.parse(listed.stdout) as { brokers: { name: string }[] };
  return brokers.map(({ name }) => name).sort();
}

async function kill(server: StreamServer): Promise<void> {
  dead.add(server);
  await server.kill();
}

describe("two workers on one store", () => {
  test("each serves what the other acknowledged", async () => {
    const topic = uniqueName("two-read");
    const lines = Array.from({ length: 200 }, (_, index) => `line ${index}`);
    await produce(first, topic, lines.slice(0, 100));
    await produce(second, topic, lines.slice(100));
    const expected = lines.map((line, offset) => `0/${offset}=${line}`);
    expect(await consume(first, topic)).toEqual(expected);
    expect(await consume(second, topic)).toEqual(expected);
  });

  test("each names both as brokers, and every partition has one of them as its leader", async () => {
    const topic = uniqueName("two-brokers");
    await createTopic(topic, 8);
    for (const server of [first, second]) {
      await eventually(async () => (await brokersOf(server)).length === 2 || undefined);
      expect(await brokersOf(server)).toEqual([first.bootstrap, second.bootstrap].sort());
      const args = ["-b", server.bootstrap, "-L", "-J", "-t", topic];
      const { stdout } = await run([await kcatProgram(), ...args]);
      const shown = JSON.parse(stdout) as {
        brokers: { id: number }[];
        topics: { partitions: { leader: number }[] }[];
      };
      const ids = shown.brokers.map(({ id }) => id);
      const leaders = shown.topics[0]?.partitions.map(({ leader }) => leader) ?? [];
      expect(leaders.length).toBe(8);
      expect(leaders.every((leader) => ids.includes(leader))).toBe(true);
    }
  });

  test("records posted to one over HTTP are streamed by the other", async () => {
    const topic = uniqueName("two-http");
    await createTopic(topic, 2);
    const stop = new AbortController();
    const url = `${second.httpUrl}/v1/topics/${topic}/stream?offset=earliest`;
    const stream = await fetch(url, { signal: stop.signal });
    const posted = await fetch(`${first.httpUrl}/v1/topics/${topic}/records`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: '{"n":1}\n{"n":2}\n',
    });
    expect(posted.status).toBe(200);
    const reader = present(stream.body).getReader();
    const decoder = new TextDecoder();
    let text = "";
    while (!text.includes('\\"n\\":2') && !text.includes('"n":2')) {
      const { value, done } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
    stop.abort();
    expect(text).toMatch(/n\\?":1/);
    expect(text).toMatch(/n\\?":2/);
  });

  test("a reader at the end of one hears what is written to the other", async () => {
    const topic = uniqueName("two-tail");
    await produce(first, topic, ["before"]);
    const args = ["-C", "-q", "-u", "-t", topic, "-o", "end", "-c", "3"];
    const reading = run([await kcatProgram(), "-b", second.bootstrap, ...args]);
    await Bun.sleep(1_000);
    for (const line of ["1", "2", "3"]) await produce(first, topic, [line]);
    expect((await reading).stdout).toBe("1\n2\n3\n");
  });

  test("nothing acknowledged is lost or doubled when one is killed under load", async () => {
    const topic = uniqueName("two-kill");
    const count = 20_000;
    await createTopic(topic, 4);
    const producer = await steadyProducer(topic, count);
    const acknowledged = () => toolEvents(producer.log()).filter(isSuccess);
    await producer.waitUntil(async () => acknowledged().length > 3_000);
    await kill(first);
    await eventually(async () => acknowledged().length === count || undefined, 60_000);
    await producer.stop();
    const sent = acknowledged().map(positionOf);
    const failed = toolEvents(producer.log()).filter(({ name }) => name === "producer_send_error");
    expect(failed).toEqual([]);
    const read = await consume(second, topic);
    expect(read.length).toBe(count);
    expect(read.toSorted()).toEqual(sent.toSorted());
    await first.restart();
    dead.delete(first);
    expect((await consume(first, topic)).toSorted()).toEqual(read.toSorted());
  }, 120_000);

  test("a worker that is told to stop hands its producers over without an error", async () => {
    const topic = uniqueName("two-drain");
    const count = 12_000;
    await createTopic(topic, 4);
    const producer = await steadyProducer(topic, count);
    const acknowledged = () => toolEvents(producer.log()).filter(isSuccess);
    await producer.waitUntil(async () => acknowledged().length > 2_000);
    dead.add(second);
    expect(await second.stop()).toBe(0);
    await eventually(async () => acknowledged().length === count || undefined, 60_000);
    await producer.stop();
    expect((await consume(first, topic)).toSorted()).toEqual(
      acknowledged().map(positionOf).toSorted(),
    );
  }, 120_000);

  test("a dead worker leaves the metadata", async () => {
    await eventually(async () => (await brokersOf(first)).length === 2 || undefined);
    await kill(second);
    await eventually(async () => (await brokersOf(first)).length === 1 || undefined);
    expect(await brokersOf(first)).toEqual([first.bootstrap]);
  }, 60_000);

  test("a group goes on with the other worker when its coordinator's dies", async () => {
    const topic = uniqueName("two-group");
    const group = uniqueName("two-group");
    await createTopic(topic, 4);
    const place = ["--bootstrap-server", both(), "--topic", topic, "--group-id", group];
    const options = ["--verbose", "--reset-policy", "earliest", "--session-timeout", "6000"];
    const command = await kafkaToolCommand("verifiable-consumer", [...place, ...options]);
    const folder = temporaryFolder("two-group");
    const consumers = ["a", "b"].map(
      (name) => new RunningProgram(command, { logPath: join(folder, `${name}.log`) }),
    );
    const seen = () => {
      const records = consumers.flatMap((consumer) => toolEvents(consumer.log())).filter(isRecord);
      return new Set(records.map(({ value }) => value ?? ""));
    };
    try {
      const before = Array.from({ length: 400 }, (_, index) => `before ${index}`);
      await produce(first, topic, before);
      await eventually(async () => seen().size === 400 || undefined);
      await kill(await coordinatorOf(group));
      const survivor = dead.has(first) ? second : first;
      const after = Array.from({ length: 400 }, (_, index) => `after ${index}`);
      await produce(survivor, topic, after);
      await eventually(async () => seen().size === 800 || undefined, 60_000);
      expect([...seen()].sort()).toEqual([...before, ...after].sort());
      expect(await coordinatorOf(group)).toBe(survivor);
    } finally {
      for (const consumer of consumers) await consumer.stop();
    }
  }, 120_000);

  async function coordinatorOf(group: string): Promise<StreamServer> {
    return await eventually(async () => {
      const bootstrap = [first, second].filter((server) => !dead.has(server));
      const place = ["--bootstrap-server", bootstrap.map((each) => each.bootstrap).join(",")];
      // Asked while the dead worker is still listed, the tool waits for that one to the end of its
      // time; what it asks next shows who has taken over.
      const asked = ["--describe", "--state", "--group", group, "--timeout", "4000"];
      const shown = await kafkaTool("consumer-groups", [...place, ...asked], { anyExit: true });
      return bootstrap.find((each) => shown.stdout.includes(`${each.bootstrap} `));
    }, 90_000);
  }
});

function isSuccess({ name }: ToolEvent): boolean {
  return name === "producer_send_success";
}

function isRecord({ name }: ToolEvent): boolean {
  return name === "record_data";
}

function present<T>(value: T | null): T {
  if (value === null) throw new Error("The answer has no body");
  return value;
}

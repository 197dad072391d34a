/**
 * Kafka clients that reach two workers by one address, so that each connection comes to whichever
 * worker is next: kafkajs and kcat through `/kafka`, kcat through one advertised TCP address. Their
 * groups are coordinated by either worker, also when one of them is killed.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { kafkajsSocket } from "../../src/client/kafkajs-socket.ts";
import {
  eventually,
  freePorts,
  RunningProgram,
  run,
  temporaryFolder,
} from "../support/processes.ts";
import { type RoundRobin, startRoundRobin } from "../support/round-robin.ts";
import { StreamServer } from "../support/stream-server.ts";
import { uniqueName } from "./support/broker-under-test.ts";
import { type Kafkajs, type KafkajsConsumer, loadKafkajs } from "./support/kafkajs.ts";
import { kcatProgram } from "./support/programs.ts";

const streamctl = [process.execPath, join(import.meta.dir, "../../src/cli/main.ts")];
const token = "balanced";
const text = new TextDecoder();

let metadata: ReturnType<typeof startLibsqlHttpServer>;
let workers: StreamServer[];
let balancer: RoundRobin;
let library: Kafkajs;

beforeAll(async () => {
  metadata = startLibsqlHttpServer();
  library = await loadKafkajs();
  const store = `file:${temporaryFolder("balanced")}`;
  const place = { store, metadata: metadata.url, env: { MILLRACE_TOKEN: token } };
  workers = [await StreamServer.start(place), await StreamServer.start(place)];
  balancer = await startRoundRobin(workers.map(({ httpUrl }) => Number(new URL(httpUrl).port)));
}, 60_000);

afterAll(async () => {
  await balancer?.close();
  await Promise.all((workers ?? []).map((worker) => worker.stop()));
  await metadata?.close();
}, 30_000);

const url = () => `http://127.0.0.1:${balancer.port}`;

const kafkajs = () =>
  new library.Kafka({
    brokers: ["behind.the.balancer:9092"],
    socketFactory: kafkajsSocket({ url: url(), token }),
    logLevel: 0,
    retry: { retries: 8 },
  });

const numbered = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, index) => `value ${start + index}`);

async function produce(topic: string, values: readonly string[]): Promise<void> {
  const producer = kafkajs().producer({ idempotent: true });
  await producer.connect();
  const messages = values.map((value, index) => ({ key: `${index}`, value }));
  await producer.send({ topic, acks: -1, messages });
  await producer.disconnect();
}

/** A member that notes what it reads. */
async function member(groupId: string, topic: string, seen: string[]): Promise<KafkajsConsumer> {
  const consumer = kafkajs().consumer({ groupId });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => void seen.push(text.decode(message.value)),
  });
  return consumer;
}

/** The sum of a group's offsets; undefined while there is nobody to ask. */
async function committed(groupId: string, topic: string): Promise<number | undefined> {
  const admin = kafkajs().admin();
  const asked = async () => {
    await admin.connect();
    return await admin.fetchOffsets({ groupId, topics: [topic] });
  };
  const [found] = await asked().catch(() => []);
  await admin.disconnect();
  if (found === undefined) return undefined;
  const offsets = found?.partitions.map(({ offset }) => Math.max(0, Number(offset))) ?? [];
  return offsets.reduce((sum, offset) => sum + offset, 0);
}

async function createTopic(topic: string, numPartitions: number): Promise<void> {
  const admin = kafkajs().admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions }] });
  await admin.disconnect();
}

/** Workers that this one counts as live. */
async function nodeCount(httpUrl: string): Promise<number> {
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(`${httpUrl}/v1/cluster`, { headers });
  return ((await answer.json()) as { readonly nodes: readonly object[] }).nodes.length;
}

/** Groups of which each worker coordinates some, as chance would have it. */
async function groupsOfBoth(): Promise<string[]> {
  const names: string[] = [];
  const sides = new Set<string>();
  while (sides.size < 2 || names.length < 3) {
    const name = uniqueName("group");
    const code = await groupCode(workers[0]?.httpUrl ?? "", name);
    sides.add(code);
    names.push(name);
  }
  return names;
}

describe("two workers behind one address", () => {
  test("kafkajs: groups of either worker, rebalances, offsets, one worker killed", async () => {
    const topic = uniqueName("balanced");
    await createTopic(topic, 4);
    await produce(topic, numbered(0, 100));
    const groups = await groupsOfBoth();
    const readers = await Promise.all(
      groups.map(async (groupId) => {
        const seen: string[] = [];
        return { groupId, seen, members: [await member(groupId, topic, seen)] };
      }),
    );
    const allSeen = (count: number) =>
      eventually(
        async () => readers.every(({ seen }) => new Set(seen).size === count) || undefined,
        60_000,
      );
    await allSeen(100);
    // A second member each: what comes then is read by both.
    await Promise.all(
      readers.map(async ({ groupId, seen, members }) => {
        members.push(await member(groupId, topic, seen));
      }),
    );
    await produce(topic, numbered(100, 200));
    await allSeen(200);
    expect(balancer.counts.every((count) => count > 0)).toBe(true);
    await workers[1]?.kill();
    // Some groups have no coordinator now, and kafkajs would give up a commit that is refused.
    await produce(topic, numbered(200, 300));
    await allSeen(300);
    for (const { groupId } of readers) {
      await eventually(async () => (await committed(groupId, topic)) === 300 || undefined, 60_000);
    }
    await Promise.all(readers.flatMap(({ members }) => members.map((each) => each.disconnect())));
    await workers[1]?.restart();
  }, 180_000);

  test("kcat through the shim: a group goes on where it stopped, whoever coordinates it", async () => {
    const [port = 0] = await freePorts(1);
    const env = { MILLRACE_TOKEN: token, MILLRACE_URL: url().replace("http", "ws") };
    const shim = new RunningProgram([...streamctl, "shim", "--listen", `127.0.0.1:${port}`], {
      logPath: join(temporaryFolder("shim"), "log"),
      env,
    });
    await eventually(async () => shim.log().includes("Ready") || undefined);
    await groupsGoOn(`127.0.0.1:${port}`);
    await shim.stop();
  }, 90_000);
});

test("kcat over TCP: two workers that advertise one address", async () => {
  const store = `file:${temporaryFolder("one-address")}`;
  const own = startLibsqlHttpServer();
  const ports: number[] = [];
  const balanced = await startRoundRobin(ports);
  const advertised = `127.0.0.1:${balanced.port}`;
  // So many that each worker would lead some, if it were a broker of its own.
  const flags = ["--kafka-advertised", advertised, "--default-partitions", "8"];
  const place = { store, metadata: own.url, flags };
  const started = [await StreamServer.start(place), await StreamServer.start(place)];
  ports.push(...started.map(({ bootstrap }) => Number(bootstrap.split(":")[1])));
  try {
    await groupsGoOn(advertised);
    expect(balanced.counts.every((count) => count > 0)).toBe(true);
  } finally {
    await balanced.close();
    await Promise.all(started.map((server) => server.stop()));
    await own.close();
  }
}, 90_000);

test("kcat beside a worker without Kafka, which coordinates groups all the same", async () => {
  const store = `file:${temporaryFolder("beside")}`;
  const own = startLibsqlHttpServer();
  const listens = await StreamServer.start({
    ...{ store, metadata: own.url, flags: ["--default-partitions", "8"] },
  });
  const [port = 0] = await freePorts(1);
  const quietUrl = `http://127.0.0.1:${port}`;
  const folder = temporaryFolder("quiet");
  const quiet = new RunningProgram(
    [
      ...[...streamctl, "server", "--data", join(folder, "data"), "--kafka", "off"],
      ...["--http", `127.0.0.1:${port}`, "--store", store, "--metadata", own.url],
    ],
    { logPath: join(folder, "log") },
  );
  try {
    await quiet.waitUntil(async () => (await fetch(`${quietUrl}/readyz`)).ok);
    await eventually(async () => (await nodeCount(listens.httpUrl)) === 2 || undefined);
    await groupGoesOn(listens.bootstrap, await groupOf(quietUrl));
  } finally {
    await Promise.all([listens.stop(), quiet.stop()]);
    await own.close();
  }
}, 60_000);

/** A group that the worker coordinates, as chance would have it. */
async function groupOf(httpUrl: string): Promise<string> {
  for (;;) {
    const name = uniqueName("group");
    if ((await groupCode(httpUrl, name)) === "group_unknown") return name;
  }
}

/** What the worker says of a group that is not there yet, without asking another. */
async function groupCode(httpUrl: string, group: string): Promise<string> {
  // Passed on already, as it says, it is answered by the coordinator only.
  const headers = { Authorization: `Bearer ${token}`, "Millrace-Hop": "1" };
  const asked = await fetch(`${httpUrl}/v1/groups/${group}`, { headers });
  const { code } = (await asked.json()) as { readonly code: string };
  expect(["group_unknown", "coordinator_elsewhere"]).toContain(code);
  return code;
}

/** Several groups, so that each worker coordinates some. */
async function groupsGoOn(bootstrap: string): Promise<void> {
  for (let count = 0; count < 4; count++) await groupGoesOn(bootstrap, uniqueName("kcat-group"));
}

async function groupGoesOn(bootstrap: string, group: string): Promise<void> {
  const program = await kcatProgram();
  const kcat = async (args: readonly string[], input = "") =>
    (await run([program, "-b", bootstrap, ...args], { input })).stdout;
  const topic = uniqueName("kcat");
  const lines = numbered(0, 500);
  await kcat(["-P", "-t", topic], lines.map((line) => `${line}\n`).join(""));
  const consume = ["-G", group, "-q", "-e", "-X", "auto.offset.reset=earliest", topic];
  expect((await kcat(consume)).trimEnd().split("\n").toSorted()).toEqual(lines.toSorted());
  await kcat(["-P", "-t", topic], "later\n");
  expect(await kcat(consume)).toBe("later\n");
}

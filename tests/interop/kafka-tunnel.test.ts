/**
 * Kafka clients through `/kafka`: kafkajs over its socket factory, and kcat (librdkafka) through
 * `streamctl shim`, both of which know nothing of WebSockets; against Bun, Deno and the Worker.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { kafkajsSocket } from "../../src/client/kafkajs-socket.ts";
import { denoProgram } from "../support/deno-program.ts";
import { edgeToken, startEdgeWorker } from "../support/edge-worker.ts";
import {
  eventually,
  freePorts,
  RunningProgram,
  run,
  temporaryFolder,
} from "../support/processes.ts";
import { StreamServer } from "../support/stream-server.ts";
import { uniqueName } from "./support/broker-under-test.ts";
import { type Kafkajs, loadKafkajs } from "./support/kafkajs.ts";
import { kcatProgram } from "./support/programs.ts";

interface Place {
  readonly url: string;
  readonly stop: () => Promise<unknown>;
}

const streamctl = [process.execPath, join(import.meta.dir, "../../src/cli/main.ts")];

const places: Readonly<Record<string, () => Promise<Place>>> = {
  Bun: async () => {
    const env = { MILLRACE_TOKEN: edgeToken };
    const server = await StreamServer.start({ env });
    return { url: server.httpUrl, stop: () => server.stop() };
  },
  Deno: async () => {
    const env = { MILLRACE_TOKEN: edgeToken };
    const server = await StreamServer.start({ program: denoProgram("start"), env });
    return { url: server.httpUrl, stop: () => server.stop() };
  },
  "the Worker": async () => {
    const metadata = startLibsqlHttpServer();
    const variables = { MILLRACE_TOKEN: edgeToken, MILLRACE_METADATA: metadata.url };
    const worker = await startEdgeWorker(variables);
    return { url: worker.url, stop: () => worker.stop().finally(() => metadata.close()) };
  },
};

for (const [name, start] of Object.entries(places)) {
  describe(`Kafka clients through a tunnel to ${name}`, () => {
    let place: Place;
    let library: Kafkajs;
    beforeAll(async () => {
      [place, library] = await Promise.all([start(), loadKafkajs()]);
    });
    afterAll(async () => await place?.stop());

    const kafkajs = (token = edgeToken) =>
      new library.Kafka({
        brokers: ["behind.the.tunnel:9092"],
        socketFactory: kafkajsSocket({ url: place.url, token }),
        logLevel: 0,
        retry: { retries: 2 },
      });

    test("kafkajs: an idempotent producer, two members of a group, its offsets", async () => {
      const kafka = kafkajs();
      const topic = uniqueName("kafkajs");
      const groupId = uniqueName("group");
      const [admin, producer] = [kafka.admin(), kafka.producer({ idempotent: true })];
      const members = [kafka.consumer({ groupId }), kafka.consumer({ groupId })];
      await Promise.all([admin, producer, ...members].map((each) => each.connect()));
      await admin.createTopics({ topics: [{ topic, numPartitions: 4 }] });
      // Larger than a window each way, so that it passes only if windows are granted.
      const values = Array.from({ length: 40 }, (_, index) => `${index} ${"x".repeat(100_000)}`);
      const messages = values.map((value, index) => ({ key: `${index}`, value }));
      await producer.send({ topic, acks: -1, messages: messages.slice(0, 30) });
      await producer.send({ topic, acks: -1, messages: messages.slice(30) });
      const found: string[] = [];
      const text = new TextDecoder();
      for (const member of members) {
        await member.subscribe({ topic, fromBeginning: true });
        await member.run({
          eachMessage: async ({ message }) => void found.push(text.decode(message.value)),
        });
      }
      await eventually(async () => new Set(found).size === values.length || undefined);
      expect(new Set(found)).toEqual(new Set(values));
      await Promise.all(members.map((each) => each.disconnect()));
      const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
      const committed = offsets?.partitions.map(({ offset }) => Number(offset)) ?? [];
      expect(committed.reduce((sum, offset) => sum + offset, 0)).toBe(values.length);
      await Promise.all([admin.disconnect(), producer.disconnect()]);
    }, 60_000);

    test("kafkajs is told what is wrong with a token", async () => {
      const admin = kafkajs("not the token").admin();
      await expect(admin.connect()).rejects.toThrow(/the token is not its own/);
      await admin.disconnect();
    }, 60_000);

    test("kcat through the shim: records, and a group that goes on where it stopped", async () => {
      const [port = 0] = await freePorts(1);
      const env = { MILLRACE_TOKEN: edgeToken, MILLRACE_URL: place.url.replace("http", "ws") };
      const shim = new RunningProgram([...streamctl, "shim", "--listen", `127.0.0.1:${port}`], {
        logPath: join(temporaryFolder("shim"), "log"),
        env,
      });
      await eventually(async () => shim.log().includes("Ready") || undefined);
      const program = await kcatProgram();
      const kcat = async (args: readonly string[], input = "") =>
        (await run([program, "-b", `127.0.0.1:${port}`, ...args], { input })).stdout;
      const topic = uniqueName("kcat");
      const lines = Array.from({ length: 5_000 }, (_, index) => `line ${index}`);
      await kcat(["-P", "-t", topic, "-z", "lz4"], lines.map((line) => `${line}\n`).join(""));
      const shown = JSON.parse(await kcat(["-L", "-J", "-t", topic]));
      expect(shown.brokers).toEqual([{ id: 0, name: `127.0.0.1:${port}` }]);
      const read = await kcat(["-C", "-q", "-e", "-o", "beginning", "-t", topic]);
      expect(read.trimEnd().split("\n")).toEqual(lines);
      const group = uniqueName("kcat-group");
      const reset = ["-X", "auto.offset.reset=earliest"];
      const member = () => kcat(["-G", group, "-q", "-e", ...reset, topic]);
      expect((await member()).trimEnd().split("\n")).toEqual(lines);
      await kcat(["-P", "-t", topic], "later\n");
      expect(await member()).toBe("later\n");
      await shim.stop();
    }, 60_000);
  });
}

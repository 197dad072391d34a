/** kcat, which is librdkafka: every codec, keys, headers, tombstones, offsets, times and groups. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually, type RunOptions, run } from "../support/processes.ts";
import { type BrokerUnderTest, brokerUnderTest, uniqueName } from "./support/broker-under-test.ts";
import { kafkaTool } from "./support/kafka-tools.ts";
import { kcatProgram } from "./support/programs.ts";

interface Message {
  readonly partition: number;
  readonly offset: number;
  readonly ts: number;
  readonly tstype: string;
  readonly headers?: readonly string[];
  readonly key: string | null;
  readonly payload: string | null;
}

let broker: BrokerUnderTest;
/** Four partitions, for whoever needs several. */
const wideTopic = uniqueName("kcat-wide");

beforeAll(async () => {
  broker = await brokerUnderTest();
  const create = ["--create", "--topic", wideTopic, "--partitions", "4"];
  await kafkaTool("topics", ["--bootstrap-server", broker.bootstrap, ...create]);
});
afterAll(async () => await broker?.stop());

/** librdkafka waits a second to ask again for a topic being made, half of one for a partition's end. */
const impatient = [
  ...["-X", "topic.metadata.refresh.fast.interval.ms=50"],
  ...["-X", "fetch.wait.max.ms=100"],
];

async function kcat(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const command = [await kcatProgram(), "-b", broker.bootstrap, ...impatient, ...args];
  return (await run(command, options)).stdout;
}

async function produce(topic: string, lines: readonly string[], args: readonly string[] = []) {
  const input = lines.map((line) => `${line}\n`).join("");
  await kcat(["-P", "-t", topic, ...args], { input });
}

/** All of a topic from the offset on, in the order in which it came. */
async function consume(
  topic: string,
  args: readonly string[] = ["-o", "beginning"],
): Promise<Message[]> {
  return messages(await kcat(["-C", "-q", "-e", "-J", "-t", topic, ...args]));
}

function messages(text: string): Message[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Message);
}

describe("kcat", () => {
  for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"]) {
    test(`reads back 5 000 records written with ${codec}, and each batch whole`, async () => {
      const topic = uniqueName(`kcat-${codec}`);
      const lines = Array.from({ length: 5_000 }, (_, index) => `${codec} line ${index}`);
      await produce(topic, lines, ["-z", codec]);
      const read = await consume(topic);
      expect(read.map(({ payload }) => payload)).toEqual(lines);
      expect(read.map(({ offset }) => offset)).toEqual(lines.map((_, index) => index));
      const middle = await consume(topic, ["-o", "2500", "-c", "3"]);
      expect(middle.map(({ offset }) => offset)).toEqual([2500, 2501, 2502]);
    });

    test(`moves a value of 700 KB with ${codec}`, async () => {
      const topic = uniqueName(`kcat-large-${codec}`);
      const value = Array.from({ length: 70_000 }, (_, index) => `${index % 9973}`.padStart(10))
        .join("")
        .trim();
      await produce(topic, [value], ["-z", codec]);
      expect((await consume(topic)).map(({ payload }) => payload)).toEqual([value]);
    });
  }

  for (const acks of ["0", "1", "all"]) {
    test(`acks=${acks} keeps the order of one partition`, async () => {
      const topic = uniqueName(`kcat-acks-${acks}`);
      const lines = Array.from({ length: 500 }, (_, index) => `${index}`);
      // Made first: with acks=0 a client hears nothing of a topic that is not there yet.
      await produce(topic, ["first"]);
      await produce(topic, lines, ["-X", `acks=${acks}`]);
      const read = await eventually(async () => {
        const found = await consume(topic);
        return found.length > lines.length ? found : undefined;
      });
      expect(read.map(({ payload }) => payload)).toEqual(["first", ...lines]);
    });
  }

  test("an idempotent producer's records come once and in order", async () => {
    const topic = uniqueName("kcat-idempotent");
    const lines = Array.from({ length: 3_000 }, (_, index) => `${index}`);
    await produce(topic, lines, ["-X", "enable.idempotence=true", "-X", "batch.num.messages=50"]);
    expect((await consume(topic)).map(({ payload }) => payload)).toEqual(lines);
  });

  test("keys, headers and tombstones come back as they were", async () => {
    const topic = uniqueName("kcat-parts");
    const headers = ["-H", "trace=a-1", "-H", "trace=a-2", "-H", "empty="];
    await produce(topic, ["k1:v1", "k2:", "k3:vé€𝄞"], ["-K", ":", "-Z", ...headers]);
    const read = await consume(topic);
    expect(read.map(({ key, payload }) => [key, payload])).toEqual([
      ["k1", "v1"],
      ["k2", null],
      ["k3", "vé€𝄞"],
    ]);
    expect(read[0]?.headers).toEqual(["trace", "a-1", "trace", "a-2", "empty", ""]);
  });

  test("records carry the time at which the client made them", async () => {
    const topic = uniqueName("kcat-time");
    const before = Date.now();
    await produce(topic, ["now"]);
    const [message] = await consume(topic);
    expect(message?.tstype).toBe("create");
    expect(message?.ts).toBeGreaterThanOrEqual(before);
    expect(message?.ts).toBeLessThanOrEqual(Date.now());
  });

  test("a time finds the first record that is not older, and the end when there is none", async () => {
    const topic = uniqueName("kcat-seek");
    await produce(topic, ["a", "b"]);
    await Bun.sleep(20);
    const middle = Date.now();
    await produce(topic, ["c", "d"]);
    const from = async (ms: number) =>
      (await consume(topic, ["-o", `s@${ms}`])).map(({ payload }) => payload);
    expect(await from(middle)).toEqual(["c", "d"]);
    expect(await from(0)).toEqual(["a", "b", "c", "d"]);
    const offsetAt = (ms: number) => kcat(["-Q", "-t", `${topic}:0:${ms}`]);
    expect(await offsetAt(middle)).toContain("offset 2");
    expect(await offsetAt(-1)).toContain("offset 4");
    expect(await offsetAt(-2)).toContain("offset 0");
    expect(await offsetAt(Date.now() + 3_600_000)).toContain("offset -1");
  });

  test("offsets count from the beginning, from the end and from a number", async () => {
    const topic = uniqueName("kcat-offsets");
    await produce(topic, ["0", "1", "2", "3", "4"]);
    const read = async (offset: string) =>
      (await consume(topic, ["-o", offset])).map(({ payload }) => payload);
    expect(await read("beginning")).toEqual(["0", "1", "2", "3", "4"]);
    expect(await read("3")).toEqual(["3", "4"]);
    expect(await read("-2")).toEqual(["3", "4"]);
    expect(await read("end")).toEqual([]);
    expect(await read("5")).toEqual([]);
  });

  test("an offset beyond the end starts where the reset policy says", async () => {
    const topic = uniqueName("kcat-reset");
    await produce(topic, ["0", "1"]);
    const reset = async (policy: string) =>
      (await consume(topic, ["-o", "77", "-X", `auto.offset.reset=${policy}`])).length;
    expect(await reset("earliest")).toBe(2);
    expect(await reset("latest")).toBe(0);
  });

  test("the metadata names broker, partitions and leader", async () => {
    const shown = JSON.parse(await kcat(["-L", "-J", "-t", wideTopic])) as {
      brokers: { id: number; name: string }[];
      topics: { topic: string; partitions: { partition: number; leader: number }[] }[];
    };
    expect(shown.brokers.map(({ name }) => name)).toEqual([broker.bootstrap]);
    const [topic] = shown.topics;
    expect(topic?.topic).toBe(wideTopic);
    expect(topic?.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
    const leaders = new Set(topic?.partitions.map(({ leader }) => leader));
    expect([...leaders]).toEqual(shown.brokers.map(({ id }) => id));
  });

  test("a reader at the end gets what is written afterwards", async () => {
    const topic = uniqueName("kcat-tail");
    await produce(topic, ["before"]);
    const reader = kcat(["-C", "-q", "-J", "-t", topic, "-o", "end", "-c", "2"]);
    await Bun.sleep(1_000);
    await produce(topic, ["after 1", "after 2"]);
    expect(messages(await reader).map(({ payload }) => payload)).toEqual(["after 1", "after 2"]);
  });

  test("a group reads every partition once and goes on where it stopped", async () => {
    const group = uniqueName("kcat-group");
    const read = async () => {
      const args = ["-G", group, "-q", "-e", "-J", "-X", "auto.offset.reset=earliest", wideTopic];
      return messages(await kcat(args)).map(({ payload }) => payload);
    };
    for (const partition of [0, 1, 2, 3]) {
      await produce(wideTopic, [`first ${partition}`], ["-p", `${partition}`]);
    }
    expect((await read()).sort()).toEqual(["first 0", "first 1", "first 2", "first 3"]);
    await produce(wideTopic, ["second 2"], ["-p", "2"]);
    expect(await read()).toEqual(["second 2"]);
    expect(await read()).toEqual([]);
  });

  test("keys choose librdkafka's own partition and keep their order", async () => {
    const topic = uniqueName("kcat-keys");
    const create = ["--create", "--topic", topic, "--partitions", "4"];
    await kafkaTool("topics", ["--bootstrap-server", broker.bootstrap, ...create]);
    const lines = Array.from({ length: 400 }, (_, index) => `key-${index % 20}:${index}`);
    await produce(topic, lines, ["-K", ":", "-X", "partitioner=murmur2_random"]);
    const read = await consume(topic);
    expect(read.length).toBe(400);
    const byKey = Map.groupBy(read, ({ key }) => key);
    for (const found of byKey.values()) {
      expect(new Set(found.map(({ partition }) => partition)).size).toBe(1);
      const values = found.map(({ payload }) => Number(payload));
      expect(values).toEqual(values.toSorted((a, b) => a - b));
    }
  });

  test("a record over the limit is refused with its own error", async () => {
    const topic = uniqueName("kcat-too-large");
    await produce(topic, ["small"]);
    const command = [
      ...[await kcatProgram(), "-b", broker.bootstrap, "-P", "-t", topic],
      ...["-X", "message.max.bytes=20000000"],
    ];
    const input = `${"x".repeat(3_000_000)}\n`;
    const refused = await run(command, { input, anyExit: true });
    expect(refused.stderr).toContain("Message size too large");
    expect((await consume(topic)).length).toBe(1);
  });
});

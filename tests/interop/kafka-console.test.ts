/** Kafka 4.2's own console producer and consumer. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { run } from "../support/processes.ts";
import { type BrokerUnderTest, brokerUnderTest, uniqueName } from "./support/broker-under-test.ts";
import { kafkaTool } from "./support/kafka-tools.ts";
import { kcatProgram } from "./support/programs.ts";

let broker: BrokerUnderTest;
beforeAll(async () => {
  broker = await brokerUnderTest();
});
afterAll(async () => await broker?.stop());

async function produce(topic: string, lines: readonly string[], args: readonly string[] = []) {
  const input = lines.map((line) => `${line}\n`).join("");
  const place = ["--bootstrap-server", broker.bootstrap, "--topic", topic];
  return await kafkaTool("console-producer", [...place, ...args], { input });
}

/** Lines of that many records. */
async function consume(topic: string, count: number, args: readonly string[]): Promise<string[]> {
  const place = ["--bootstrap-server", broker.bootstrap, "--topic", topic];
  const stop = ["--max-messages", `${count}`, "--timeout-ms", "20000"];
  const read = await kafkaTool("console-consumer", [...place, ...stop, ...args]);
  return read.stdout.split("\n").slice(0, -1);
}

function numbered(count: number, text: string): string[] {
  return Array.from({ length: count }, (_, index) => `${text} ${index}`);
}

describe("Kafka's console tools", () => {
  test("every codec and every acks goes in, and out again in order", async () => {
    const topic = uniqueName("console-codecs");
    const expected: string[] = [];
    for (const [codec, acks] of [
      ["none", "all"],
      ["gzip", "1"],
      ["snappy", "all"],
      ["lz4", "1"],
      ["zstd", "0"],
    ] as const) {
      const lines = numbered(1_000, `${codec} and acks=${acks}`);
      const settings = ["--compression-codec", codec, "--request-required-acks", acks];
      await produce(topic, lines, settings);
      expected.push(...lines);
    }
    expect(await consume(topic, 5_000, ["--from-beginning"])).toEqual(expected);
  }, 120_000);

  test("keys, headers, nulls and times are shown as they were given", async () => {
    const topic = uniqueName("console-parts");
    const reading = [
      ...["parse.key=true", "key.separator=:", "parse.headers=true", "null.marker=NULL"],
    ].flatMap((property) => ["--reader-property", property]);
    await produce(topic, ["a:1,b:2\tk1:v1", "a:é\tk2:NULL", "c:3\tNULL:v3"], reading);
    const printing = ["print.key", "print.headers", "print.offset", "print.partition"].flatMap(
      (property) => ["--formatter-property", `${property}=true`],
    );
    expect(await consume(topic, 3, ["--from-beginning", ...printing])).toEqual([
      "Partition:0\tOffset:0\ta:1,b:2\tk1\tv1",
      "Partition:0\tOffset:1\ta:é\tk2\tnull",
      "Partition:0\tOffset:2\tc:3\tnull\tv3",
    ]);
    const stamped = ["--formatter-property", "print.timestamp=true"];
    const [line = ""] = await consume(topic, 1, ["--from-beginning", ...stamped]);
    const [, time] = /^CreateTime:(\d+)\tv1$/.exec(line) ?? [];
    expect(Math.abs(Number(time) - Date.now())).toBeLessThan(120_000);
  }, 120_000);

  test("one partition is read from an offset", async () => {
    const topic = uniqueName("console-offset");
    await produce(topic, numbered(10, "line"));
    const place = ["--partition", "0", "--offset", "7"];
    expect(await consume(topic, 3, place)).toEqual(["line 7", "line 8", "line 9"]);
  });

  test("a group goes on after what it has read, also in another member", async () => {
    const topic = uniqueName("console-group");
    const group = ["--group", uniqueName("console-group"), "--from-beginning"];
    await produce(topic, numbered(6, "line"));
    expect(await consume(topic, 4, group)).toEqual(numbered(4, "line"));
    expect(await consume(topic, 2, group)).toEqual(["line 4", "line 5"]);
  }, 120_000);

  test("a topic that nobody made is made by the first record", async () => {
    const topic = uniqueName("console-auto");
    await produce(topic, ["first"]);
    expect(await consume(topic, 1, ["--from-beginning"])).toEqual(["first"]);
  });

  test("what Java writes librdkafka reads, and the other way round", async () => {
    const topic = uniqueName("console-mixed");
    const kcat = [await kcatProgram(), "-b", broker.bootstrap, "-t", topic];
    const codecs = ["gzip", "snappy", "lz4", "zstd"];
    for (const codec of codecs) {
      await produce(topic, numbered(50, `java ${codec}`), ["--compression-codec", codec]);
      const input = numbered(50, `kcat ${codec}`).join("\n");
      await run([...kcat, "-P", "-z", codec], { input });
    }
    const expected = codecs.flatMap((codec) => [
      ...numbered(50, `java ${codec}`),
      ...numbered(50, `kcat ${codec}`),
    ]);
    const read = await run([...kcat, "-C", "-q", "-e", "-o", "beginning"]);
    expect(read.stdout.split("\n").slice(0, -1)).toEqual(expected);
    expect(await consume(topic, expected.length, ["--from-beginning"])).toEqual(expected);
  }, 120_000);
});

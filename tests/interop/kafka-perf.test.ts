/** Kafka 4.2's own load tools: nothing that was acknowledged may be missing, doubled or astray. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type BrokerUnderTest, brokerUnderTest, uniqueName } from "./support/broker-under-test.ts";
import { type KafkaTool, kafkaTool } from "./support/kafka-tools.ts";
import { positionOf, type ToolEvent, toolEvents } from "./support/tool-events.ts";

let broker: BrokerUnderTest;
beforeAll(async () => {
  broker = await brokerUnderTest();
});
afterAll(async () => await broker?.stop());

async function createTopic(topic: string, partitions: number): Promise<void> {
  const place = ["--bootstrap-server", broker.bootstrap, "--topic", topic];
  await kafkaTool("topics", [...place, "--create", "--partitions", `${partitions}`]);
}

async function endOffsets(topic: string): Promise<number[]> {
  const place = ["--bootstrap-server", broker.bootstrap, "--topic", topic];
  const shown = await kafkaTool("get-offsets", place);
  const lines = shown.stdout.trim().split("\n");
  return lines.map((line) => Number(line.split(":")[2]));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

describe("Kafka's load tools", () => {
  for (const { name, bytes, count, settings } of [
    {
      name: "1 KiB in large batches",
      bytes: 1024,
      count: 100_000,
      settings: ["batch.size=262144"],
    },
    { name: "100 B with the client's defaults", bytes: 100, count: 200_000, settings: [] },
    { name: "1 KiB in lz4", bytes: 1024, count: 50_000, settings: ["compression.type=lz4"] },
    {
      name: "1 KiB without idempotence, five in flight",
      bytes: 1024,
      count: 50_000,
      settings: ["enable.idempotence=false", "acks=1"],
    },
  ]) {
    test(`producer-perf, ${name}: all of it is there for consumer-perf`, async () => {
      const topic = uniqueName("perf");
      await createTopic(topic, 8);
      const client = [`bootstrap.servers=${broker.bootstrap}`, ...settings];
      const properties = ["--command-property", ...client];
      const load = ["--topic", topic, "--num-records", `${count}`, "--record-size", `${bytes}`];
      const pace = ["--throughput", "-1"];
      const produced = await kafkaTool("producer-perf", [...load, ...pace, ...properties]);
      expect(produced.stdout).toContain(`${count} records sent, `);
      expect(sum(await endOffsets(topic))).toBe(count);
      const place = ["--bootstrap-server", broker.bootstrap, "--topic", topic];
      const read = ["--num-records", `${count}`, "--timeout", "30000", "--hide-header"];
      const consumed = await kafkaTool("consumer-perf", [...place, ...read]);
      const fields = consumed.stdout.trim().split("\n").at(-1)?.split(", ") ?? [];
      expect(Number(fields[4])).toBe(count);
    }, 120_000);
  }

  test("the verifiable producer's acknowledged records are what the verifiable consumer sees", async () => {
    const topic = uniqueName("verifiable");
    const count = 20_000;
    await createTopic(topic, 4);
    const place = ["--bootstrap-server", broker.bootstrap, "--topic", topic];
    const amount = ["--max-messages", `${count}`];
    const sent = await eventsOf("verifiable-producer", [...place, ...amount]);
    const acknowledged = sent.filter(({ name }) => name === "producer_send_success");
    expect(acknowledged.length).toBe(count);
    const summary = sent.find(({ name }) => name === "tool_data");
    expect(summary).toMatchObject({ sent: count, acked: count });
    const group = ["--group-id", uniqueName("verifiable"), "--reset-policy", "earliest"];
    const reading = ["--verbose", ...amount, ...group];
    const seen = await eventsOf("verifiable-consumer", [...place, ...reading]);
    const found = seen.filter(({ name }) => name === "record_data").map(positionOf);
    expect(found.length).toBe(count);
    expect(new Set(found).size).toBe(count);
    expect(found.toSorted()).toEqual(acknowledged.map(positionOf).toSorted());
    expect(seen.some(({ name }) => name === "offsets_committed")).toBe(true);
  }, 120_000);
});

async function eventsOf(tool: KafkaTool, args: readonly string[]): Promise<ToolEvent[]> {
  return toolEvents((await kafkaTool(tool, args)).stdout);
}

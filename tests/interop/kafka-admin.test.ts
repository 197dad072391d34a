/** Kafka 4.2's own administration tools: topics, configs, groups, offsets, records. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  eventually,
  RunningProgram,
  type RunOptions,
  run,
  temporaryFolder,
} from "../support/processes.ts";
import { type BrokerUnderTest, brokerUnderTest, uniqueName } from "./support/broker-under-test.ts";
import { type KafkaTool, kafkaTool, kafkaToolCommand } from "./support/kafka-tools.ts";
import { kcatProgram } from "./support/programs.ts";

let broker: BrokerUnderTest;
beforeAll(async () => {
  broker = await brokerUnderTest();
});
afterAll(async () => await broker?.stop());

async function tool(name: KafkaTool, args: readonly string[], options: RunOptions = {}) {
  const all = ["--bootstrap-server", broker.bootstrap, ...args];
  return await kafkaTool(name, all, options);
}

async function createTopic(topic: string, partitions: number, config: readonly string[] = []) {
  const settings = config.flatMap((setting) => ["--config", setting]);
  const shape = ["--partitions", `${partitions}`, "--replication-factor", "1"];
  return await tool("topics", ["--create", "--topic", topic, ...shape, ...settings]);
}

/** `count` records into each of the partitions, by kcat, which starts faster than Java. */
async function fill(topic: string, options: { partitions: number; count: number }): Promise<void> {
  const program = await kcatProgram();
  const input = Array.from({ length: options.count }, (_, index) => `${index}\n`).join("");
  for (let partition = 0; partition < options.partitions; partition += 1) {
    const place = ["-b", broker.bootstrap, "-t", topic, "-p", `${partition}`];
    await run([program, ...place, "-P"], { input });
  }
}

/** `partition → offset` as kafka-get-offsets prints it. */
async function offsets(topic: string, time: string): Promise<Record<string, number>> {
  const shown = await tool("get-offsets", ["--topic", topic, "--time", time]);
  const lines = shown.stdout.trim().split("\n");
  return Object.fromEntries(
    lines.map((line) => {
      const [, partition = "", offset = ""] = line.split(":");
      return [partition, Number(offset)];
    }),
  );
}

describe("kafka-topics", () => {
  test("creates, lists, describes, widens and deletes a topic", async () => {
    const topic = uniqueName("admin-topic");
    const made = await createTopic(topic, 3, ["retention.ms=3600000", "max.message.bytes=2000000"]);
    expect(made.stdout).toContain(`Created topic ${topic}.`);
    expect((await tool("topics", ["--list"])).stdout.split("\n")).toContain(topic);
    const shown = (await tool("topics", ["--describe", "--topic", topic])).stdout;
    expect(shown).toMatch(/TopicId: [\w-]{22}\s+PartitionCount: 3\s+ReplicationFactor: 1\s/);
    expect(shown).toContain("retention.ms=3600000");
    expect(shown).toContain("max.message.bytes=2000000");
    expect(shown.match(/Partition: \d+\s+Leader: \d+\s+Replicas: \d+\s+Isr: \d+/g)?.length).toBe(3);
    await tool("topics", ["--alter", "--topic", topic, "--partitions", "5"]);
    const wider = (await tool("topics", ["--describe", "--topic", topic])).stdout;
    expect(wider).toContain("PartitionCount: 5");
    await tool("topics", ["--delete", "--topic", topic]);
    const names = await eventually(async () => {
      const listed = (await tool("topics", ["--list"])).stdout.split("\n");
      return listed.includes(topic) ? undefined : listed;
    });
    expect(names).not.toContain(topic);
  }, 120_000);

  test("says why it refuses", async () => {
    const topic = uniqueName("admin.refused");
    await createTopic(topic, 2);
    const refused = async (args: readonly string[]) => {
      const answer = await tool("topics", args, { anyExit: true });
      expect(answer.code).not.toBe(0);
      return answer.stdout + answer.stderr;
    };
    expect(await refused(["--create", "--topic", topic])).toContain("TopicExistsException");
    expect(await refused(["--alter", "--topic", topic, "--partitions", "1"])).toContain(
      "InvalidPartitionsException",
    );
    expect(await refused(["--create", "--topic", "not/a/name"])).toContain("InvalidTopicException");
    expect(await refused(["--create", "--topic", topic.replace(".", "_")])).toContain(
      "InvalidTopicException",
    );
    const unknown = ["--config", "no.such.config=1"];
    expect(await refused(["--create", "--topic", uniqueName("admin"), ...unknown])).toMatch(
      /InvalidConfigurationException|Unknown topic config/,
    );
  }, 120_000);
});

describe("kafka-configs", () => {
  test("sets, shows and removes a topic's settings", async () => {
    const topic = uniqueName("admin-configs");
    await createTopic(topic, 1);
    const entity = ["--entity-type", "topics", "--entity-name", topic];
    const settings = "retention.ms=7200000,cleanup.policy=delete";
    await tool("configs", ["--alter", ...entity, "--add-config", settings]);
    const shown = (await tool("configs", ["--describe", ...entity])).stdout;
    expect(shown).toContain("retention.ms=7200000 sensitive=false");
    expect(shown).toContain("DYNAMIC_TOPIC_CONFIG:retention.ms=7200000");
    await tool("configs", ["--alter", ...entity, "--delete-config", "retention.ms"]);
    const left = (await tool("configs", ["--describe", ...entity])).stdout;
    expect(left).not.toContain("retention.ms=7200000");
    const all = (await tool("configs", ["--describe", "--all", ...entity])).stdout;
    expect(all).toContain("  retention.ms=604800000 sensitive=false");
    expect(all).toContain("compression.type=producer");
    const wrong = ["--alter", ...entity, "--add-config", "retention.ms=soon"];
    const refused = await tool("configs", wrong, { anyExit: true });
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).toContain("InvalidConfigurationException");
  }, 120_000);
});

describe("kafka-get-offsets and kafka-delete-records", () => {
  test("the log start moves up to where records were deleted", async () => {
    const topic = uniqueName("admin-delete");
    await createTopic(topic, 3);
    await fill(topic, { partitions: 2, count: 10 });
    expect(await offsets(topic, "latest")).toEqual({ "0": 10, "1": 10, "2": 0 });
    expect(await offsets(topic, "earliest")).toEqual({ "0": 0, "1": 0, "2": 0 });
    const plan = join(temporaryFolder("delete-records"), "plan.json");
    const partitions = [
      { topic, partition: 0, offset: 4 },
      { topic, partition: 1, offset: -1 },
    ];
    writeFileSync(plan, JSON.stringify({ version: 1, partitions }));
    const done = await tool("delete-records", ["--offset-json-file", plan]);
    expect(done.stdout).toContain("low_watermark: 4");
    expect(done.stdout).toContain("low_watermark: 10");
    expect(await offsets(topic, "earliest")).toEqual({ "0": 4, "1": 10, "2": 0 });
    expect(await offsets(topic, "latest")).toEqual({ "0": 10, "1": 10, "2": 0 });
    const read = ["-b", broker.bootstrap, "-t", topic, "-C", "-q", "-e", "-o", "beginning"];
    const left = await run([await kcatProgram(), ...read, "-f", "%p/%o "]);
    expect(left.stdout.trim()).toBe("0/4 0/5 0/6 0/7 0/8 0/9");
  }, 120_000);

  test("the largest timestamp is found", async () => {
    const topic = uniqueName("admin-max-time");
    await createTopic(topic, 1);
    await fill(topic, { partitions: 1, count: 3 });
    await Bun.sleep(5);
    await fill(topic, { partitions: 1, count: 1 });
    expect(await offsets(topic, "max-timestamp")).toEqual({ "0": 3 });
    expect(await offsets(topic, "0")).toEqual({ "0": 0 });
  });
});

describe("kafka-consumer-groups", () => {
  test("lists, describes, resets and deletes a group that is empty", async () => {
    const topic = uniqueName("admin-groups");
    const group = uniqueName("admin-group");
    await createTopic(topic, 2);
    await fill(topic, { partitions: 2, count: 10 });
    const read = ["-G", group, "-q", "-e", "-X", "auto.offset.reset=earliest", topic];
    await run([await kcatProgram(), "-b", broker.bootstrap, ...read]);
    expect((await tool("consumer-groups", ["--list"])).stdout.split("\n")).toContain(group);
    const named = ["--group", group];
    const rows = async () => groupRows((await describeGroup(named)).stdout, topic);
    expect(await rows()).toEqual({ "0": [10, 10, 0], "1": [10, 10, 0] });
    const state = await tool("consumer-groups", ["--describe", "--state", ...named]);
    expect(state.stdout).toMatch(/\sEmpty\s+0\s*$/m);
    const reset = ["--reset-offsets", ...named, "--topic", topic, "--execute"];
    await tool("consumer-groups", [...reset, "--to-offset", "3"]);
    expect(await rows()).toEqual({ "0": [3, 10, 7], "1": [3, 10, 7] });
    await tool("consumer-groups", [...reset, "--shift-by", "2"]);
    expect(await rows()).toEqual({ "0": [5, 10, 5], "1": [5, 10, 5] });
    await tool("consumer-groups", ["--delete-offsets", ...named, "--topic", `${topic}:1`]);
    expect(await rows()).toEqual({ "0": [5, 10, 5] });
    const deleted = await tool("consumer-groups", ["--delete", ...named]);
    expect(deleted.stdout).toContain("was successful");
    expect((await tool("consumer-groups", ["--list"])).stdout.split("\n")).not.toContain(group);
  }, 120_000);

  test("shows members of a group at work and refuses to reset or delete it", async () => {
    const topic = uniqueName("admin-members");
    const group = uniqueName("admin-members");
    await createTopic(topic, 2);
    await fill(topic, { partitions: 2, count: 5 });
    const args = ["--bootstrap-server", broker.bootstrap, "--topic", topic, "--group", group];
    const reader = await kafkaToolCommand("console-consumer", [...args, "--from-beginning"]);
    const logPath = join(temporaryFolder("members"), "consumer.log");
    const consumer = new RunningProgram(reader, { logPath });
    try {
      await consumer.waitUntil(async () => consumer.log().split("\n").length > 10);
      const named = ["--group", group];
      const state = await tool("consumer-groups", ["--describe", "--state", ...named]);
      expect(state.stdout).toMatch(/\srange\s+Stable\s+1\s*$/m);
      const members = await tool("consumer-groups", ["--describe", "--members", ...named]);
      expect(members.stdout).toMatch(
        /console-consumer-[\w-]+\s+\/127\.0\.0\.1\s+console-consumer\s/,
      );
      const deletion = await tool("consumer-groups", ["--delete", ...named], { anyExit: true });
      expect(deletion.stdout + deletion.stderr).toContain("GroupNotEmptyException");
      const reset = ["--reset-offsets", ...named, "--topic", topic, "--to-earliest", "--execute"];
      const refusal = await tool("consumer-groups", reset, { anyExit: true });
      expect(refusal.stdout + refusal.stderr).toContain("current state is Stable");
    } finally {
      await consumer.stop();
    }
    const left = await tool("consumer-groups", ["--describe", "--state", "--group", group]);
    expect(left.stdout).toMatch(/\sEmpty\s+0\s*$/m);
  }, 120_000);

  async function describeGroup(named: readonly string[]) {
    return await tool("consumer-groups", ["--describe", ...named]);
  }
});

describe("kafka-broker-api-versions", () => {
  test("every API of the log and of classic groups is announced", async () => {
    const shown = (await tool("broker-api-versions", [])).stdout;
    expect(shown).toContain(`${broker.bootstrap} (id:`);
    const usable = [...shown.matchAll(/(\w+)\(\d+\): \d+(?: to (\d+))? \[usable: (\d+)\]/g)];
    const newest = Object.fromEntries(usable.map(([, name = "", , best]) => [name, Number(best)]));
    expect(newest).toMatchObject({
      ApiVersions: 4,
      CreatePartitions: 3,
      CreateTopics: 7,
      DeleteGroups: 2,
      DeleteRecords: 2,
      DeleteTopics: 6,
      DescribeCluster: 2,
      DescribeConfigs: 4,
      DescribeGroups: 6,
      DescribeTopicPartitions: 0,
      Fetch: 18,
      FindCoordinator: 6,
      Heartbeat: 4,
      IncrementalAlterConfigs: 1,
      InitProducerId: 5,
      JoinGroup: 9,
      LeaveGroup: 5,
      ListGroups: 5,
      ListOffsets: 11,
      Metadata: 13,
      OffsetCommit: 10,
      OffsetDelete: 0,
      OffsetFetch: 10,
      OffsetForLeaderEpoch: 4,
      Produce: 13,
      SaslAuthenticate: 2,
      SaslHandshake: 1,
      SyncGroup: 5,
    });
  });
});

/** Committed offset, end and lag by partition, of what `--describe` printed. */
function groupRows(text: string, topic: string): Record<string, number[]> {
  const rows = text.split("\n").map((line) => line.trim().split(/\s+/));
  return Object.fromEntries(
    rows
      .filter((words) => words[1] === topic)
      .map(([, , partition = "", ...numbers]) => [partition, numbers.slice(0, 3).map(Number)]),
  );
}

import { expect, test } from "bun:test";
import {
  topicConfigList,
  topicConfigNumber,
  topicConfigs,
  topicConfigValue,
  validateTopicConfig,
} from "../../../src/meta/topic-config.ts";

const int64Max = "9223372036854775807";

/** What `LogConfig` of Kafka 4.2.0 prints as type and default of each topic config. */
const kafka: readonly (readonly [name: string, type: string, defaultValue: string])[] = [
  ["cleanup.policy", "list", "delete"],
  ["compression.gzip.level", "int", "-1"],
  ["compression.lz4.level", "int", "9"],
  ["compression.type", "string", "producer"],
  ["compression.zstd.level", "int", "3"],
  ["delete.retention.ms", "long", "86400000"],
  ["file.delete.delay.ms", "long", "60000"],
  ["flush.messages", "long", int64Max],
  ["flush.ms", "long", int64Max],
  ["follower.replication.throttled.replicas", "list", ""],
  ["index.interval.bytes", "int", "4096"],
  ["leader.replication.throttled.replicas", "list", ""],
  ["local.retention.bytes", "long", "-2"],
  ["local.retention.ms", "long", "-2"],
  ["max.compaction.lag.ms", "long", int64Max],
  ["max.message.bytes", "int", "1048588"],
  ["message.timestamp.after.max.ms", "long", "3600000"],
  ["message.timestamp.before.max.ms", "long", int64Max],
  ["message.timestamp.type", "string", "CreateTime"],
  ["min.cleanable.dirty.ratio", "double", "0.5"],
  ["min.compaction.lag.ms", "long", "0"],
  ["min.insync.replicas", "int", "1"],
  ["preallocate", "boolean", "false"],
  ["remote.log.copy.disable", "boolean", "false"],
  ["remote.log.delete.on.disable", "boolean", "false"],
  ["remote.storage.enable", "boolean", "false"],
  ["retention.bytes", "long", "-1"],
  ["retention.ms", "long", "604800000"],
  ["segment.bytes", "int", "1073741824"],
  ["segment.index.bytes", "int", "10485760"],
  ["segment.jitter.ms", "long", "0"],
  ["segment.ms", "long", "604800000"],
  ["unclean.leader.election.enable", "boolean", "false"],
];

function faultOf(name: string, value: string): string | undefined {
  try {
    validateTopicConfig({ [name]: value });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

test("the table has every topic config of Kafka 4.2 with its type and default", () => {
  const ours = [...topicConfigs.values()].filter((spec) => !spec.name.startsWith("millrace."));
  expect(ours.map(({ name, type, defaultValue }) => [name, type, defaultValue])).toEqual(
    kafka.map((line) => [...line]),
  );
});

test("every default that is set is valid itself", () => {
  for (const { name, defaultValue } of topicConfigs.values()) {
    if (defaultValue !== null) expect(faultOf(name, defaultValue)).toBeUndefined();
  }
});

test("validateTopicConfig names the config, the value and what is allowed", () => {
  expect(faultOf("retention.ms", "-2")).toBe(
    'Cannot set topic config retention.ms to "-2": the least is -1',
  );
  expect(faultOf("cleanup.policy", "delete,squash")).toContain("expected compact, delete");
  expect(faultOf("no.such", "1")).toContain("unknown");
});

test("validateTopicConfig takes the bounds and refuses one past them", () => {
  expect(faultOf("retention.ms", int64Max)).toBeUndefined();
  expect(faultOf("retention.ms", "9223372036854775808")).toContain("greatest");
  expect(faultOf("max.message.bytes", "2147483647")).toBeUndefined();
  expect(faultOf("max.message.bytes", "2147483648")).toContain("greatest");
  expect(faultOf("segment.bytes", "1048575")).toContain("least is 1048576");
  expect(faultOf("min.cleanable.dirty.ratio", "1.01")).toContain("greatest is 1");
});

test("validateTopicConfig refuses what is of another type", () => {
  for (const value of ["", "1.5", "ten", "1e3", "0x10"]) {
    expect(faultOf("retention.ms", value)).toContain("expected an integer");
  }
  expect(faultOf("preallocate", "yes")).toContain("true or false");
  expect(faultOf("min.cleanable.dirty.ratio", "half")).toContain("a number");
});

test("validateTopicConfig takes a removal of any known config", () => {
  expect(() => validateTopicConfig({ "retention.ms": null })).not.toThrow();
  expect(() => validateTopicConfig({ "no.such": null })).toThrow("unknown");
});

test("values fall back to defaults, and longs past 2^53 to the greatest safe integer", () => {
  expect(topicConfigValue({ "retention.ms": "5" }, "retention.ms")).toBe("5");
  expect(topicConfigNumber({}, "retention.ms")).toBe(604_800_000);
  expect(topicConfigNumber({}, "flush.ms")).toBe(Number.MAX_SAFE_INTEGER);
  expect(topicConfigNumber({}, "millrace.flush.age.ms")).toBeNull();
  expect(topicConfigList(" compact , delete,")).toEqual(["compact", "delete"]);
});

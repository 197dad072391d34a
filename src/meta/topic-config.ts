/**
 * The topic configs: Kafka 4.2's, with its types, defaults and bounds, and our own. DescribeConfigs
 * answers from this table and every change is checked against it. Where a config has no meaning
 * here (`isEffective` false) it is kept and described, so that tools which set it go on working.
 */
import { StreamError } from "../base/stream-error.ts";

export type TopicConfigType = "boolean" | "string" | "int" | "long" | "double" | "list";

export interface TopicConfigSpec {
  readonly name: string;
  readonly type: TopicConfigType;
  /** Null: the worker's own setting applies. */
  readonly defaultValue: string | null;
  /** Inclusive, for numbers; long bounds do not fit a number. */
  readonly min?: bigint | number;
  readonly max?: bigint | number;
  /** The values, or the items of a list. */
  readonly allowed?: readonly string[];
  readonly isEffective: boolean;
  readonly doc: string;
}

const int32Max = 2_147_483_647;
const int64Max = 9_223_372_036_854_775_807n;

/** Without effect here: kept for tools that set it. */
const noEffect = { isEffective: false } as const;
const effective = { isEffective: true } as const;

const long = (min: bigint | number) => ({ type: "long", min, max: int64Max }) as const;
const int = (min: number) => ({ type: "int", min, max: int32Max }) as const;

const specs: readonly TopicConfigSpec[] = [
  {
    name: "cleanup.policy",
    type: "list",
    defaultValue: "delete",
    allowed: ["compact", "delete"],
    ...effective,
    doc: "What happens to old records: deleted by age and size, or compacted to the last per key.",
  },
  {
    name: "compression.gzip.level",
    type: "int",
    defaultValue: "-1",
    min: -1,
    max: 9,
    ...noEffect,
    doc: "Gzip level for batches that a broker compresses; batches here stay as they came.",
  },
  {
    name: "compression.lz4.level",
    type: "int",
    defaultValue: "9",
    min: 1,
    max: 17,
    ...noEffect,
    doc: "LZ4 level for batches that a broker compresses; batches here stay as they came.",
  },
  {
    name: "compression.type",
    type: "string",
    defaultValue: "producer",
    allowed: ["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"],
    ...noEffect,
    doc: "Codec of stored batches; batches here keep the producer's codec.",
  },
  {
    name: "compression.zstd.level",
    type: "int",
    defaultValue: "3",
    min: -131_072,
    max: 22,
    ...noEffect,
    doc: "Zstandard level for batches that a broker compresses; batches here stay as they came.",
  },
  {
    name: "delete.retention.ms",
    ...long(0),
    defaultValue: "86400000",
    ...noEffect,
    doc: "How long tombstones of a compacted topic are kept.",
  },
  {
    name: "file.delete.delay.ms",
    ...long(0),
    defaultValue: "60000",
    ...noEffect,
    doc: "How long a released file stays on disk; here the collector's grace applies.",
  },
  {
    name: "flush.messages",
    ...long(1),
    defaultValue: "9223372036854775807",
    ...noEffect,
    doc: "Records between fsyncs; here every acknowledged record is stored, see --fsync.",
  },
  {
    name: "flush.ms",
    ...long(0),
    defaultValue: "9223372036854775807",
    ...noEffect,
    doc: "Time between fsyncs; here every acknowledged record is stored, see --fsync.",
  },
  {
    name: "follower.replication.throttled.replicas",
    type: "list",
    defaultValue: "",
    ...noEffect,
    doc: "Replicas whose replication is throttled; there is no replication between workers.",
  },
  {
    name: "index.interval.bytes",
    ...int(0),
    defaultValue: "4096",
    ...noEffect,
    doc: "Bytes between entries of a log file's index.",
  },
  {
    name: "leader.replication.throttled.replicas",
    type: "list",
    defaultValue: "",
    ...noEffect,
    doc: "Replicas whose replication is throttled; there is no replication between workers.",
  },
  {
    name: "local.retention.bytes",
    ...long(-2),
    defaultValue: "-2",
    ...noEffect,
    doc: "Bytes kept on a broker's disk with tiered storage; storage here has one tier.",
  },
  {
    name: "local.retention.ms",
    ...long(-2),
    defaultValue: "-2",
    ...noEffect,
    doc: "Time kept on a broker's disk with tiered storage; storage here has one tier.",
  },
  {
    name: "max.compaction.lag.ms",
    ...long(1),
    defaultValue: "9223372036854775807",
    ...noEffect,
    doc: "Longest time that a record of a compacted topic stays uncompacted.",
  },
  {
    name: "max.message.bytes",
    ...int(0),
    defaultValue: "1048588",
    ...effective,
    doc: "Largest record batch that is accepted, bytes, after compression.",
  },
  {
    name: "message.timestamp.after.max.ms",
    ...long(0),
    defaultValue: "3600000",
    ...effective,
    doc: "How far a record's timestamp may lie after the worker's clock.",
  },
  {
    name: "message.timestamp.before.max.ms",
    ...long(0),
    defaultValue: "9223372036854775807",
    ...effective,
    doc: "How far a record's timestamp may lie before the worker's clock.",
  },
  {
    name: "message.timestamp.type",
    type: "string",
    defaultValue: "CreateTime",
    allowed: ["CreateTime", "LogAppendTime"],
    ...effective,
    doc: "Whether records carry the producer's timestamps or the time of their append.",
  },
  {
    name: "millrace.flush.age.ms",
    ...long(0),
    defaultValue: null,
    ...effective,
    doc: "Longest wait of a record for its segment to fill; unset: the worker's --flush-age-ms.",
  },
  {
    name: "min.cleanable.dirty.ratio",
    type: "double",
    defaultValue: "0.5",
    min: 0,
    max: 1,
    ...noEffect,
    doc: "Share of uncompacted bytes at which a compacted topic is compacted.",
  },
  {
    name: "min.compaction.lag.ms",
    ...long(0),
    defaultValue: "0",
    ...noEffect,
    doc: "Shortest time that a record of a compacted topic stays uncompacted.",
  },
  {
    name: "min.insync.replicas",
    ...int(1),
    defaultValue: "1",
    ...noEffect,
    doc: "Replicas that must have a record; here it is acknowledged once it is in the store.",
  },
  {
    name: "preallocate",
    type: "boolean",
    defaultValue: "false",
    ...noEffect,
    doc: "Whether log files are allocated whole.",
  },
  {
    name: "remote.log.copy.disable",
    type: "boolean",
    defaultValue: "false",
    ...noEffect,
    doc: "Stops copying to tiered storage; storage here has one tier.",
  },
  {
    name: "remote.log.delete.on.disable",
    type: "boolean",
    defaultValue: "false",
    ...noEffect,
    doc: "Deletes the remote part when tiering is disabled; storage here has one tier.",
  },
  {
    name: "remote.storage.enable",
    type: "boolean",
    defaultValue: "false",
    ...noEffect,
    doc: "Enables tiered storage; storage here has one tier.",
  },
  {
    name: "retention.bytes",
    // Kafka leaves this one unbounded; below -1 it means no limit, like -1.
    ...long(-int64Max - 1n),
    defaultValue: "-1",
    ...effective,
    doc: "Bytes that a partition keeps at least before old ones are deleted; -1: no limit.",
  },
  {
    name: "retention.ms",
    ...long(-1),
    defaultValue: "604800000",
    ...effective,
    doc: "How long records are kept, milliseconds; -1: for ever.",
  },
  {
    name: "segment.bytes",
    ...int(1_048_576),
    defaultValue: "1073741824",
    ...effective,
    doc: "Largest size of a log file; here only a bound on the size of one request's records.",
  },
  {
    name: "segment.index.bytes",
    ...int(4),
    defaultValue: "10485760",
    ...noEffect,
    doc: "Size of a log file's index.",
  },
  {
    name: "segment.jitter.ms",
    ...long(0),
    defaultValue: "0",
    ...noEffect,
    doc: "Random part of the age at which a log file is rolled.",
  },
  {
    name: "segment.ms",
    ...long(1),
    defaultValue: "604800000",
    ...noEffect,
    doc: "Age at which a log file is rolled.",
  },
  {
    name: "unclean.leader.election.enable",
    type: "boolean",
    defaultValue: "false",
    ...noEffect,
    doc: "Whether a replica that lags may lead; every worker serves the same store.",
  },
];

/** All topic configs, by name. */
export const topicConfigs: ReadonlyMap<string, TopicConfigSpec> = new Map(
  specs.map((spec) => [spec.name, spec]),
);

/** Checks values to be set (null: removed). Errors: `invalid_config`, at the first fault. */
export function validateTopicConfig(changes: Readonly<Record<string, string | null>>): void {
  for (const [name, value] of Object.entries(changes)) {
    const spec = topicConfigs.get(name);
    if (spec === undefined) {
      throw invalidConfig(name, `Cannot set topic config "${name}": it is unknown`);
    }
    const fault = value === null ? undefined : valueFault(spec, value);
    if (fault !== undefined) {
      throw invalidConfig(name, `Cannot set topic config ${name} to "${value}": ${fault}`);
    }
  }
}

/** A topic's value: what was set, or the default. Null: the worker's setting applies. */
export function topicConfigValue(
  config: Readonly<Record<string, string>>,
  name: string,
): string | null {
  return config[name] ?? topicConfigs.get(name)?.defaultValue ?? null;
}

/** The same as a number; a long past 2^53 becomes the greatest safe integer. Null: not set. */
export function topicConfigNumber(
  config: Readonly<Record<string, string>>,
  name: string,
): number | null {
  const value = topicConfigValue(config, name);
  if (value === null) return null;
  return Math.max(Math.min(Number(value), Number.MAX_SAFE_INTEGER), Number.MIN_SAFE_INTEGER);
}

/** The items of a list, without spaces around them. */
export function topicConfigList(value: string): string[] {
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function valueFault(spec: TopicConfigSpec, value: string): string | undefined {
  switch (spec.type) {
    case "boolean":
      return /^(true|false)$/i.test(value) ? undefined : "expected true or false";
    case "string":
      return allowedFault(spec, [value]);
    case "list":
      return allowedFault(spec, topicConfigList(value));
    case "double":
      return numberFault(spec, /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? +value : null);
    default:
      return numberFault(spec, /^[+-]?\d+$/.test(value) ? BigInt(value.replace(/^\+/, "")) : null);
  }
}

function allowedFault({ allowed }: TopicConfigSpec, items: readonly string[]): string | undefined {
  if (allowed === undefined || items.every((item) => allowed.includes(item))) return undefined;
  return `expected ${allowed.join(", ")}`;
}

function numberFault(
  { min, max, type }: TopicConfigSpec,
  value: bigint | number | null,
): string | undefined {
  if (value === null) return `expected ${type === "double" ? "a number" : "an integer"}`;
  if (min !== undefined && value < min) return `the least is ${min}`;
  if (max !== undefined && value > max) return `the greatest is ${max}`;
  return undefined;
}

function invalidConfig(name: string, message: string): StreamError {
  return new StreamError("invalid_config", message, { details: { config: name } });
}

/**
 * The JSON that the HTTP surface takes and gives, as zod shapes: they check what comes in, type
 * both ends and become the schemas of `/openapi.json`.
 */
import * as z from "zod";

const offset = z.int().min(0);
const partitionNumber = z.int().min(0);
const timestamp = z.int().describe("Milliseconds since 1970, UTC; -1 for none.");

/** What a value, key or header may be in a produce request. */
const content = z
  .unknown()
  .describe("Text is stored as it reads, null as no value, any other JSON as its exact source.");

const base64 = z.base64().nullable().describe("Bytes in base64, or null for none.");

const producedHeaders = z
  .union([
    z.record(z.string(), content),
    z.array(
      z.strictObject({
        key: z.string(),
        value: content.optional(),
        valueBase64: base64.optional(),
      }),
    ),
    z.null(),
  ])
  .describe("By name; or a list, where names repeat or values are bytes.");

const producedRecord = z
  .strictObject({
    key: content.optional(),
    keyBase64: base64.optional(),
    value: content.optional(),
    valueBase64: base64.optional(),
    headers: producedHeaders.optional(),
    partition: partitionNumber
      .max(2 ** 31 - 1)
      .nullish()
      .describe("Default: the key's (murmur2, as Kafka's Java client), else where keyless go."),
    timestamp: offset.nullish().describe("Milliseconds since 1970, UTC. Default: now."),
  })
  .meta({
    id: "ProducedRecord",
    description: "Exactly one of `value` and `valueBase64`; at most one of `key` and `keyBase64`.",
  });

export const produceRequest = z
  .strictObject({ records: z.array(producedRecord).min(1) })
  .meta({ id: "ProduceRequest" });

export const produceAnswer = z
  .object({
    offsets: z
      .array(z.object({ partition: partitionNumber, baseOffset: offset, count: z.int().min(1) }))
      .describe(
        "Where the records went; those of a partition follow each other as in the request.",
      ),
  })
  .meta({ id: "ProduceAnswer" });

const readHeader = z.object({
  key: z.string(),
  value: z.string().nullable().optional(),
  valueBase64: z.base64().optional(),
});

export const readRecord = z
  .object({
    offset,
    timestamp,
    key: z.unknown().optional().describe("Text; null for none."),
    keyBase64: z.base64().optional().describe("In place of `key` when it is not UTF-8."),
    value: z.unknown().optional().describe("Text, or JSON with `values=json`; null for none."),
    valueText: z.string().optional().describe("With `values=json`: a value that is not JSON."),
    valueBase64: z.base64().optional().describe("In place of `value` when it is not UTF-8."),
    headers: z.array(readHeader),
  })
  .meta({ id: "Record" });

export const streamRecord = readRecord
  .extend({ partition: partitionNumber })
  .meta({ id: "StreamRecord", description: "A record as an event's `data`." });

export const readAnswer = z
  .object({
    records: z.array(readRecord),
    nextOffset: offset.describe("Where to read on."),
    highOffset: offset.optional().describe("One past the last record. Not with `endOffset`."),
  })
  .meta({ id: "ReadAnswer" });

export const partitionGap = z.object({ partition: partitionNumber, from: offset, to: offset });

export const recordsAnswer = z
  .object({
    records: z.array(streamRecord),
    gaps: z.array(partitionGap).describe("Offsets that were gone before they were read."),
    cursor: z.string().describe("Where to go on, as `cursor` or as `Last-Event-ID`."),
  })
  .meta({ id: "RecordsAnswer" });

const configText = z
  .union([z.string(), z.number(), z.boolean()])
  .transform(String)
  .pipe(z.string());

export const createTopicRequest = z
  .strictObject({
    name: z.string().describe("1 to 249 of a-z A-Z 0-9 . _ -"),
    partitions: z.int().min(1).max(100_000).optional().describe("Default: the server's setting."),
    config: z
      .record(z.string(), configText)
      .optional()
      .describe("Kafka's topic settings by name, such as retention.ms."),
  })
  .meta({ id: "CreateTopicRequest" });

export const alterTopicRequest = z
  .strictObject({
    partitions: z.int().min(1).max(100_000).optional().describe("Above the present count."),
    config: z
      .record(z.string(), configText.nullable())
      .optional()
      .describe("Settings to change; null returns one to its default."),
  })
  .meta({ id: "AlterTopicRequest" });

const topicSummary = z
  .object({
    name: z.string(),
    topicId: z.string().describe("Differs when a topic is deleted and made again."),
    partitions: z.int().min(1),
    config: z.record(z.string(), z.string()).describe("What differs from the defaults."),
    createdAt: timestamp,
  })
  .meta({ id: "TopicSummary" });

export const topicList = z.object({ topics: z.array(topicSummary) }).meta({ id: "TopicList" });

export const topicDetails = topicSummary
  .extend({
    partitionStatus: z.array(
      z.object({
        partition: partitionNumber,
        leader: z.int().describe("The node that serves it best; any node serves it."),
        logStartOffset: offset.describe("The first record that is kept."),
        highOffset: offset.describe("One past the last record."),
        sizeBytes: z.int().min(0),
      }),
    ),
  })
  .meta({ id: "TopicDetails" });

export const cluster = z
  .object({
    clusterId: z.string(),
    selfNodeId: z.int(),
    nodes: z.array(
      z.object({
        nodeId: z.int(),
        kafkaHost: z.string(),
        kafkaPort: z.int(),
        httpUrl: z.string(),
      }),
    ),
  })
  .meta({ id: "Cluster" });

const groupSummary = z
  .object({
    groupId: z.string(),
    state: z.enum(["Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead"]),
    protocolType: z.string(),
  })
  .meta({ id: "GroupSummary" });

export const groupList = z.object({ groups: z.array(groupSummary) }).meta({ id: "GroupList" });

const groupOffset = z.object({
  topic: z.string(),
  partition: partitionNumber,
  offset: offset.describe("The next record that the group will read."),
  metadata: z.string(),
  logStartOffset: offset.nullable(),
  highOffset: offset.nullable().describe("Null when the partition is gone."),
  lag: z.int().min(0).nullable().describe("Records between the two."),
});

export const groupDetails = groupSummary
  .extend({
    protocolName: z.string(),
    members: z.array(
      z.object({
        memberId: z.string(),
        groupInstanceId: z.string().nullable(),
        clientId: z.string(),
        clientHost: z.string(),
        assignments: z.array(z.object({ topic: z.string(), partitions: z.array(partitionNumber) })),
      }),
    ),
    offsets: z.array(groupOffset),
  })
  .meta({ id: "GroupDetails" });

export const commitOffsetsRequest = z
  .strictObject({
    offsets: z
      .array(
        z.strictObject({
          topic: z.string(),
          partition: partitionNumber,
          offset,
          metadata: z.string().optional(),
        }),
      )
      .min(1),
  })
  .meta({
    id: "CommitOffsetsRequest",
    description: "Taken while no member is in the group, as Kafka does.",
  });

export const commitOffsetsAnswer = z
  .object({
    offsets: z.array(z.object({ topic: z.string(), partition: partitionNumber, offset })),
  })
  .meta({ id: "CommitOffsetsAnswer" });

export const health = z
  .object({ status: z.enum(["ok", "starting", "stopping"]) })
  .meta({ id: "Health" });

export type ProduceAnswer = z.infer<typeof produceAnswer>;
export type ReadAnswer = z.infer<typeof readAnswer>;
export type TopicSummary = z.infer<typeof topicSummary>;
export type TopicDetails = z.infer<typeof topicDetails>;
export type GroupSummary = z.infer<typeof groupSummary>;
export type GroupDetails = z.infer<typeof groupDetails>;
export type ClusterAnswer = z.infer<typeof cluster>;
export type CommitOffsetsRequest = z.infer<typeof commitOffsetsRequest>;

/**
 * From the records of a request to record batches: a partition for each, the topic's rules, one or
 * more batches per partition.
 */
import type { Platform } from "../../base/platform.ts";
import { StreamError } from "../../base/stream-error.ts";
import type { AppendBatch } from "../../log/log-types.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import { readBatchHeader } from "../../record/batch.ts";
import {
  type BatchInput,
  encodeBatch,
  type RecordInput,
  recordBytesUpperBound,
} from "../../record/batch-encode.ts";
import { batchHeaderBytes } from "../../record/batch-layout.ts";
import { partitionForKey } from "../../record/partitioner.ts";
import { topicRules } from "./topic-rules.ts";

/** A record of a request; bytes are views of its body. */
export interface RecordToAppend extends RecordInput {
  /** Undefined: the key decides, or where keyless records go. */
  readonly partition: number | undefined;
}

export interface RoutedRecords {
  readonly partition: number;
  readonly records: readonly RecordInput[];
}

/**
 * Gives each record its partition; the order within a partition is that of the request.
 * `keyless` is asked at most once.
 * @throws StreamError `partition_unknown`.
 */
export function routeRecords(
  topic: TopicInfo,
  records: readonly RecordToAppend[],
  keyless: () => number,
): RoutedRecords[] {
  const byPartition = new Map<number, RecordInput[]>();
  let keylessPartition: number | undefined;
  for (const record of records) {
    let { partition } = record;
    if (partition === undefined) {
      if (record.key === null) partition = keylessPartition ??= keyless();
      else partition = partitionForKey(record.key, topic.partitionCount);
    } else if (partition >= topic.partitionCount) throw unknownPartition(topic, partition);
    const known = byPartition.get(partition);
    if (known === undefined) byPartition.set(partition, [record]);
    else known.push(record);
  }
  return [...byPartition].map(([partition, routed]) => ({ partition, records: routed }));
}

export function unknownPartition(topic: TopicInfo, partition: number): StreamError {
  return new StreamError(
    "partition_unknown",
    `Cannot use partition ${partition} of "${topic.name}": it has ${topic.partitionCount}`,
    { details: { field: "partition", expected: `0 to ${topic.partitionCount - 1}` } },
  );
}

/**
 * Checks records against the topic's settings.
 * @throws StreamError `record_too_large`, `invalid_record`, `invalid_timestamp`.
 */
export function checkRecords(
  topic: TopicInfo,
  records: readonly RecordInput[],
  platform: Platform,
): void {
  const { keysRequired, timestampSlack, batchBytesMax } = topicRules(topic);
  const now = platform.clock.now();
  const earliest = now - (timestampSlack?.beforeMs ?? Number.POSITIVE_INFINITY);
  const latest = now + (timestampSlack?.afterMs ?? Number.POSITIVE_INFINITY);
  for (let index = 0; index < records.length; index++) {
    const record = records[index] as RecordInput;
    if (keysRequired && record.key === null) throw refuseRecord(topic, index, "has no key");
    if (record.timestamp < earliest || record.timestamp > latest) {
      throw new StreamError(
        "invalid_timestamp",
        `Cannot append record ${index} to "${topic.name}": its timestamp ${record.timestamp} is ` +
          `not within ${earliest} to ${latest}`,
        { details: { recordIndex: index, field: `records[${index}].timestamp` } },
      );
    }
    const bytes = batchHeaderBytes + recordBytesUpperBound(record);
    if (bytes > batchBytesMax) throw tooLarge(topic, { index, bytes, batchBytesMax });
  }
}

/** Batches of one partition, each within the topic's `max.message.bytes`, in order. */
export function buildBatches(
  topic: TopicInfo,
  { partition, records }: RoutedRecords,
  platform: Platform,
): AppendBatch[] {
  const { batchBytesMax, timestampSlack } = topicRules(topic);
  const appendTime: Pick<BatchInput, "timestampType" | "maxTimestamp"> =
    timestampSlack === undefined
      ? { timestampType: "LogAppendTime", maxTimestamp: platform.clock.now() }
      : {};
  const batches: AppendBatch[] = [];
  for (const part of splitBySize(records, batchBytesMax - batchHeaderBytes)) {
    const bytes = encodeBatch({ records: part, codec: "none", ...appendTime }, platform);
    const minTimestamp = appendTime.maxTimestamp ?? leastTimestamp(part);
    batches.push({ topic, partition, bytes, header: readBatchHeader(bytes), minTimestamp });
  }
  return batches;
}

function leastTimestamp(records: readonly RecordInput[]): number {
  return records.reduce((least, { timestamp }) => Math.min(least, timestamp), Infinity);
}

function splitBySize(
  records: readonly RecordInput[],
  bytesMax: number,
): (readonly RecordInput[])[] {
  const parts: (readonly RecordInput[])[] = [];
  let start = 0;
  let bytes = 0;
  for (let index = 0; index < records.length; index++) {
    const size = recordBytesUpperBound(records[index] as RecordInput);
    if (bytes + size > bytesMax && index > start) {
      parts.push(records.slice(start, index));
      start = index;
      bytes = 0;
    }
    bytes += size;
  }
  parts.push(start === 0 ? records : records.slice(start));
  return parts;
}

function refuseRecord(topic: TopicInfo, index: number, what: string): StreamError {
  return new StreamError(
    "invalid_record",
    `Cannot append record ${index} to "${topic.name}": it ${what}, which a compacted topic needs`,
    { details: { recordIndex: index, field: `records[${index}].key`, expected: "a key" } },
  );
}

function tooLarge(
  topic: TopicInfo,
  what: { readonly index: number; readonly bytes: number; readonly batchBytesMax: number },
): StreamError {
  const { index, bytes, batchBytesMax } = what;
  return new StreamError(
    "record_too_large",
    `Cannot append record ${index} to "${topic.name}": its batch would have ${bytes} bytes, ` +
      `max.message.bytes is ${batchBytesMax}`,
    { details: { recordIndex: index, bytesMax: batchBytesMax } },
  );
}

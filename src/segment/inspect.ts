/**
 * A segment as data for people and programs: what `streamctl segment inspect` prints. Reads the
 * footer alone unless the whole segment is there, in which case each entry lists its batches.
 */
import { present } from "../base/assert.ts";
import type { BatchSlice } from "../record/batch.ts";
import type { TopicId } from "../record/types.ts";
import { batchesOf } from "./decode.ts";
import type { SegmentEntry, SegmentFooter } from "./segment.ts";
import { type ReceiptVerdict, verdictName } from "./verdict.ts";

export interface BatchDescription {
  readonly position: number;
  readonly length: number;
  readonly recordCount: number;
  readonly codec: string;
  readonly timestampType: string;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
}

export interface EntryDescription extends Omit<SegmentEntry, "topicIndex" | "points"> {
  readonly topicId: TopicId;
  readonly topic: string;
  readonly pointCount: number;
  /** Absent when only the footer was read. */
  readonly batches?: readonly BatchDescription[];
}

export interface ReceiptDescription {
  readonly sequence: number;
  readonly publishPosition: number;
  readonly publishedAt: number;
  readonly groups: readonly ReceiptVerdict[];
  readonly entries: readonly {
    readonly verdict: ReceiptVerdict;
    readonly baseOffset: number;
    readonly leaderEpoch: number;
    readonly appendedCount: number;
    readonly skippedCount: number;
  }[];
}

export interface SegmentDescription {
  readonly version: number;
  readonly workerEpoch: number;
  readonly sequence: number;
  readonly createdAt: number;
  readonly length: number;
  readonly bodyLength: number;
  readonly recordCount: number;
  readonly batchCount: number;
  readonly topics: readonly { topicId: TopicId; name: string; partitionCount: number }[];
  readonly entries: readonly EntryDescription[];
  /** Guards and effects as they were published; text that is not JSON stays text. */
  readonly groups: readonly unknown[];
  readonly receipts: readonly ReceiptDescription[];
}

/**
 * Describes a decoded segment; `segment` is its whole bytes when batches are wanted, and then
 * batches that cannot be walked are `corrupt_segment`.
 */
export function describeSegment(footer: SegmentFooter, segment?: Uint8Array): SegmentDescription {
  const entries = footer.entries.map((entry) => describeEntry(footer, entry, segment));
  const { version, workerEpoch, sequence, createdAt, length, bodyLength } = footer;
  return {
    version,
    workerEpoch,
    sequence,
    createdAt,
    length,
    bodyLength,
    recordCount: entries.reduce((sum, entry) => sum + entry.recordCount, 0),
    batchCount: entries.reduce((sum, entry) => sum + entry.batchCount, 0),
    topics: footer.topics,
    entries,
    groups: footer.groups.map(parseGroup),
    receipts: footer.receipts.map((receipt) => ({
      sequence: receipt.sequence,
      publishPosition: receipt.publishPosition,
      publishedAt: receipt.publishedAt,
      groups: receipt.groups.map(verdictName),
      entries: receipt.entries.map((entry) => ({ ...entry, verdict: verdictName(entry.verdict) })),
    })),
  };
}

function describeEntry(
  footer: SegmentFooter,
  entry: SegmentEntry,
  segment: Uint8Array | undefined,
): EntryDescription {
  const { topicIndex, points, ...rest } = entry;
  const topic = present(footer.topics[topicIndex], "topic of an entry");
  const named = {
    ...rest,
    topicId: topic.topicId,
    topic: topic.name,
    pointCount: points.length,
  };
  if (segment === undefined) return named;
  return { ...named, batches: [...batchesOf(segment, entry)].map(describeBatch) };
}

function describeBatch(batch: BatchSlice): BatchDescription {
  const { header } = batch;
  return {
    position: batch.position,
    length: header.sizeBytes,
    recordCount: header.recordCount,
    codec: header.codec,
    timestampType: header.timestampType,
    baseTimestamp: header.baseTimestamp,
    maxTimestamp: header.maxTimestamp,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    isTransactional: header.isTransactional,
    isControl: header.isControl,
  };
}

function parseGroup(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

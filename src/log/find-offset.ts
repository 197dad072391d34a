/**
 * ListOffsets: earliest and latest are asked of the metadata; a timestamp finds its segment by the
 * index and its record by decoding the batches there, as Kafka's brokers do.
 */
import type { Codecs } from "../base/codecs.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import type { Extent } from "../meta/log-index.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { extentForTimestamp, extentOfMaxTimestamp } from "../meta/timestamp-index.ts";
import { batchesIn } from "../record/batch.ts";
import { decodeRecords } from "../record/batch-records.ts";
import type { FoundOffset } from "./log-types.ts";
import type { KnownPartition } from "./partition-table.ts";
import type { StoredReader } from "./stored-reader.ts";

/** A batch decompressed for the search may take so much. */
const recordsBytesMax = 256 * 1024 * 1024;

/** Bytes of an extent read at once. */
const stepBytes = 1024 * 1024;

export interface FindOffsetParts {
  readonly database: SqlDatabase;
  readonly stored: StoredReader;
  readonly codecs: Codecs;
}

interface Where {
  readonly topic: TopicInfo;
  readonly partition: number;
  readonly known: KnownPartition;
}

/** No record is that late, as Kafka answers. */
const nothing: FoundOffset = { offset: -1, timestamp: -1, leaderEpoch: -1 };

/** The first record at or after `timestamp`; offset -1 when there is none. */
export async function findTimestamp(
  parts: FindOffsetParts,
  where: Where,
  timestamp: number,
): Promise<FoundOffset> {
  const { topicNumber } = where.topic;
  const { partition } = where;
  for (let fromOffset = 0; ; ) {
    const asked = { topicNumber, partition, timestamp, fromOffset };
    const extent = await extentForTimestamp(parts.database, asked);
    if (extent === null) return nothing;
    for await (const record of recordsOf(parts, where, { extent, from: timestamp })) {
      return record;
    }
    // What the row promises lies below the log start: later rows may have it too.
    fromOffset = extent.lastOffset + 1;
  }
}

/** The first record with the partition's greatest timestamp (KIP-734); -1 when it is empty. */
export async function findMaxTimestamp(parts: FindOffsetParts, where: Where): Promise<FoundOffset> {
  const { topicNumber } = where.topic;
  const { partition } = where;
  let greatest: RecordPlace | undefined;
  for (let fromOffset = 0; ; ) {
    const asked = { topicNumber, partition, fromOffset };
    const extent = await extentOfMaxTimestamp(parts.database, asked);
    if (extent === null || (greatest && extent.maxTimestamp <= greatest.timestamp)) break;
    for await (const record of recordsOf(parts, where, { extent, from: -1 })) {
      if (greatest === undefined || record.timestamp > greatest.timestamp) greatest = record;
      if (record.timestamp === extent.maxTimestamp) break;
    }
    if (greatest?.timestamp === extent.maxTimestamp) break;
    // Only the row at the log start can have lost its greatest: the others are asked next.
    fromOffset = extent.lastOffset + 1;
  }
  return greatest ?? nothing;
}

interface RecordPlace {
  readonly offset: number;
  readonly timestamp: number;
  /** Of its batch: when it was published, not now. */
  readonly leaderEpoch: number;
}

/** The records of an extent that are not deleted and not older than `from`, in order. */
async function* recordsOf(
  parts: FindOffsetParts,
  where: Where,
  what: { readonly extent: Extent; readonly from: number },
): AsyncGenerator<RecordPlace, void> {
  const { extent, from } = what;
  let offset = Math.max(extent.baseOffset, where.known.logStartOffset);
  while (offset <= extent.lastOffset) {
    const range = await parts.stored.read({
      topicNumber: where.topic.topicNumber,
      partition: where.partition,
      offset,
      bytesMax: stepBytes,
    });
    if (range.bytes === 0) return;
    for (const chunk of range.chunks) {
      for (const batch of batchesIn(chunk)) {
        if (batch.header.maxTimestamp < from) continue;
        const { codecs } = parts;
        const options = { codecs, sizeMax: recordsBytesMax, fromOffset: offset };
        const { partitionLeaderEpoch: leaderEpoch } = batch.header;
        for (const { offset, timestamp } of decodeRecords(batch.bytes, options)) {
          if (timestamp >= from) yield { offset, timestamp, leaderEpoch };
        }
      }
    }
    offset = range.nextOffset;
  }
}

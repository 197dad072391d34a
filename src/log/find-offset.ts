/**
 * ListOffsets: earliest and latest are asked of the metadata; a timestamp finds its segment by the
 * index and its record by decoding the batches there, as Kafka's brokers do.
 */
import type { Codecs } from "../base/codecs.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import { type Extent, extentForTimestamp, extentOfMaxTimestamp } from "../meta/log-index.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { type BatchSlice, batchesIn } from "../record/batch.ts";
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

/** The first record at or after `timestamp`; offset -1 when there is none. */
export async function findTimestamp(
  parts: FindOffsetParts,
  where: Where,
  timestamp: number,
): Promise<FoundOffset> {
  const { topicNumber } = where.topic;
  const { partition } = where;
  const extent = await extentForTimestamp(parts.database, { topicNumber, partition, timestamp });
  if (extent === null) return nothing(where);
  const found = await search(parts, { where, extent, from: timestamp });
  return found ?? nothing(where);
}

/** The first record with the partition's greatest timestamp (KIP-734); -1 when it is empty. */
export async function findMaxTimestamp(parts: FindOffsetParts, where: Where): Promise<FoundOffset> {
  const { topicNumber } = where.topic;
  const { partition } = where;
  const extent = await extentOfMaxTimestamp(parts.database, { topicNumber, partition });
  if (extent === null) return nothing(where);
  const found = await search(parts, { where, extent, from: extent.maxTimestamp });
  return found ?? nothing(where);
}

function nothing({ known }: Where): FoundOffset {
  return { offset: -1, timestamp: -1, leaderEpoch: known.leaderEpoch };
}

async function search(
  parts: FindOffsetParts,
  what: { readonly where: Where; readonly extent: Extent; readonly from: number },
): Promise<FoundOffset | undefined> {
  const { where, extent, from } = what;
  let offset = Math.max(extent.baseOffset, where.known.logStartOffset);
  while (offset <= extent.lastOffset) {
    const range = await parts.stored.read({
      topicNumber: where.topic.topicNumber,
      partition: where.partition,
      offset,
      bytesMax: stepBytes,
      leaderEpoch: where.known.leaderEpoch,
    });
    if (range.bytes === 0) return undefined;
    for (const chunk of range.chunks) {
      for (const batch of batchesIn(chunk)) {
        const found = batch.header.maxTimestamp >= from && inBatch(parts, { batch, from, offset });
        if (found) return { ...found, leaderEpoch: where.known.leaderEpoch };
      }
    }
    offset = range.nextOffset;
  }
  return undefined;
}

function inBatch(
  parts: FindOffsetParts,
  what: { readonly batch: BatchSlice; readonly from: number; readonly offset: number },
): { offset: number; timestamp: number } | undefined {
  const records = decodeRecords(what.batch.bytes, {
    codecs: parts.codecs,
    sizeMax: recordsBytesMax,
    fromOffset: what.offset,
  });
  for (const { offset, timestamp } of records) {
    if (timestamp >= what.from) return { offset, timestamp };
  }
  return undefined;
}

/** Sends the records of one batch to the partitions of their keys, as a batch for each. */
import { assert } from "../base/assert.ts";
import type { EncodedRecords } from "./batch-encode.ts";
import { partitionForKey } from "./partitioner.ts";
import { RecordReader } from "./record-reader.ts";
import { varintLength, writeVarint } from "./record-writer.ts";

export interface PartitionRecords extends EncodedRecords {
  readonly partition: number;
}

/** Where a record lies in its batch, and what it becomes. */
interface Piece {
  /** Of its attributes and its timestamp delta. */
  readonly start: number;
  readonly deltaAt: number;
  /** Key, value and headers, up to its end. */
  readonly restAt: number;
  readonly end: number;
  readonly index: number;
  readonly bodyBytes: number;
}

interface Share {
  readonly pieces: Piece[];
  bytes: number;
  maxTimestamp: number;
}

/**
 * By partition, ascending; within each in the order in which they came. Records without a key go to
 * the first. The results are fresh buffers.
 */
export function splitRecords(
  { records, recordCount, baseTimestamp }: EncodedRecords,
  partitionCount: number,
): PartitionRecords[] {
  const shares = new Map<number, Share>();
  const reader = new RecordReader(records, "invalid_record");
  for (let record = 0; record < recordCount; record++) {
    reader.enter();
    const start = reader.position - 1;
    const timestamp = baseTimestamp + reader.varlong();
    const deltaAt = reader.position;
    reader.varint();
    const restAt = reader.position;
    const keyBytes = reader.length("a key");
    const key = records.subarray(reader.position, reader.position + Math.max(0, keyBytes));
    const partition = keyBytes < 0 ? 0 : partitionForKey(key, partitionCount);
    const share = shares.get(partition) ?? { pieces: [], bytes: 0, maxTimestamp: -1 };
    shares.set(partition, share);
    const end = reader.limit;
    const index = share.pieces.length;
    const bodyBytes = deltaAt - start + varintLength(index) + (end - restAt);
    share.pieces.push({ start, deltaAt, restAt, end, index, bodyBytes });
    share.bytes += varintLength(bodyBytes) + bodyBytes;
    share.maxTimestamp = Math.max(share.maxTimestamp, timestamp);
    reader.position = end;
  }
  return [...shares]
    .sort(([a], [b]) => a - b)
    .map(([partition, { pieces, bytes, maxTimestamp }]) => ({
      partition,
      records: written(records, pieces, bytes),
      recordCount: pieces.length,
      ...{ baseTimestamp, maxTimestamp },
    }));
}

function written(records: Uint8Array, pieces: readonly Piece[], bytes: number): Uint8Array {
  const target = new Uint8Array(bytes);
  let position = 0;
  for (const { start, deltaAt, restAt, end, index, bodyBytes } of pieces) {
    position = writeVarint(target, position, bodyBytes);
    target.set(records.subarray(start, deltaAt), position);
    position = writeVarint(target, position + deltaAt - start, index);
    target.set(records.subarray(restAt, end), position);
    position += end - restAt;
  }
  assert(position === bytes, "the measured length is the written one");
  return target;
}

/** A record batch of the log as the record walk takes it. */
import type { Codecs } from "../../base/codecs.ts";
import { readBatchHeader } from "../../record/batch.ts";
import { batchHeaderBytes } from "../../record/batch-layout.ts";
import type { SourceBatch } from "./record-walk.ts";

/** A batch's records decompressed are no larger. */
const recordsBytesMax = 256 * 1024 * 1024;

/** What a batch's header says, and its records decompressed; none for control batches. */
export function sourceBatchOf(
  bytes: Uint8Array,
  { partition, codecs }: { readonly partition: number; readonly codecs: Codecs },
): SourceBatch[] {
  const header = readBatchHeader(bytes);
  if (header.isControl) return [];
  const packed = bytes.subarray(batchHeaderBytes, header.sizeBytes);
  const records =
    header.codec === "none"
      ? packed
      : codecs.decompress(header.codec, packed, { sizeMax: recordsBytesMax });
  const isLogAppendTime = header.timestampType === "LogAppendTime";
  const timestamp = isLogAppendTime ? header.maxTimestamp : header.baseTimestamp;
  const { baseOffset, recordCount } = header;
  return [{ partition, baseOffset, timestamp, isLogAppendTime, recordCount, records }];
}

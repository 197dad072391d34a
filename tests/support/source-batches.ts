/** Batches as the log hands them to a query's source. */

import { readBatchHeader } from "../../src/record/batch.ts";
import { encodeBatch, type RecordInput } from "../../src/record/batch-encode.ts";
import { batchHeaderBytes } from "../../src/record/batch-layout.ts";
import type { SummedBatch } from "../../src/sql/kernel/record-walk.ts";
import { codecs, crc32c } from "./record-tools.ts";

const encoder = new TextEncoder();

/** A batch of the records, the first with this offset. */
export function sourceBatch(
  records: readonly RecordInput[],
  { partition = 0, baseOffset = 0 } = {},
): SummedBatch {
  const bytes = encodeBatch({ records, codec: "none" }, { crc32c, codecs });
  const { timestampType, baseTimestamp, maxTimestamp, recordCount } = readBatchHeader(bytes);
  const isLogAppendTime = timestampType === "LogAppendTime";
  return {
    partition,
    baseOffset,
    recordCount,
    isLogAppendTime,
    timestamp: isLogAppendTime ? maxTimestamp : baseTimestamp,
    records: bytes.subarray(batchHeaderBytes),
  };
}

/** Records of these values, a millisecond apart. */
export function valueRecords(values: readonly (string | Uint8Array | null)[]): RecordInput[] {
  return values.map((value, index) => ({
    timestamp: 1_767_225_600_000 + index,
    key: null,
    value: typeof value === "string" ? encoder.encode(value) : value,
  }));
}

/** A record batch of the log as the record walk takes it. */
import type { Codecs } from "../../base/codecs.ts";
import type { Crc32c } from "../../base/crc32c.ts";
import { type BatchHeader, checkBatchCrc, readBatchHeader } from "../../record/batch.ts";
import { batchHeaderBytes, batchLayout } from "../../record/batch-layout.ts";
import {
  batchesOfStretch,
  corruptStretch,
  joinedParts,
  partsFrom,
  type StoredStretch,
} from "../../segment/stored-stretch.ts";
import type { SourceBatch, SummedBatch } from "./record-walk.ts";

/** A batch's records decompressed are no larger. */
const recordsBytesMax = 256 * 1024 * 1024;
/** Far above the size of what runtimes share between small buffers. */
const freedBytesMin = 64 * 1024;

/** What a batch's header says, and its records decompressed; none for control batches. */
export function sourceBatchOf(
  bytes: Uint8Array,
  { partition, codecs }: { readonly partition: number; readonly codecs: Codecs },
): SummedBatch[] {
  const header = readBatchHeader(bytes);
  if (header.isControl) return [];
  const { baseOffset } = header;
  return [{ ...aboutOf(header, { partition, baseOffset }), ...recordsOf(bytes, header, codecs) }];
}

/**
 * The same of batches that nobody has summed. What is compressed is summed here; of the others the
 * walk does it, which copies them first.
 * @throws StreamError `corrupt_segment`
 */
export function sourceBatchesOf(
  stretch: StoredStretch,
  parts: { readonly partition: number; readonly codecs: Codecs; readonly crc32c: Crc32c },
): SourceBatch[] {
  const { partition, codecs, crc32c } = parts;
  return batchesOfStretch(stretch).flatMap((batch): SourceBatch[] => {
    const { header, baseOffset } = batch;
    const about = aboutOf(header, { partition, baseOffset });
    if (!header.isControl && header.codec === "none") {
      const bytes = partsFrom(batch.parts, batchLayout.attributes);
      return [{ ...about, unsummed: { parts: bytes, crc: header.crc, stretch } }];
    }
    const bytes = joinedParts(batch.parts);
    checkSum(bytes, { stretch, crc32c });
    return header.isControl ? [] : [{ ...about, ...recordsOf(bytes, header, codecs) }];
  });
}

/**
 * Gives memory back that batches were decompressed to, which nobody reads any more: what waits for
 * a collection of garbage is out of the caches when it is used again, and fresh pages cost more
 * than to decompress into them. Small ones may lie in a pool of the runtime's.
 */
export function freeRecords(batches: readonly SourceBatch[]): void {
  for (const batch of batches) {
    if (batch.unsummed !== undefined || batch.isOwned !== true) continue;
    const { buffer } = batch.records;
    if (buffer instanceof ArrayBuffer && buffer.byteLength >= freedBytesMin) buffer.transfer(0);
  }
}

function aboutOf(
  header: BatchHeader,
  where: Pick<SourceBatch, "partition" | "baseOffset">,
): Omit<SourceBatch, "records" | "unsummed"> {
  const isLogAppendTime = header.timestampType === "LogAppendTime";
  const timestamp = isLogAppendTime ? header.maxTimestamp : header.baseTimestamp;
  return { ...where, timestamp, isLogAppendTime, recordCount: header.recordCount };
}

function recordsOf(
  bytes: Uint8Array,
  header: BatchHeader,
  codecs: Codecs,
): Pick<SummedBatch, "records" | "isOwned"> {
  const packed = bytes.subarray(batchHeaderBytes, header.sizeBytes);
  if (header.codec === "none") return { records: packed };
  const records = codecs.decompress(header.codec, packed, { sizeMax: recordsBytesMax });
  return { records, isOwned: true };
}

function checkSum(
  bytes: Uint8Array,
  what: { readonly stretch: StoredStretch; readonly crc32c: Crc32c },
): void {
  try {
    checkBatchCrc(bytes, what.crc32c);
  } catch (error) {
    throw corruptStretch(what.stretch, error instanceof Error ? error.message : String(error));
  }
}

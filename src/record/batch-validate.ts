/**
 * What the log demands of a batch before it stores it: what Kafka 4.2 demands of clients
 * (ProduceRequest, UnifiedLog, LogValidator), with its error codes; a golden file holds a broker's
 * verdicts. Stricter where no client differs and a wrong batch would have to be rewritten or kept
 * wrong: offset deltas count 0, 1, 2 …; undefined attribute bits, a delete horizon, LogAppendTime,
 * odd producer ids and bytes behind the batch are refused.
 */
import type { Codecs } from "../base/codecs.ts";
import type { Crc32c } from "../base/crc32c.ts";
import { StreamError } from "../base/stream-error.ts";
import {
  type BatchHeader,
  checkBatchCrc,
  readBatchHeader,
  requireOneBatch,
  setMaxTimestamp,
} from "./batch.ts";
import { attributeBits, batchLayout, noProducerId } from "./batch-layout.ts";
import { type TimestampBounds, walkRecords } from "./record-walk.ts";

export interface ValidateBatchOptions {
  readonly crc32c: Crc32c;
  readonly codecs: Codecs;
  /** Bound of a compressed batch's records once decompressed. */
  readonly decompressedBytesMax: number;
  /**
   * For CreateTime topics: a record's timestamp must lie within, inclusive, unless it is −1
   * (`message.timestamp.before.max.ms`, `message.timestamp.after.max.ms`). Absent: no bounds.
   */
  readonly timestampBounds?: TimestampBounds | undefined;
  /** The topic is compacted: a record without a key is refused. */
  readonly keysRequired?: boolean;
}

export interface ValidBatch {
  readonly header: BatchHeader;
  /** Least timestamp of its records, milliseconds; −1: one has none. */
  readonly minTimestamp: number;
}

/**
 * Checks `batch`, exactly one whole batch as a client sent it, and gives its header. When the
 * stated maxTimestamp is not that of its records it is corrected in place with the CRC, as Kafka
 * does.
 * Allocates nothing per record; decompresses a compressed batch once.
 * @throws StreamError `corrupt_record` (length, CRC, compressed bytes), `invalid_record`,
 *   `invalid_timestamp` (details name the first bad `recordIndex`), `record_too_large` (over
 *   `decompressedBytesMax`), `unsupported_compression`.
 */
export function validateBatch(batch: Uint8Array, options: ValidateBatchOptions): ValidBatch {
  requireOneBatch(batch);
  const header = readBatchHeader(batch, 0);
  if (header.baseOffset !== 0) throw invalid(`its base offset is ${header.baseOffset}, not 0`);
  checkBatchCrc(batch, options.crc32c);
  validateHeader(header);
  const packed = batch.subarray(batchLayout.records);
  const records =
    header.codec === "none"
      ? packed
      : options.codecs.decompress(header.codec, packed, { sizeMax: options.decompressedBytesMax });
  const { least, greatest } = walkRecords(records, {
    recordCount: header.recordCount,
    baseTimestamp: header.baseTimestamp,
    timestampBounds: options.timestampBounds,
    keysRequired: options.keysRequired ?? false,
  });
  if (greatest === header.maxTimestamp) return { header, minTimestamp: least };
  setMaxTimestamp(batch, greatest, options.crc32c);
  return { header: readBatchHeader(batch, 0), minTimestamp: least };
}

/** The checks that need no look at the records. */
function validateHeader(header: BatchHeader): void {
  const { recordCount, lastOffsetDelta, producerId } = header;
  if (lastOffsetDelta < 0) throw invalid(`its last offset delta is ${lastOffsetDelta}`);
  if (recordCount <= 0) throw invalid(`its record count is ${recordCount}`);
  if (recordCount !== lastOffsetDelta + 1) {
    throw invalid(`it counts ${recordCount} records and its last offset delta ${lastOffsetDelta}`);
  }
  if (header.isControl) throw invalid("only the log itself writes control batches");
  if (header.hasDeleteHorizon) throw invalid("only compaction sets a delete horizon");
  if ((header.attributes & attributeBits.unused) !== 0) {
    throw invalid(`its attributes 0x${header.attributes.toString(16)} have undefined bits`);
  }
  if (producerId < noProducerId) throw invalid(`its producer id is ${producerId}`);
  if (producerId !== noProducerId) {
    if (header.baseSequence < 0) throw invalid(`its base sequence is ${header.baseSequence}`);
    if (header.producerEpoch < 0) throw invalid(`its producer epoch is ${header.producerEpoch}`);
  } else if (header.isTransactional) {
    throw invalid("it is transactional without a producer id");
  }
  if (header.timestampType === "LogAppendTime") {
    throw new StreamError(
      "invalid_timestamp",
      "Cannot append a record batch of timestamp type LogAppendTime: producers send CreateTime",
    );
  }
}

function invalid(what: string): StreamError {
  return new StreamError("invalid_record", `Cannot append a record batch: ${what}`);
}

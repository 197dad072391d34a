/**
 * Reading and stamping the header of a record batch (layout: batch-layout.ts). Nothing here looks
 * into the records; `validateBatch` does, once, when a producer sends them.
 */
import { assert } from "../base/assert.ts";
import { type CodecName, codecNames } from "../base/codecs.ts";
import type { Crc32c } from "../base/crc32c.ts";
import { StreamError } from "../base/stream-error.ts";
import {
  attributeBits,
  batchHeaderBytes,
  batchMagic,
  batchPrefixBytes,
  batchLayout as layout,
} from "./batch-layout.ts";
import {
  readInt16,
  readInt32,
  readInt64,
  readUint16,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
} from "./big-endian.ts";

export type TimestampType = "CreateTime" | "LogAppendTime";

export interface BatchHeader {
  readonly baseOffset: number;
  /** The whole batch, prefix and header included. */
  readonly sizeBytes: number;
  readonly partitionLeaderEpoch: number;
  /** Always 2: other formats are refused. */
  readonly magic: number;
  /** As stated by the batch, unsigned. */
  readonly crc: number;
  readonly attributes: number;
  readonly codec: CodecName;
  readonly timestampType: TimestampType;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  /** `baseTimestamp` is when compaction may drop the batch's tombstones. */
  readonly hasDeleteHorizon: boolean;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  /** −1: not idempotent. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/** A batch among others in one buffer. */
export interface BatchSlice {
  /** Where it starts in the buffer given. */
  readonly position: number;
  readonly header: BatchHeader;
  /** A view of the whole batch. */
  readonly bytes: Uint8Array;
}

/**
 * Reads the header of the batch at `position`. The whole batch must lie in `bytes`.
 * @throws StreamError `corrupt_record` when the length is impossible, the batch is cut or a 64-bit
 *   field does not fit a number; `invalid_record` for the formats of before Kafka 0.11;
 *   `unsupported_compression` for a codec number that nobody defined.
 */
export function readBatchHeader(bytes: Uint8Array, position = 0): BatchHeader {
  return headerAt(bytes, position, batchSizeAt(bytes, position));
}

/** The same of `start`, which is the batch's header; what is behind it may lie elsewhere. */
export function readHeaderAlone(start: Uint8Array): BatchHeader {
  assert(start.length >= batchHeaderBytes, "a header is whole");
  refuseOtherMagic(start[layout.magic] as number);
  return headerAt(start, 0, readInt32(start, layout.batchLength) + batchPrefixBytes);
}

function headerAt(bytes: Uint8Array, position: number, sizeBytes: number): BatchHeader {
  const attributes = readUint16(bytes, position + layout.attributes);
  return {
    baseOffset: readSafe(bytes, position, "baseOffset"),
    sizeBytes,
    partitionLeaderEpoch: readInt32(bytes, position + layout.partitionLeaderEpoch),
    magic: batchMagic,
    crc: readUint32(bytes, position + layout.crc),
    attributes,
    codec: codecOf(attributes),
    timestampType:
      (attributes & attributeBits.logAppendTime) === 0 ? "CreateTime" : "LogAppendTime",
    isTransactional: (attributes & attributeBits.transactional) !== 0,
    isControl: (attributes & attributeBits.control) !== 0,
    hasDeleteHorizon: (attributes & attributeBits.deleteHorizon) !== 0,
    lastOffsetDelta: readInt32(bytes, position + layout.lastOffsetDelta),
    baseTimestamp: readSafe(bytes, position, "baseTimestamp"),
    maxTimestamp: readSafe(bytes, position, "maxTimestamp"),
    producerId: readSafe(bytes, position, "producerId"),
    producerEpoch: readInt16(bytes, position + layout.producerEpoch),
    baseSequence: readInt32(bytes, position + layout.baseSequence),
    recordCount: readInt32(bytes, position + layout.recordCount),
  };
}

/**
 * Size in bytes of the batch at `position`, after checking that it lies in `bytes` whole and is of
 * magic 2. Cheaper than the header for whoever only skips.
 * @throws StreamError as readBatchHeader.
 */
export function batchSizeAt(bytes: Uint8Array, position: number): number {
  const left = bytes.length - position;
  if (left < batchPrefixBytes) {
    throw corrupt(`Cannot read a record batch: ${left} bytes are left, its length is cut off`);
  }
  const sizeBytes = readInt32(bytes, position + layout.batchLength) + batchPrefixBytes;
  if (left > layout.magic) refuseOtherMagic(bytes[position + layout.magic] as number);
  if (sizeBytes < batchHeaderBytes) {
    throw corrupt(`Cannot read a record batch: it states ${sizeBytes} bytes, less than its header`);
  }
  if (sizeBytes > left) {
    throw corrupt(`Cannot read a record batch: it states ${sizeBytes} bytes, ${left} are there`);
  }
  return sizeBytes;
}

/** Walks the batches that lie end to end in `bytes`. Throws as readBatchHeader does. */
export function* batchesIn(bytes: Uint8Array): Generator<BatchSlice, void, undefined> {
  let position = 0;
  while (position < bytes.length) {
    const header = readBatchHeader(bytes, position);
    const end = position + header.sizeBytes;
    yield { position, header, bytes: bytes.subarray(position, end) };
    position = end;
  }
}

/**
 * Checks that what a produce request holds for one partition is exactly one batch, as Kafka has
 * demanded since produce version 3, and gives its size, which is that of `recordSet`.
 * @throws StreamError `invalid_record` for none, a cut one, more than one, or bytes after it; else
 *   as readBatchHeader.
 */
export function requireOneBatch(recordSet: Uint8Array): number {
  const { length } = recordSet;
  const statedBytes =
    length > layout.magic
      ? readInt32(recordSet, layout.batchLength) + batchPrefixBytes
      : batchHeaderBytes;
  const sizeBytes = statedBytes > length ? statedBytes : batchSizeAt(recordSet, 0);
  if (sizeBytes === length) return sizeBytes;
  throw new StreamError(
    "invalid_record",
    `Cannot append a record set of ${length} bytes: its first batch ends at ${sizeBytes}; ` +
      "send exactly one record batch per partition",
  );
}

/** Writes where the log put the batch. Neither field is covered by the CRC. */
export function stampBatch(
  bytes: Uint8Array,
  position: number,
  stamp: { readonly baseOffset: number; readonly leaderEpoch: number },
): void {
  assert(Number.isSafeInteger(stamp.baseOffset) && stamp.baseOffset >= 0, "offset below 2^53");
  writeInt64(bytes, position + layout.baseOffset, stamp.baseOffset);
  writeInt32(bytes, position + layout.partitionLeaderEpoch, stamp.leaderEpoch);
}

/**
 * Makes `batch` (exactly one, whole) a LogAppendTime batch of `timestamp`: attributes, maxTimestamp
 * and CRC change, the records stay; readers take maxTimestamp for every record.
 */
export function setLogAppendTime(batch: Uint8Array, timestamp: number, crc32c: Crc32c): void {
  const attributes = readUint16(batch, layout.attributes) | attributeBits.logAppendTime;
  writeInt16(batch, layout.attributes, attributes);
  setMaxTimestamp(batch, timestamp, crc32c);
}

/** Writes maxTimestamp into `batch` (exactly one, whole) and its CRC anew. */
export function setMaxTimestamp(batch: Uint8Array, timestamp: number, crc32c: Crc32c): void {
  assert(Number.isSafeInteger(timestamp), "a timestamp below 2^53");
  writeInt64(batch, layout.maxTimestamp, timestamp);
  writeInt32(batch, layout.crc, crc32c.of(batch.subarray(layout.attributes)));
}

/**
 * Compares the CRC of `batch` (exactly one, whole) with the stated one.
 * @throws StreamError `corrupt_record` when they differ.
 */
export function checkBatchCrc(batch: Uint8Array, crc32c: Crc32c): void {
  const stated = readUint32(batch, layout.crc);
  const found = crc32c.of(batch.subarray(layout.attributes));
  if (found === stated) return;
  throw corrupt(
    `Cannot accept a record batch of ${batch.length} bytes: its CRC-32C is ${hex(found)}, ` +
      `it states ${hex(stated)}`,
  );
}

function refuseOtherMagic(magic: number): void {
  if (magic === batchMagic) return;
  if (magic < batchMagic) {
    throw new StreamError(
      "invalid_record",
      `Cannot read records of magic ${magic}: only batches of magic 2 (Kafka 0.11) are taken`,
    );
  }
  throw corrupt(`Cannot read a record batch: its magic is ${magic}, not 2`);
}

function codecOf(attributes: number): CodecName {
  const number = attributes & attributeBits.codec;
  const codec = codecNames[number];
  if (codec !== undefined) return codec;
  throw new StreamError(
    "unsupported_compression",
    `Cannot read a record batch of codec ${number}: 0 to ${codecNames.length - 1} are defined`,
  );
}

function readSafe(
  bytes: Uint8Array,
  position: number,
  field: "baseOffset" | "baseTimestamp" | "maxTimestamp" | "producerId",
): number {
  const value = readInt64(bytes, position + layout[field]);
  if (Number.isSafeInteger(value)) return value;
  throw corrupt(`Cannot read a record batch: its ${field} ${value} is beyond 2^53`);
}

function corrupt(message: string): StreamError {
  return new StreamError("corrupt_record", message);
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

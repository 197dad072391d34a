/**
 * Builds a record batch from records: HTTP produce, and later compaction and query output. Two
 * passes, one to measure and one to write, so that thousands of small records cost one buffer.
 */
import { assert } from "../base/assert.ts";
import { type CodecName, type Codecs, codecNames } from "../base/codecs.ts";
import type { Crc32c } from "../base/crc32c.ts";
import { StreamError } from "../base/stream-error.ts";
import type { TimestampType } from "./batch.ts";
import {
  attributeBits,
  batchHeaderBytes,
  batchMagic,
  batchPrefixBytes,
  batchLayout as layout,
  noProducerId,
  noSequence,
  noTimestamp,
} from "./batch-layout.ts";
import { writeInt16, writeInt32, writeInt64 } from "./big-endian.ts";
import {
  utf8Length,
  varintLength,
  varlongLength,
  writeUtf8,
  writeVarint,
  writeVarlong,
} from "./record-writer.ts";
import type { RecordHeader } from "./types.ts";

export interface RecordInput {
  /** Milliseconds since 1970, or −1 for none. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly RecordHeader[];
}

export interface BatchInput extends BatchFields {
  /** At least one; they get the offsets baseOffset, baseOffset + 1, … */
  readonly records: readonly RecordInput[];
}

/** Records that are encoded already: their offset deltas are 0, 1, 2, … */
export interface EncodedRecords {
  readonly records: Uint8Array;
  readonly recordCount: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
}

/** What a batch is beside its records. */
export interface BatchFields {
  readonly codec: CodecName;
  readonly baseOffset?: number;
  readonly partitionLeaderEpoch?: number;
  /** Default CreateTime. With LogAppendTime, `maxTimestamp` is the time of all records. */
  readonly timestampType?: TimestampType;
  /** Default: the first record's timestamp. */
  readonly baseTimestamp?: number;
  /** Default: the greatest of the records' timestamps. */
  readonly maxTimestamp?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly isTransactional?: boolean;
  readonly isControl?: boolean;
}

const batchBytesMax = 2 ** 31 - 1;

/**
 * Encodes one batch into a fresh buffer; nothing of the input is kept.
 * @throws StreamError `record_too_large` when the batch would pass 2 GiB, Kafka's own limit.
 */
export function encodeBatch(
  input: BatchInput,
  tools: { readonly codecs: Codecs; readonly crc32c: Crc32c },
): Uint8Array {
  const { records, codec } = input;
  const first = records[0];
  assert(first !== undefined, "a batch has a record");
  const baseTimestamp = input.baseTimestamp ?? first.timestamp;
  const bodyBytes = new Float64Array(records.length);
  const recordsBytes = measure(records, baseTimestamp, bodyBytes);
  requireBatchBytes(recordsBytes);
  let batch: Uint8Array;
  if (codec === "none") {
    batch = new Uint8Array(batchHeaderBytes + recordsBytes);
    writeRecords(batch, batchHeaderBytes, { records, baseTimestamp, bodyBytes });
  } else {
    const plain = new Uint8Array(recordsBytes);
    writeRecords(plain, 0, { records, baseTimestamp, bodyBytes });
    const packed = tools.codecs.compress(codec, plain);
    batch = new Uint8Array(batchHeaderBytes + packed.length);
    batch.set(packed, batchHeaderBytes);
  }
  writeHeader(batch, input, {
    recordCount: records.length,
    baseTimestamp,
    maxTimestamp: input.maxTimestamp ?? greatestTimestamp(records),
  });
  writeInt32(batch, layout.crc, tools.crc32c.of(batch.subarray(layout.attributes)));
  return batch;
}

/**
 * Puts a batch around records that a kernel has encoded, into what `take` gives; default: a fresh
 * buffer.
 * @throws StreamError `record_too_large`, as `encodeBatch`
 */
export function encloseRecords(
  encoded: EncodedRecords,
  fields: Omit<BatchFields, "baseTimestamp" | "maxTimestamp">,
  tools: { readonly codecs: Codecs; readonly crc32c: Crc32c },
  take: (length: number) => Uint8Array = (length) => new Uint8Array(length),
): Uint8Array {
  assert(encoded.recordCount > 0, "a batch has a record");
  const { codec } = fields;
  requireBatchBytes(encoded.records.length);
  const { records } = encoded;
  const body = codec === "none" ? records : tools.codecs.compress(codec, records);
  const batch = take(batchHeaderBytes + body.length);
  writeHeader(batch, fields, encoded);
  // The records are summed where they came from: that may cost less there.
  const head = tools.crc32c.of(batch.subarray(layout.attributes, batchHeaderBytes));
  writeInt32(batch, layout.crc, tools.crc32c.of(body, head));
  batch.set(body, batchHeaderBytes);
  return batch;
}

function requireBatchBytes(recordsBytes: number): void {
  if (batchHeaderBytes + recordsBytes <= batchBytesMax) return;
  throw new StreamError(
    "record_too_large",
    `Cannot encode a record batch of ${recordsBytes} bytes: its format ends at 2 GiB`,
  );
}

/**
 * Bytes that `record` takes in an uncompressed batch at most, wherever it stands in it: for whoever
 * splits records into batches of a size.
 */
export function recordBytesUpperBound(record: RecordInput): number {
  // Length, attributes, timestamp delta and offset delta at their longest.
  return 5 + 1 + 10 + 5 + contentBytes(record);
}

function measure(
  records: readonly RecordInput[],
  baseTimestamp: number,
  bodyBytes: Float64Array,
): number {
  let total = 0;
  let index = 0;
  for (const record of records) {
    const body =
      1 +
      varlongLength(record.timestamp - baseTimestamp) +
      varintLength(index) +
      contentBytes(record);
    bodyBytes[index++] = body;
    total += varintLength(body) + body;
  }
  return total;
}

/** Key, value and headers with their lengths. */
function contentBytes(record: RecordInput): number {
  const { headers } = record;
  let bytes = nullableBytes(record.key) + nullableBytes(record.value);
  if (headers === undefined || headers.length === 0) return bytes + 1;
  bytes += varintLength(headers.length);
  for (const header of headers) {
    const keyLength = utf8Length(header.key);
    bytes += varintLength(keyLength) + keyLength + nullableBytes(header.value);
  }
  return bytes;
}

function nullableBytes(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintLength(bytes.length) + bytes.length;
}

interface RecordsToWrite {
  readonly records: readonly RecordInput[];
  readonly baseTimestamp: number;
  readonly bodyBytes: Float64Array;
}

function writeRecords(target: Uint8Array, start: number, what: RecordsToWrite): void {
  let position = start;
  let index = 0;
  for (const record of what.records) {
    position = writeVarint(target, position, what.bodyBytes[index] as number);
    target[position++] = 0;
    position = writeVarlong(target, position, record.timestamp - what.baseTimestamp);
    position = writeVarint(target, position, index++);
    position = writeNullable(target, position, record.key);
    position = writeNullable(target, position, record.value);
    const { headers } = record;
    if (headers === undefined || headers.length === 0) {
      target[position++] = 0;
      continue;
    }
    position = writeVarint(target, position, headers.length);
    for (const header of headers) {
      position = writeUtf8(target, position, header.key);
      position = writeNullable(target, position, header.value);
    }
  }
  assert(position === target.length, "the measured length is the written one");
}

function writeNullable(target: Uint8Array, start: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeVarint(target, start, -1);
  const position = writeVarint(target, start, bytes.length);
  target.set(bytes, position);
  return position + bytes.length;
}

function writeHeader(
  batch: Uint8Array,
  input: BatchFields,
  records: Omit<EncodedRecords, "records">,
): void {
  let attributes = codecNames.indexOf(input.codec);
  if (input.timestampType === "LogAppendTime") attributes |= attributeBits.logAppendTime;
  if (input.isTransactional === true) attributes |= attributeBits.transactional;
  if (input.isControl === true) attributes |= attributeBits.control;
  writeInt64(batch, layout.baseOffset, input.baseOffset ?? 0);
  writeInt32(batch, layout.batchLength, batch.length - batchPrefixBytes);
  writeInt32(batch, layout.partitionLeaderEpoch, input.partitionLeaderEpoch ?? -1);
  batch[layout.magic] = batchMagic;
  writeInt16(batch, layout.attributes, attributes);
  writeInt32(batch, layout.lastOffsetDelta, records.recordCount - 1);
  writeInt64(batch, layout.baseTimestamp, records.baseTimestamp);
  writeInt64(batch, layout.maxTimestamp, records.maxTimestamp);
  writeInt64(batch, layout.producerId, input.producerId ?? noProducerId);
  writeInt16(batch, layout.producerEpoch, input.producerEpoch ?? -1);
  writeInt32(batch, layout.baseSequence, input.baseSequence ?? noSequence);
  writeInt32(batch, layout.recordCount, records.recordCount);
}

function greatestTimestamp(records: readonly RecordInput[]): number {
  let greatest = noTimestamp;
  for (const { timestamp } of records) if (timestamp > greatest) greatest = timestamp;
  return greatest;
}

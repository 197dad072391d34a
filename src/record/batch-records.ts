/**
 * From a stored batch back to records. The bytes were validated when they came in and checksummed
 * since, so what is malformed here is damage: `corrupt_record`.
 */
import type { Codecs } from "../base/codecs.ts";
import { readBatchHeader } from "./batch.ts";
import { batchLayout } from "./batch-layout.ts";
import { RecordReader } from "./record-reader.ts";
import type { LogRecord, RecordHeader } from "./types.ts";

export interface DecodeRecordsOptions {
  readonly codecs: Codecs;
  /** Bound of the records in bytes once decompressed; over it: `record_too_large`. */
  readonly sizeMax: number;
  /** Records below are skipped without being built. */
  readonly fromOffset?: number;
}

const noHeaders: readonly RecordHeader[] = Object.freeze([]);
const utf8 = new TextDecoder();

/**
 * Decodes the records of the batch at the start of `batch`, with absolute offsets; in a
 * LogAppendTime batch all have its maxTimestamp. Keys and values are views: of `batch` when it is
 * not compressed, else of one buffer that they keep alive. The CRC is not checked here.
 * @throws StreamError as readBatchHeader, `corrupt_record`, `record_too_large`.
 */
export function* decodeRecords(
  batch: Uint8Array,
  options: DecodeRecordsOptions,
): Generator<LogRecord, void, undefined> {
  const header = readBatchHeader(batch, 0);
  const packed = batch.subarray(batchLayout.records, header.sizeBytes);
  const records =
    header.codec === "none"
      ? packed
      : options.codecs.decompress(header.codec, packed, { sizeMax: options.sizeMax });
  const fromOffset = options.fromOffset ?? 0;
  const appendTime = header.timestampType === "LogAppendTime" ? header.maxTimestamp : undefined;
  const reader = new RecordReader(records, "corrupt_record");
  for (let index = 0; index < header.recordCount; index++) {
    reader.enter();
    const timestamp = header.baseTimestamp + reader.varlong();
    const offset = header.baseOffset + reader.varint();
    if (offset < fromOffset) {
      reader.position = reader.limit;
      continue;
    }
    const key = reader.view("a key");
    const value = reader.view("a value");
    const headers = readHeaders(reader);
    reader.leave();
    yield { offset, timestamp: appendTime ?? timestamp, key, value, headers };
  }
  if (reader.position !== records.length) {
    throw reader.refuse(`is the last and ${records.length - reader.position} bytes follow`);
  }
}

function readHeaders(reader: RecordReader): readonly RecordHeader[] {
  const count = reader.headerCount();
  if (count === 0) return noHeaders;
  const headers: RecordHeader[] = [];
  for (let index = 0; index < count; index++) {
    const key = reader.view("a header key");
    if (key === null) throw reader.refuse("has a header without a key");
    headers.push({ key: utf8.decode(key), value: reader.view("a header value") });
  }
  return headers;
}

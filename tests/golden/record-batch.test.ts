/** Batches that foreign clients wrote; see generate/record-batch/README.md. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { type CodecName, codecNames } from "../../src/base/codecs.ts";
import { batchesIn, readBatchHeader, stampBatch } from "../../src/record/batch.ts";
import { encodeBatch, type RecordInput } from "../../src/record/batch-encode.ts";
import { decodeRecords } from "../../src/record/batch-records.ts";
import { validateBatch } from "../../src/record/batch-validate.ts";
import type { LogRecord } from "../../src/record/types.ts";
import { largeRecords, smallRecords } from "../support/golden-records.ts";
import { codecs, crc32c } from "../support/record-tools.ts";

const sizeMax = 1 << 20;
const validation = { crc32c, codecs, decompressedBytesMax: sizeMax };
const compressing = codecNames.filter((codec) => codec !== "none");

function fixture(name: string): Uint8Array {
  return new Uint8Array(
    readFileSync(new URL(`fixtures/record-batch/${name}.bin`, import.meta.url)),
  );
}

/** Validates and decodes every batch of a fixture; what validation corrects must be nothing. */
function recordsOf(bytes: Uint8Array, codec: CodecName): LogRecord[] {
  const records: LogRecord[] = [];
  for (const batch of batchesIn(bytes)) {
    // As the producer sent it: the base offset is the log's.
    const sent = batch.bytes.slice();
    stampBatch(sent, 0, { baseOffset: 0, leaderEpoch: -1 });
    const copy = sent.slice();
    const { header } = validateBatch(copy, validation);
    expect(header).toEqual(readBatchHeader(sent));
    expect(copy).toEqual(sent);
    expect(header.codec).toBe(codec);
    records.push(...decodeRecords(batch.bytes, { codecs, sizeMax }));
  }
  return records;
}

function expected(inputs: readonly RecordInput[], baseOffset: number): LogRecord[] {
  return inputs.map(({ timestamp, key, value, headers }, index) => ({
    offset: baseOffset + index,
    timestamp,
    key,
    value,
    headers: headers ?? [],
  }));
}

function withoutTimestamps(records: readonly LogRecord[]): LogRecord[] {
  return records.map((record) => ({ ...record, timestamp: 0 }));
}

describe("Java's client", () => {
  test.each([...codecNames])("batch of codec %s gives its records and header", (codec) => {
    const bytes = fixture(`java-${codec}`);
    expect(readBatchHeader(bytes)).toMatchObject({
      baseOffset: 1000,
      sizeBytes: bytes.length,
      partitionLeaderEpoch: 5,
      codec,
      timestampType: "CreateTime",
      isTransactional: false,
      isControl: false,
      lastOffsetDelta: 39,
      baseTimestamp: 1_700_000_000_000,
      maxTimestamp: 1_700_000_000_000 + 35 * 35,
      producerId: 4242,
      producerEpoch: 3,
      baseSequence: 7,
      recordCount: 40,
    });
    expect(recordsOf(bytes, codec)).toEqual(expected(smallRecords, 1000));
  });

  test.each(compressing)("large batch of codec %s gives its records", (codec) => {
    expect(recordsOf(fixture(`java-large-${codec}`), codec)).toEqual(expected(largeRecords, 1000));
  });

  test("uncompressed batch is byte for byte the one we encode", () => {
    const input = {
      records: smallRecords,
      codec: "none",
      baseOffset: 1000,
      partitionLeaderEpoch: 5,
      producerId: 4242,
      producerEpoch: 3,
      baseSequence: 7,
    } as const;
    expect(encodeBatch(input, { codecs, crc32c })).toEqual(fixture("java-none"));
    const transactional = encodeBatch({ ...input, isTransactional: true }, { codecs, crc32c });
    expect(transactional).toEqual(fixture("java-transactional"));
  });

  test("LogAppendTime batch gives every record the append time", () => {
    const records = [...decodeRecords(fixture("java-log-append-time"), { codecs, sizeMax })];
    const times = new Set(records.map((record) => record.timestamp));
    expect([...times]).toEqual([1_700_000_999_999]);
  });

  test("commit marker reads as a control batch", () => {
    const bytes = fixture("java-control");
    expect(readBatchHeader(bytes)).toMatchObject({
      isControl: true,
      isTransactional: true,
      recordCount: 1,
    });
    const [marker] = [...decodeRecords(bytes, { codecs, sizeMax })];
    expect(marker?.key).toEqual(Uint8Array.of(0, 0, 0, 1));
  });
});

describe("franz-go", () => {
  test.each([...codecNames])("batch of codec %s gives its records", (codec) => {
    expect(recordsOf(fixture(`franz-go-${codec}`), codec)).toEqual(expected(smallRecords, 0));
  });

  test.each(compressing)("large batch of codec %s gives its records", (codec) => {
    const records = recordsOf(fixture(`franz-go-large-${codec}`), codec);
    expect(records).toEqual(expected(largeRecords, 0));
  });
});

describe("librdkafka", () => {
  // kcat sends its own time, and the same headers with every record.
  test.each([...codecNames])("batch of codec %s gives its records", (codec) => {
    const headers = [
      { key: "trace", value: new TextEncoder().encode("t") },
      { key: "ünïcode-✓", value: null },
    ];
    const sent = expected(smallRecords, 0).map((record) => ({ ...record, headers }));
    const records = recordsOf(fixture(`librdkafka-${codec}`), codec);
    expect(withoutTimestamps(records)).toEqual(withoutTimestamps(sent));
  });

  test.each(compressing)("large batch of codec %s gives its records", (codec) => {
    const records = recordsOf(fixture(`librdkafka-large-${codec}`), codec);
    expect(withoutTimestamps(records)).toEqual(withoutTimestamps(expected(largeRecords, 0)));
  });
});

import { describe, expect, test } from "bun:test";
import { checkBatchCrc, readBatchHeader } from "../../../src/record/batch.ts";
import {
  encodeBatch,
  type RecordInput,
  recordBytesUpperBound,
} from "../../../src/record/batch-encode.ts";
import { largeRecords, smallRecords } from "../../support/golden-records.ts";
import { codecs, crc32c } from "../../support/record-tools.ts";

const tools = { codecs, crc32c };

describe("encodeBatch", () => {
  test("writes what it is told into the header", () => {
    const batch = encodeBatch(
      {
        records: smallRecords,
        codec: "zstd",
        baseOffset: 2 ** 45,
        partitionLeaderEpoch: 8,
        timestampType: "LogAppendTime",
        baseTimestamp: 5,
        maxTimestamp: 6,
        producerId: 2 ** 50,
        producerEpoch: 32767,
        baseSequence: 2 ** 31 - 1,
        isTransactional: true,
        isControl: true,
      },
      tools,
    );
    checkBatchCrc(batch, crc32c);
    expect(readBatchHeader(batch)).toMatchObject({
      baseOffset: 2 ** 45,
      sizeBytes: batch.length,
      partitionLeaderEpoch: 8,
      codec: "zstd",
      timestampType: "LogAppendTime",
      isTransactional: true,
      isControl: true,
      hasDeleteHorizon: false,
      lastOffsetDelta: 39,
      baseTimestamp: 5,
      maxTimestamp: 6,
      producerId: 2 ** 50,
      producerEpoch: 32767,
      baseSequence: 2 ** 31 - 1,
      recordCount: 40,
    });
  });

  test("writes no producer, no leader and the records' own timestamps by default", () => {
    const header = readBatchHeader(encodeBatch({ records: smallRecords, codec: "none" }, tools));
    expect(header).toMatchObject({
      baseOffset: 0,
      partitionLeaderEpoch: -1,
      producerId: -1,
      producerEpoch: -1,
      baseSequence: -1,
      baseTimestamp: 1_700_000_000_000,
      maxTimestamp: 1_700_000_001_225,
    });
  });

  test("keeps nothing of its input", () => {
    const value = new Uint8Array(10);
    const batch = encodeBatch(
      { records: [{ timestamp: 0, key: null, value }], codec: "none" },
      tools,
    );
    value.fill(1);
    checkBatchCrc(batch, crc32c);
  });

  test("refuses an empty batch as a mistake of its caller", () => {
    expect(() => encodeBatch({ records: [], codec: "none" }, tools)).toThrow("Broken invariant");
  });
});

test("recordBytesUpperBound is never below what records take", () => {
  const odd: RecordInput = {
    timestamp: -(2 ** 53) + 1,
    key: new Uint8Array(0),
    value: null,
    headers: [{ key: "", value: new Uint8Array(0) }],
  };
  for (const records of [[odd], [...smallRecords, odd], largeRecords]) {
    const bound = records.reduce((sum, record) => sum + recordBytesUpperBound(record), 0);
    const bytes = encodeBatch({ records, codec: "none" }, tools).length - 61;
    expect(bound).toBeGreaterThanOrEqual(bytes);
    expect(bound - bytes).toBeLessThanOrEqual(records.length * 21);
  }
});

import { describe, expect, test } from "bun:test";
import { isStreamError } from "../../../src/base/stream-error.ts";
import {
  batchesIn,
  batchSizeAt,
  checkBatchCrc,
  readBatchHeader,
  requireOneBatch,
  setLogAppendTime,
  setMaxTimestamp,
  stampBatch,
} from "../../../src/record/batch.ts";
import { encodeBatch } from "../../../src/record/batch-encode.ts";
import { smallRecords } from "../../support/golden-records.ts";
import { codecs, crc32c } from "../../support/record-tools.ts";

const batch = encodeBatch({ records: smallRecords.slice(0, 3), codec: "none" }, { codecs, crc32c });

function changed(change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = batch.slice();
  change(new DataView(bytes.buffer), bytes);
  return bytes;
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const ofCode = (code: string) => expect.objectContaining({ code });

describe("readBatchHeader", () => {
  test("reads a batch in the middle of a buffer", () => {
    const header = readBatchHeader(joined(batch, batch, batch), batch.length);
    expect(header).toEqual(readBatchHeader(batch));
    expect(header.sizeBytes).toBe(batch.length);
    expect(header.producerId).toBe(-1);
    expect(header.baseSequence).toBe(-1);
  });

  test("refuses a batch cut at any byte", () => {
    for (let length = 0; length < batch.length; length++) {
      expect(() => readBatchHeader(batch.subarray(0, length))).toThrow(ofCode("corrupt_record"));
    }
  });

  test("refuses a length below the header's and a negative one", () => {
    for (const length of [0, 48, -1, -(2 ** 31)]) {
      const bytes = changed((view) => view.setInt32(8, length));
      expect(() => readBatchHeader(bytes)).toThrow(ofCode("corrupt_record"));
    }
  });

  test("refuses old formats as such and unknown ones as corrupt", () => {
    for (const [magic, code] of [
      [0, "invalid_record"],
      [1, "invalid_record"],
      [3, "corrupt_record"],
      [255, "corrupt_record"],
    ] as const) {
      const bytes = changed((view) => view.setUint8(16, magic));
      expect(() => readBatchHeader(bytes)).toThrow(ofCode(code));
    }
  });

  test.each([5, 6, 7])("refuses codec %d", (codec) => {
    const bytes = changed((view) => view.setUint16(21, codec));
    expect(() => readBatchHeader(bytes)).toThrow(ofCode("unsupported_compression"));
  });

  test.each([0, 27, 35, 43])("refuses an int64 beyond 2^53 at byte %d", (position) => {
    const bytes = changed((view) => view.setBigInt64(position, 2n ** 53n));
    expect(() => readBatchHeader(bytes)).toThrow(ofCode("corrupt_record"));
  });
});

describe("batchesIn", () => {
  test("gives each batch with its position and a view of its bytes", () => {
    const buffer = joined(batch, batch);
    const slices = [...batchesIn(buffer)];
    expect(slices.map(({ position }) => position)).toEqual([0, batch.length]);
    for (const slice of slices) expect(slice.bytes).toEqual(batch);
    expect(slices[1]?.bytes.buffer).toBe(buffer.buffer);
  });

  test("throws at a batch that is cut", () => {
    const walk = batchesIn(joined(batch, batch.subarray(0, 40)));
    expect(walk.next().done).toBe(false);
    expect(() => walk.next()).toThrow(ofCode("corrupt_record"));
  });
});

describe("requireOneBatch", () => {
  test("takes exactly one", () => {
    expect(requireOneBatch(batch)).toBe(batch.length);
    for (const set of [new Uint8Array(0), joined(batch, batch), joined(batch, batch.slice(0, 1))]) {
      expect(() => requireOneBatch(set)).toThrow(ofCode("invalid_record"));
    }
    expect(() => requireOneBatch(batch.subarray(1))).toThrow();
  });
});

describe("stampBatch", () => {
  test("sets base offset and leader epoch and leaves the CRC valid", () => {
    const buffer = joined(batch, batch);
    stampBatch(buffer, batch.length, { baseOffset: 2 ** 40 + 7, leaderEpoch: 12 });
    const [first, second] = [...batchesIn(buffer)];
    expect(first?.bytes).toEqual(batch);
    expect(second?.header.baseOffset).toBe(2 ** 40 + 7);
    expect(second?.header.partitionLeaderEpoch).toBe(12);
    for (const { bytes } of batchesIn(buffer)) checkBatchCrc(bytes, crc32c);
  });
});

describe("setLogAppendTime", () => {
  test("changes attributes, maxTimestamp and CRC only", () => {
    const bytes = batch.slice();
    setLogAppendTime(bytes, 1_800_000_000_123, crc32c);
    checkBatchCrc(bytes, crc32c);
    const header = readBatchHeader(bytes);
    expect(header.timestampType).toBe("LogAppendTime");
    expect(header.maxTimestamp).toBe(1_800_000_000_123);
    const differing = [...bytes.keys()].filter((index) => bytes[index] !== batch[index]);
    const allowed = differing.filter((p) => (p >= 17 && p < 23) || (p >= 35 && p < 43));
    expect(differing).toEqual(allowed);
  });

  test("setMaxTimestamp keeps CreateTime", () => {
    const bytes = batch.slice();
    setMaxTimestamp(bytes, -1, crc32c);
    checkBatchCrc(bytes, crc32c);
    expect(readBatchHeader(bytes)).toMatchObject({ timestampType: "CreateTime", maxTimestamp: -1 });
  });
});

test("checkBatchCrc refuses every flipped bit that it covers", () => {
  for (let position = 17; position < batch.length; position++) {
    const bytes = batch.slice();
    bytes[position] = (bytes[position] as number) ^ (1 << (position % 8));
    expect(() => checkBatchCrc(bytes, crc32c)).toThrow(ofCode("corrupt_record"));
  }
});

test("batchSizeAt gives what readBatchHeader gives", () => {
  expect(batchSizeAt(joined(batch, batch), batch.length)).toBe(batch.length);
  let error: unknown;
  try {
    batchSizeAt(batch, 5);
  } catch (thrown) {
    error = thrown;
  }
  expect(isStreamError(error)).toBe(true);
});

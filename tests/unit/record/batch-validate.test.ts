import { describe, expect, test } from "bun:test";
import { codecNames } from "../../../src/base/codecs.ts";
import { isStreamError } from "../../../src/base/stream-error.ts";
import { checkBatchCrc, readBatchHeader } from "../../../src/record/batch.ts";
import { type BatchInput, encodeBatch } from "../../../src/record/batch-encode.ts";
import { decodeRecords } from "../../../src/record/batch-records.ts";
import { type ValidateBatchOptions, validateBatch } from "../../../src/record/batch-validate.ts";
import { smallRecords } from "../../support/golden-records.ts";
import { codecs, crc32c } from "../../support/record-tools.ts";

const sizeMax = 1 << 20;
const options: ValidateBatchOptions = { crc32c, codecs, decompressedBytesMax: sizeMax };
const records = smallRecords.slice(0, 4);

function encoded(input: Partial<BatchInput> = {}): Uint8Array {
  return encodeBatch({ records, codec: "none", ...input }, { codecs, crc32c });
}

/** A batch with a change that its CRC covers, the CRC being right. */
function changed(change: (view: DataView) => void, input: Partial<BatchInput> = {}): Uint8Array {
  const batch = encoded(input);
  const view = new DataView(batch.buffer);
  change(view);
  view.setUint32(17, crc32c.of(batch.subarray(21)));
  return batch;
}

function codeOf(batch: Uint8Array, more: Partial<ValidateBatchOptions> = {}): string {
  try {
    validateBatch(batch, { ...options, ...more });
    return "accepted";
  } catch (error) {
    if (!isStreamError(error)) throw error;
    return error.code;
  }
}

describe("validateBatch", () => {
  test.each([...codecNames])("accepts a batch of codec %s and leaves it as it came", (codec) => {
    const batch = encoded({ codec, producerId: 1, producerEpoch: 0, baseSequence: 0 });
    const copy = batch.slice();
    expect(validateBatch(batch, options).header).toEqual(readBatchHeader(copy));
    expect(batch).toEqual(copy);
  });

  test("refuses a batch with bytes after it", () => {
    const longer = new Uint8Array(200_000);
    longer.set(encoded());
    expect(codeOf(longer)).toBe("invalid_record");
  });

  test("refuses a wrong CRC before it looks further", () => {
    const batch = encoded();
    new DataView(batch.buffer).setInt32(57, -1);
    expect(codeOf(batch)).toBe("corrupt_record");
  });

  test("refuses counts that disagree", () => {
    expect(codeOf(changed((view) => view.setInt32(23, -1)))).toBe("invalid_record");
    expect(codeOf(changed((view) => view.setInt32(57, 0)))).toBe("invalid_record");
    expect(codeOf(changed((view) => view.setInt32(57, 3)))).toBe("invalid_record");
    const oneMore = changed((view) => {
      view.setInt32(23, 4);
      view.setInt32(57, 5);
    });
    expect(codeOf(oneMore)).toBe("invalid_record");
    const oneLess = changed((view) => {
      view.setInt32(23, 2);
      view.setInt32(57, 3);
    });
    expect(codeOf(oneLess)).toBe("invalid_record");
  });

  test("refuses what only the log may set", () => {
    expect(codeOf(encoded({ isControl: true }))).toBe("invalid_record");
    expect(codeOf(changed((view) => view.setUint16(21, 0x40)))).toBe("invalid_record");
    expect(codeOf(changed((view) => view.setUint16(21, 0x80)))).toBe("invalid_record");
    expect(codeOf(changed((view) => view.setUint16(21, 0x8000)))).toBe("invalid_record");
    expect(codeOf(encoded({ timestampType: "LogAppendTime" }))).toBe("invalid_timestamp");
  });

  test("refuses producer fields that do not fit each other", () => {
    expect(codeOf(encoded({ producerId: 5, producerEpoch: 0 }))).toBe("invalid_record");
    expect(codeOf(encoded({ producerId: 5, baseSequence: 0 }))).toBe("invalid_record");
    expect(codeOf(encoded({ producerId: -2 }))).toBe("invalid_record");
    expect(codeOf(encoded({ isTransactional: true }))).toBe("invalid_record");
    const whole = { producerId: 5, producerEpoch: 0, baseSequence: 2 ** 31 - 1 };
    expect(codeOf(encoded({ ...whole, isTransactional: true }))).toBe("accepted");
  });

  test("corrects a maxTimestamp that is not its records', as Kafka does", () => {
    const right = encoded();
    for (const stated of [0, 2 ** 52]) {
      const batch = encoded({ maxTimestamp: stated });
      const { header } = validateBatch(batch, options);
      checkBatchCrc(batch, crc32c);
      expect(header).toEqual(readBatchHeader(right));
      expect(batch).toEqual(right);
    }
  });

  test("holds timestamps to their bounds, inclusive, and lets -1 pass", () => {
    const at = (timestamp: number) => encoded({ records: [{ timestamp, key: null, value: null }] });
    const timestampBounds = { min: 1000, max: 2000 };
    for (const [timestamp, code] of [
      [999, "invalid_timestamp"],
      [1000, "accepted"],
      [2000, "accepted"],
      [2001, "invalid_timestamp"],
      [-1, "accepted"],
    ] as const) {
      expect(codeOf(at(timestamp), { timestampBounds })).toBe(code);
    }
    expect(() => validateBatch(at(5), { ...options, timestampBounds })).toThrow(
      expect.objectContaining({ details: { recordIndex: 0 } }),
    );
  });

  test("demands keys where the topic is compacted", () => {
    expect(codeOf(encoded(), { keysRequired: true })).toBe("invalid_record");
    const keyed = encoded({ records: records.slice(0, 3) });
    expect(codeOf(keyed, { keysRequired: true })).toBe("accepted");
  });

  test("bounds what a batch decompresses to", () => {
    const value = new Uint8Array(100_000);
    for (const codec of codecNames) {
      if (codec === "none") continue;
      const bomb = encoded({ codec, records: [{ timestamp: 0, key: null, value }] });
      expect(codeOf(bomb, { decompressedBytesMax: 99_999 })).toBe("record_too_large");
      expect(codeOf(bomb, { decompressedBytesMax: 100_100 })).toBe("accepted");
    }
  });

  test("calls a batch whose bytes are of another codec corrupt", () => {
    for (const codec of [1, 2, 3, 4]) {
      expect(codeOf(changed((view) => view.setUint16(21, codec)))).toBe("corrupt_record");
    }
  });

  test("refuses a batch cut at any byte", () => {
    for (const codec of codecNames) {
      const batch = encoded({ codec });
      for (let length = 0; length < batch.length; length++) {
        expect(codeOf(batch.slice(0, length))).toBe("invalid_record");
      }
    }
  });

  test("refuses every flipped bit but those of the leader epoch", () => {
    const batch = encoded();
    for (let bit = 0; bit < batch.length * 8; bit++) {
      const position = bit >>> 3;
      if (position >= 12 && position < 16) continue;
      const flipped = batch.slice();
      flipped[position] = (flipped[position] as number) ^ (1 << (bit & 7));
      expect(codeOf(flipped)).not.toBe("accepted");
    }
  });

  test("accepts with a right CRC only what can be read back", () => {
    for (const codec of codecNames) {
      const batch = encoded({ codec });
      for (let bit = 21 * 8; bit < batch.length * 8; bit++) {
        const flipped = batch.slice();
        flipped[bit >>> 3] = (flipped[bit >>> 3] as number) ^ (1 << (bit & 7));
        new DataView(flipped.buffer).setUint32(17, crc32c.of(flipped.subarray(21)));
        if (codeOf(flipped) !== "accepted") continue;
        const offsets = [...decodeRecords(flipped, { codecs, sizeMax })].map((r) => r.offset);
        expect(offsets).toEqual([0, 1, 2, 3]);
      }
    }
  });
});

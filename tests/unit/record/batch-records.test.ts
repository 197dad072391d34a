import { describe, expect, test } from "bun:test";
import { setLogAppendTime } from "../../../src/record/batch.ts";
import { encodeBatch } from "../../../src/record/batch-encode.ts";
import { decodeRecords } from "../../../src/record/batch-records.ts";
import { smallRecords } from "../../support/golden-records.ts";
import { codecs, crc32c } from "../../support/record-tools.ts";

const options = { codecs, sizeMax: 1 << 20 };
const input = { records: smallRecords, codec: "none", baseOffset: 500 } as const;
const batch = encodeBatch(input, { codecs, crc32c });
const corrupt = expect.objectContaining({ code: "corrupt_record" });

describe("decodeRecords", () => {
  test("skips what lies below fromOffset", () => {
    const offsets = [...decodeRecords(batch, { ...options, fromOffset: 537 })].map((r) => r.offset);
    expect(offsets).toEqual([537, 538, 539]);
    expect([...decodeRecords(batch, { ...options, fromOffset: 540 })]).toEqual([]);
  });

  test("gives views of an uncompressed batch", () => {
    const [first] = [...decodeRecords(batch, options)];
    expect(first?.value?.buffer).toBe(batch.buffer);
  });

  test("reads the first batch of several", () => {
    const two = new Uint8Array(batch.length * 2);
    two.set(batch);
    two.set(batch, batch.length);
    expect([...decodeRecords(two, options)]).toHaveLength(40);
  });

  test("gives a LogAppendTime batch's time to every record", () => {
    const stamped = batch.slice();
    setLogAppendTime(stamped, 77, crc32c);
    expect([...decodeRecords(stamped, options)].every((r) => r.timestamp === 77)).toBe(true);
  });

  test("calls damage corrupt", () => {
    const wrongCount = batch.slice();
    new DataView(wrongCount.buffer).setInt32(57, 39);
    expect(() => [...decodeRecords(wrongCount, options)]).toThrow(corrupt);
    new DataView(wrongCount.buffer).setInt32(57, 41);
    expect(() => [...decodeRecords(wrongCount, options)]).toThrow(corrupt);
    const wrongLength = batch.slice();
    wrongLength[61] = 0x7f;
    expect(() => [...decodeRecords(wrongLength, options)]).toThrow(corrupt);
  });

  test("bounds what it decompresses", () => {
    const packed = encodeBatch({ ...input, codec: "gzip" }, { codecs, crc32c });
    expect(() => [...decodeRecords(packed, { codecs, sizeMax: 1000 })]).toThrow(
      expect.objectContaining({ code: "record_too_large" }),
    );
  });
});

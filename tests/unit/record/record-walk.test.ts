import { describe, expect, test } from "bun:test";
import { encodeBatch, type RecordInput } from "../../../src/record/batch-encode.ts";
import { walkRecords } from "../../../src/record/record-walk.ts";
import { smallRecords } from "../../support/golden-records.ts";
import { codecs, crc32c } from "../../support/record-tools.ts";

function recordsOf(records: readonly RecordInput[]): Uint8Array {
  return encodeBatch({ records, codec: "none" }, { codecs, crc32c }).slice(61);
}

function walk(records: Uint8Array, recordCount: number, baseTimestamp = 0) {
  const options = { recordCount, baseTimestamp, timestampBounds: undefined, keysRequired: false };
  return walkRecords(records, options);
}

const invalid = expect.objectContaining({ code: "invalid_record" });
const { timestamp: base } = smallRecords[0] as RecordInput;

describe("walkRecords", () => {
  test("gives the least and the greatest timestamp", () => {
    const times = smallRecords.map(({ timestamp }) => timestamp);
    const range = { least: Math.min(...times), greatest: base + 35 * 35 };
    expect(walk(recordsOf(smallRecords), 40, base)).toEqual(range);
    const without = { least: -1, greatest: -1 };
    expect(walk(recordsOf([{ timestamp: -1, key: null, value: null }]), 1, -1)).toEqual(without);
  });

  test("refuses records cut at any byte", () => {
    const records = recordsOf(smallRecords.slice(0, 4));
    for (let length = 0; length < records.length; length++) {
      expect(() => walk(records.subarray(0, length), 4, base)).toThrow(invalid);
    }
  });

  test("refuses more or fewer records than are counted", () => {
    const records = recordsOf(smallRecords);
    expect(() => walk(records, 39, base)).toThrow("follow its 39 records");
    expect(() => walk(records, 41, base)).toThrow(invalid);
  });

  test("refuses offset deltas that do not count from 0", () => {
    const one = Uint8Array.of(12, 0, 0, 2, 1, 1, 0);
    expect(() => walk(one, 1)).toThrow("offset delta 1");
    one[3] = 0;
    expect(walk(one, 1)).toEqual({ least: 0, greatest: 0 });
  });

  test("refuses a header without a key", () => {
    expect(() => walk(Uint8Array.of(16, 0, 0, 0, 1, 1, 2, 1, 1), 1)).toThrow("without a key");
  });

  test("refuses timestamps beyond 2^53", () => {
    const record = Uint8Array.of(12, 0, 2, 0, 1, 1, 0);
    expect(() => walk(record, 1, Number.MAX_SAFE_INTEGER)).toThrow(
      expect.objectContaining({ code: "invalid_timestamp" }),
    );
  });
});

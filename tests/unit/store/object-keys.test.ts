import { expect, test } from "bun:test";
import {
  checkKey,
  parseReceiptKey,
  parseSegmentKey,
  receiptKey,
  rollingFileKey,
  segmentKey,
  workerPrefix,
} from "../../../src/store/object-keys.ts";

test("keys tell whose they are", () => {
  const segment = segmentKey({ workerEpoch: 7, sequence: 42 });
  expect(segment).toBe("segments/0000000007/000000000042.segment");
  expect(parseSegmentKey(segment)).toEqual({ kind: "segment", workerEpoch: 7, sequence: 42 });
  const rolling = rollingFileKey({ workerEpoch: 7, fileNumber: 3 });
  expect(rolling).toBe("segments/0000000007/00000003.log");
  expect(parseSegmentKey(rolling)).toEqual({ kind: "rolling", workerEpoch: 7, fileNumber: 3 });
  const receipts = receiptKey({ workerEpoch: 7, lastSequence: 42, tag: 0xbeef });
  expect(receipts).toBe("receipts/0000000007/000000000042-0000beef.receipts");
  expect(parseReceiptKey(receipts)).toEqual({ workerEpoch: 7, lastSequence: 42 });
  expect(segment.startsWith(workerPrefix(7))).toBe(true);
});

test("keys of great numbers still parse", () => {
  const great = { workerEpoch: Number.MAX_SAFE_INTEGER, sequence: Number.MAX_SAFE_INTEGER };
  expect(parseSegmentKey(segmentKey(great))).toEqual({ kind: "segment", ...great });
});

test("other keys are nobody's", () => {
  for (const key of ["segments/7/1.segment", "x/0000000007/00000003.log", "receipts/1", ""]) {
    expect(parseSegmentKey(key)).toBeUndefined();
    expect(parseReceiptKey(key)).toBeUndefined();
  }
});

test("checkKey takes plain paths and refuses what leads elsewhere", () => {
  for (const key of ["a", "a/b.c", "checkpoints/q-1/0001_x~=", "..a/b.."]) checkKey(key);
  for (const key of [
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/..",
    "a b",
    "a%2fb",
    "é",
    "x".repeat(513),
  ]) {
    expect(() => checkKey(key)).toThrow("object key");
  }
});

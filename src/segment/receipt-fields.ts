/** Receipts as bytes: the same fields in a segment's footer and in a receipt object. */
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { receiptEntryLength, receiptHeadLength } from "./layout.ts";
import type { Receipt, ReceiptEntry } from "./segment.ts";

/** Bytes that `writeReceipts` will take. */
export function receiptsLength(receipts: readonly Receipt[]): number {
  let length = 0;
  for (const receipt of receipts) {
    length += receiptHeadLength + receipt.groups.length;
    length += receipt.entries.length * receiptEntryLength;
  }
  return length;
}

export function writeReceipts(writer: ByteWriter, receipts: readonly Receipt[]): void {
  for (const receipt of receipts) {
    writer.i64(receipt.sequence);
    writer.i64(receipt.publishPosition);
    writer.i64(receipt.publishedAt);
    writer.u32(receipt.entries.length);
    writer.u32(receipt.groups.length);
    for (const entry of receipt.entries) {
      writer.u8(entry.verdict);
      writer.i64(entry.baseOffset);
      writer.i32(entry.leaderEpoch);
      writer.u32(entry.appendedCount);
      writer.u32(entry.skippedCount);
    }
    for (const verdict of receipt.groups) writer.u8(verdict);
  }
}

/**
 * Reads `count` receipts; counts are checked against the bytes left before anything is allocated.
 */
export function readReceipts(reader: ByteReader, count: number): readonly Receipt[] {
  reader.expectItems(count, receiptHeadLength, "receipts");
  const receipts: Receipt[] = [];
  for (let index = 0; index < count; index += 1) {
    const sequence = reader.count("receipt sequence");
    const publishPosition = reader.count("receipt publish position");
    const publishedAt = reader.i64("receipt publishedAt");
    const entryCount = reader.u32("receipt entry count");
    const groupCount = reader.u32("receipt group count");
    reader.expectItems(entryCount, receiptEntryLength, "receipt entries");
    const entries: ReceiptEntry[] = [];
    for (let at = 0; at < entryCount; at += 1) {
      entries.push({
        verdict: reader.u8("receipt verdict"),
        baseOffset: reader.i64("receipt base offset"),
        leaderEpoch: reader.i32("receipt leader epoch"),
        appendedCount: reader.u32("receipt appended count"),
        skippedCount: reader.u32("receipt skipped count"),
      });
    }
    const groups = [...reader.bytes(groupCount, "receipt group verdicts")];
    receipts.push({ sequence, publishPosition, publishedAt, entries, groups });
  }
  return receipts;
}

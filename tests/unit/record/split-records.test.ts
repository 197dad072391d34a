import { describe, expect, test } from "bun:test";
import { readBatchHeader } from "../../../src/record/batch.ts";
import { encloseRecords, encodeBatch, type RecordInput } from "../../../src/record/batch-encode.ts";
import { batchHeaderBytes } from "../../../src/record/batch-layout.ts";
import { decodeRecords } from "../../../src/record/batch-records.ts";
import { splitRecords } from "../../../src/record/split-records.ts";
import { createVirtualPlatform } from "../../support/virtual-platform.ts";

const platform = createVirtualPlatform({ seed: 1 });
const bytes = (text: string) => new TextEncoder().encode(text);

function encoded(records: readonly RecordInput[]) {
  const batch = encodeBatch({ records, codec: "none" }, platform);
  const { recordCount, baseTimestamp, maxTimestamp } = readBatchHeader(batch);
  return { records: batch.subarray(batchHeaderBytes), recordCount, baseTimestamp, maxTimestamp };
}

function shown(records: readonly RecordInput[], partitionCount: number) {
  return splitRecords(encoded(records), partitionCount).map(({ partition, ...share }) => {
    const batch = encloseRecords(share, { codec: "none" }, platform);
    const found = [...decodeRecords(batch, { codecs: platform.codecs, sizeMax: 1e6 })];
    const text = (part: Uint8Array | null) => part && new TextDecoder().decode(part);
    return {
      partition,
      maxTimestamp: share.maxTimestamp,
      records: found.map(({ key, value, timestamp, offset }) => [
        ...[offset, timestamp, text(key), text(value)],
      ]),
    };
  });
}

describe("splitRecords", () => {
  test("sends keys where Kafka's Java client does, in their order", () => {
    // Partitions of 4 by Utils.toPositive(Utils.murmur2(key)) % 4 of kafka-clients 3.7:
    // "21" has murmur2 −973932308, "foobar" −790332482, "abc" 479470107.
    const records = ["21", "foobar", "abc", "21", "foobar"].map((key, index) => ({
      ...{ timestamp: 1_000 + index, key: bytes(key), value: bytes(`v${index}`) },
    }));
    const of = (hash: number) => (hash & 0x7fffffff) % 4;
    const expected = new Map<number, unknown[]>();
    for (const [index, hash] of [
      -973932308, -790332482, 479470107, -973932308, -790332482,
    ].entries()) {
      const list = expected.get(of(hash)) ?? [];
      const key = ["21", "foobar", "abc", "21", "foobar"][index];
      list.push([list.length, 1_000 + index, key, `v${index}`]);
      expected.set(of(hash), list);
    }
    const found = shown(records, 4);
    expect(new Map(found.map(({ partition, records: list }) => [partition, list]))).toEqual(
      expected as never,
    );
  });

  test("keeps tombstones, numbers that need longer deltas, and the greatest timestamps", () => {
    const records = Array.from({ length: 400 }, (_, index) => ({
      timestamp: 1_000 + ((index * 37) % 400),
      key: bytes(`key-${index}`),
      value: index % 3 === 0 ? null : bytes("x".repeat(index)),
    }));
    const found = shown(records, 3);
    expect(found.map(({ partition }) => partition)).toEqual([0, 1, 2]);
    const all = found.flatMap(({ records: list }) => list.map((record) => record.slice(1)));
    const wanted = records.map(({ timestamp, key, value }) => [
      ...[timestamp, new TextDecoder().decode(key), value && new TextDecoder().decode(value)],
    ]);
    const byKey = (a: readonly unknown[], b: readonly unknown[]) =>
      String(a[1]) < String(b[1]) ? -1 : 1;
    expect(all.sort(byKey)).toEqual(wanted.sort(byKey));
    for (const { records: list, maxTimestamp } of found) {
      expect(maxTimestamp).toBe(Math.max(...list.map(([, timestamp]) => Number(timestamp))));
      expect(list.map(([offset]) => offset)).toEqual(list.map((_, index) => index));
    }
  });
});

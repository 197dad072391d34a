import { expect, test } from "bun:test";
import { FetchStream, type StreamedPartition } from "../../../../bench/support/fetch-stream.ts";
import { makeBatch } from "../../../../bench/support/record-batches.ts";
import { fetchApi } from "../../../../src/wire/kafka/api/fetch.ts";
import { encodeResponseFrame } from "../../../../src/wire/kafka/request-header.ts";

const batch = makeBatch({ recordBytes: 50, batchBytes: 300 }, 7);
const { recordCount } = batch;
const size = batch.bytes.length;

/** Two partitions with records, the last batch cut, and one without. */
function answer(): Uint8Array {
  const common = { errorCode: 0, highWatermark: 9, lastStableOffset: 9, logStartOffset: 0 };
  const records = [
    Buffer.concat([batch.bytes, batch.bytes]),
    new Uint8Array(0),
    Buffer.concat([batch.bytes, batch.bytes.subarray(0, size - 1)]),
  ];
  const partitions = records.map((bytes, partitionIndex) => ({
    ...{ ...common, partitionIndex, abortedTransactions: null, records: bytes },
  }));
  const header = { apiKey: fetchApi.key, apiVersion: 11, correlationId: 1, clientId: null };
  const { chunks } = encodeResponseFrame(fetchApi, header, {
    ...{ errorCode: 0, sessionId: 0, responses: [{ topic: "orders", partitions }] },
  });
  return Buffer.concat(chunks);
}

const expected = [
  { partition: 0, bytes: 2 * size, records: 2 * recordCount, nextOffset: recordCount },
  { partition: 1, bytes: 0, records: 0, nextOffset: -1 },
  { partition: 2, bytes: 2 * size - 1, records: recordCount, nextOffset: recordCount },
];

test("answers are counted wherever their stream is cut", () => {
  const bytes = Buffer.concat([answer(), answer()]);
  for (let cut = 1; cut < bytes.length; cut += 1) {
    const heard: (readonly StreamedPartition[])[] = [];
    const stream = new FetchStream((partitions) => heard.push(partitions));
    stream.push(bytes.subarray(0, cut));
    stream.push(bytes.subarray(cut));
    expect(heard).toEqual([expected, expected]);
  }
});

test("answers are counted byte by byte", () => {
  const heard: (readonly StreamedPartition[])[] = [];
  const stream = new FetchStream((partitions) => heard.push(partitions));
  for (const byte of answer()) stream.push(Uint8Array.of(byte));
  expect(heard).toEqual([expected]);
});

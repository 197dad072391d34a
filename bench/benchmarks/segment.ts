/** How fast segments are laid out, decoded and verified. */
import { readBatchHeader } from "../../src/record/batch.ts";
import { topicIdFromBytes } from "../../src/record/types.ts";
import { decodeFooter } from "../../src/segment/decode.ts";
import { encodeSegment, planSegment } from "../../src/segment/encode.ts";
import type { EntryInput, SegmentInput } from "../../src/segment/segment.ts";
import { verifySegment } from "../../src/segment/verify.ts";
import type { Benchmark } from "../benchmark.ts";
import type { Figure } from "../support/figures.ts";
import { makeBatch, platform } from "../support/record-batches.ts";

const KiB = 1024;
const segmentBytes = 8 * KiB * KiB;

/** Batches of one segment of 8 MiB, spread over so many partitions. */
const shapes: readonly { readonly batchBytes: number; readonly partitions: number }[] = [
  { batchBytes: 256 * KiB, partitions: 8 },
  { batchBytes: 16 * KiB, partitions: 64 },
  { batchBytes: KiB, partitions: 1000 },
];

export const segmentBenchmark: Benchmark = {
  name: "segment",
  summary: "segments of 8 MiB: encode, read the footer, verify every batch",
  async run({ options, say }) {
    const millis = (options.seconds * 1000) / (shapes.length * 3);
    return shapes.flatMap(({ batchBytes, partitions }): Figure[] => {
      const what = `${batchBytes / KiB} KiB batches, ${partitions} partitions`;
      say(`  ${what}`);
      const input = segmentInput(batchBytes, partitions);
      const target = new Uint8Array(planSegment(input).length);
      const encode = () => void encodeSegment(planSegment(input), target, platform.crc32c);
      const encoding = perSecond(millis, encode);
      const decoding = perSecond(millis, () => void decodeFooter(target, platform));
      const verifying = perSecond(millis, () => {
        if (!verifySegment(target, platform.crc32c).whole) throw new Error("A segment is broken");
      });
      const megabytes = target.length / 1e6;
      return [
        { what: `encode, ${what}`, value: encoding * megabytes, unit: "MB/s" },
        { what: `decode footer, ${what}`, value: 1e6 / decoding, unit: "µs" },
        { what: `verify, ${what}`, value: verifying * megabytes, unit: "MB/s" },
      ];
    });
  },
};

function segmentInput(batchBytes: number, partitions: number): SegmentInput {
  const { bytes, recordCount } = makeBatch({ recordBytes: 100, batchBytes }, -1);
  const batch = { bytes, recordCount, maxTimestamp: readBatchHeader(bytes).maxTimestamp };
  const batchCount = Math.floor(segmentBytes / bytes.length);
  const entries = Array.from({ length: partitions }, (_, partition): EntryInput => {
    const share = Math.max(1, Math.floor(batchCount / partitions));
    const none = { producerId: -1, producerEpoch: -1, firstSequence: -1, lastSequence: -1 };
    const batches = new Array<typeof batch>(share).fill(batch);
    return { topicIndex: 0, partition, groupIndex: -1, batches, ...none };
  });
  const topicId = topicIdFromBytes(platform.random.bytes(16));
  return {
    ...{ workerEpoch: 1, sequence: 1, createdAt: 1_790_000_000_000, groups: [], receipts: [] },
    topics: [{ topicId, name: "bench", partitionCount: partitions }],
    entries,
  };
}

/** Calls per second. */
function perSecond(millis: number, call: () => void): number {
  const since = performance.now();
  let calls = 0;
  while (performance.now() - since < millis) {
    call();
    calls += 1;
  }
  return calls / ((performance.now() - since) / 1000);
}

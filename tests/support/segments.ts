/** Segments for tests: real batches, every field filled with something of its own. */
import type { Codecs } from "../../src/base/codecs.ts";
import { createCrc32c } from "../../src/base/crc32c-kernel.ts";
import { StreamError } from "../../src/base/stream-error.ts";
import { encodeBatch } from "../../src/record/batch-encode.ts";
import { topicIdFromBytes } from "../../src/record/types.ts";
import { loadWasmModule } from "../../src/runtime/node/wasm-modules.ts";
import { encodeSegment, planSegment } from "../../src/segment/encode.ts";
import type { EntryBatch, EntryInput, SegmentInput } from "../../src/segment/segment.ts";

export const crc32c = createCrc32c({ module: loadWasmModule("crc32c") });

/** Batches here are not compressed. */
const codecs: Codecs = {
  compress(codec) {
    throw new StreamError("unsupported_compression", `No ${codec} here`);
  },
  decompress(codec) {
    throw new StreamError("unsupported_compression", `No ${codec} here`);
  },
};

export interface BatchRecipe {
  readonly timestamp: number;
  /** A record per value. */
  readonly values: readonly string[];
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
}

export function makeBatch(recipe: BatchRecipe): EntryBatch {
  const { values, timestamp, ...producer } = recipe;
  const encoder = new TextEncoder();
  const records = values.map((value, index) => ({
    timestamp: timestamp + index,
    key: null,
    value: encoder.encode(value),
  }));
  const bytes = encodeBatch({ records, codec: "none", ...producer }, { codecs, crc32c });
  return { bytes, recordCount: values.length, maxTimestamp: timestamp + values.length - 1 };
}

export function makeEntry(
  place: { topicIndex: number; partition: number; groupIndex?: number },
  batches: readonly EntryBatch[],
  producer?: {
    producerId: number;
    producerEpoch: number;
    firstSequence: number;
    lastSequence: number;
  },
): EntryInput {
  const none = { producerId: -1, producerEpoch: -1, firstSequence: -1, lastSequence: -1 };
  return { groupIndex: -1, ...place, batches, ...(producer ?? none) };
}

/** Two topics, four entries of three partitions out of order, two groups, two receipts. */
export function sampleInput(): SegmentInput {
  const producer = { producerId: 4711, producerEpoch: 2, baseSequence: 90 };
  const run = { producerId: 4711, producerEpoch: 2, firstSequence: 90, lastSequence: 92 };
  const at = 1_790_000_000_000;
  return {
    workerEpoch: 17,
    sequence: 123_456_789_012,
    createdAt: 1_790_000_000_123,
    topics: [
      { topicId: topicIdFromBytes(countingBytes(16, 1)), name: "orders", partitionCount: 3 },
      { topicId: topicIdFromBytes(countingBytes(16, 101)), name: "café", partitionCount: 1 },
    ],
    entries: [
      makeEntry({ topicIndex: 0, partition: 2 }, [
        makeBatch({ timestamp: at, values: ["one", "two"] }),
        makeBatch({ timestamp: at - 5, values: ["three"] }),
      ]),
      makeEntry({ topicIndex: 1, partition: 0, groupIndex: 1 }, [
        makeBatch({ timestamp: at + 7, values: ["four"] }),
      ]),
      makeEntry(
        { topicIndex: 0, partition: 2, groupIndex: 0 },
        [makeBatch({ timestamp: at + 9, values: ["five", "six", "seven"], ...producer })],
        run,
      ),
      makeEntry({ topicIndex: 0, partition: 0 }, [makeBatch({ timestamp: -1, values: ["eight"] })]),
    ],
    groups: [
      new TextEncoder().encode('{"guards":[],"effects":[{"kind":"httpProducer"}]}'),
      new TextEncoder().encode('{"guards":[],"effects":[]}'),
    ],
    receipts: [
      {
        sequence: 123_456_789_010,
        publishPosition: 5_000_000_000,
        publishedAt: 1_789_999_999_999,
        entries: [
          {
            verdict: 0,
            baseOffset: 7_000_000_000,
            leaderEpoch: 3,
            appendedCount: 2,
            skippedCount: 1,
          },
          { verdict: 1, baseOffset: -1, leaderEpoch: -1, appendedCount: 0, skippedCount: 0 },
        ],
        groups: [0, 255],
      },
      {
        sequence: 123_456_789_011,
        publishPosition: 5_000_000_002,
        publishedAt: 1_790_000_000_000,
        entries: [],
        groups: [],
      },
    ],
  };
}

/** The segment of `input`, in a buffer that held other bytes before. */
export function encoded(input: SegmentInput): Uint8Array {
  const plan = planSegment(input);
  const bytes = new Uint8Array(plan.length).fill(0xa5);
  encodeSegment(plan, bytes, crc32c);
  return bytes;
}

function countingBytes(length: number, from: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => from + index);
}

import { describe, expect, test } from "bun:test";
import { type CodecName, codecNames } from "../../../src/base/codecs.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { isStreamError } from "../../../src/base/stream-error.ts";
import { batchesIn, readBatchHeader } from "../../../src/record/batch.ts";
import { encodeBatch } from "../../../src/record/batch-encode.ts";
import { inflateBatches } from "../../../src/record/inflate-batches.ts";
import { createPlatform } from "../../../src/runtime/node/platform.ts";

const platform = createPlatform({ log: silentLogger });

function batchOf(codec: CodecName): Uint8Array {
  const records = ["a", "b", "c".repeat(2_000)].map((value, index) => ({
    ...{ timestamp: 1_000 + index, key: null, value: new TextEncoder().encode(value) },
  }));
  return encodeBatch({ records, codec, baseOffset: 70, producerId: 9 }, platform);
}

describe("inflateBatches", () => {
  for (const codec of codecNames) {
    test(`gives of ${codec} what the same batch is without`, () => {
      const chunk = Buffer.concat([batchOf(codec), batchOf(codec)]);
      const { parts, bytes } = inflateBatches([chunk], {
        ...{ codecs: platform.codecs, bytesMax: 10_000 },
      });
      const plain = batchOf("none");
      const joined = Buffer.concat(parts);
      expect(joined).toHaveLength(bytes);
      for (const batch of batchesIn(joined)) {
        const { crc } = readBatchHeader(chunk);
        expect(batch.header).toEqual({ ...readBatchHeader(plain), crc });
        expect(Buffer.compare(batch.bytes.subarray(61), plain.subarray(61))).toBe(0);
      }
      expect([...batchesIn(joined)]).toHaveLength(2);
    });
  }

  test("refuses more than the bound, of all chunks together", () => {
    const chunk = batchOf("zstd");
    const inflate = (count: number) =>
      inflateBatches(
        Array.from({ length: count }, () => chunk),
        {
          ...{ codecs: platform.codecs, bytesMax: 5_000 },
        },
      );
    expect(inflate(2).bytes).toBeLessThan(5_000);
    let refusal: unknown;
    try {
      inflate(3);
    } catch (error) {
      refusal = error;
    }
    expect(isStreamError(refusal, "record_too_large")).toBe(true);
  });
});

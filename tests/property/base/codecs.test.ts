import { describe, expect, test } from "bun:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { codecNames } from "../../../src/base/codecs.ts";
import { isStreamError } from "../../../src/base/stream-error.ts";
import { codecs } from "../../support/record-tools.ts";

const runs = { seed: 20_260_102, numRuns: 150 };
const compressing = codecNames.filter((codec) => codec !== "none");

/** Bytes with runs, repeats at many distances and noise, up to several blocks long. */
const input = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.nat(255), fc.nat(5000)).map(([byte, n]) => new Uint8Array(n).fill(byte)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(3000))
        .map(([pattern, n]) => Uint8Array.from({ length: n }, (_, i) => at(pattern, i))),
      fc.nat(70_000).map((n) => Uint8Array.from({ length: n }, (_, i) => (i * i) >>> 7)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => new Uint8Array(Buffer.concat(parts)));

function at(pattern: Uint8Array, index: number): number {
  return pattern[index % pattern.length] ?? 0;
}

describe.each(compressing)("codec %s", (codec) => {
  test("gives back what it was given, bounded by exactly its length", () => {
    fc.assert(
      fc.property(input, (bytes) => {
        const packed = codecs.compress(codec, bytes);
        const plain = codecs.decompress(codec, packed, { sizeMax: bytes.length });
        expect(Buffer.compare(plain, bytes)).toBe(0);
        if (codec === "gzip") expect(Buffer.compare(gunzipSync(packed), bytes)).toBe(0);
        if (codec === "zstd") expect(Buffer.compare(zstdDecompressSync(packed), bytes)).toBe(0);
      }),
      runs,
    );
  });

  test("gives an error of ours or bounded bytes for damaged input", () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(input, damage, (bytes, changes) => {
        const packed = codecs.compress(codec, bytes);
        for (const [position, byte] of changes) packed[position % packed.length] = byte;
        const sizeMax = bytes.length + 1000;
        try {
          const plain = codecs.decompress(codec, packed, { sizeMax });
          expect(plain.length).toBeLessThanOrEqual(sizeMax);
        } catch (error) {
          expect(isStreamError(error, "corrupt_record", "record_too_large")).toBe(true);
        }
      }),
      runs,
    );
  });

  test("gives an error of ours or bounded bytes for noise", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          const plain = codecs.decompress(codec, bytes, { sizeMax: 10_000 });
          expect(plain.length).toBeLessThanOrEqual(10_000);
        } catch (error) {
          expect(isStreamError(error, "corrupt_record", "record_too_large")).toBe(true);
        }
      }),
      { ...runs, numRuns: 1000 },
    );
  });
});

import { describe, expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { codecNames } from "../../../../src/base/codecs.ts";
import { isStreamError } from "../../../../src/base/stream-error.ts";
import { zstdFramesIn } from "../../../../src/base/zstd-frame.ts";
import { createCodecs } from "../../../../src/runtime/node/codecs.ts";
import { loadWasmModule } from "../../../../src/runtime/node/wasm-modules.ts";
import { codecs } from "../../../support/record-tools.ts";

const sizeMax = 1 << 20;
const text = new TextEncoder().encode("millrace turns ".repeat(50));
const corrupt = expect.objectContaining({ code: "corrupt_record" });
const tooLarge = expect.objectContaining({ code: "record_too_large" });
const compressing = codecNames.filter((codec) => codec !== "none");

describe.each(compressing)("codec %s", (codec) => {
  const packed = codecs.compress(codec, text);

  test("gives back what it was given, in buffers of their own", () => {
    for (const input of [text, new Uint8Array(0), Uint8Array.of(7), new Uint8Array(300_000)]) {
      const copy = codecs.compress(codec, input);
      const plain = codecs.decompress(codec, copy, { sizeMax });
      expect(Buffer.compare(plain, input)).toBe(0);
      expect(plain.constructor).toBe(Uint8Array);
      expect(plain.buffer.byteLength).toBeLessThanOrEqual(2 * plain.length);
      expect(copy.constructor).toBe(Uint8Array);
      expect(copy.buffer.byteLength).toBeLessThanOrEqual(2 * copy.length);
    }
  });

  test("refuses input cut at any byte", () => {
    for (let length = 0; length < packed.length; length++) {
      // A framed snappy stream may end after any block, so also before the first.
      if (codec === "snappy" && length === 16) continue;
      expect(() => codecs.decompress(codec, packed.slice(0, length), { sizeMax })).toThrow(corrupt);
    }
  });

  test("gives an error of ours or some bytes for every flipped bit", () => {
    for (let bit = 0; bit < packed.length * 8; bit++) {
      const flipped = packed.slice();
      flipped[bit >>> 3] = (flipped[bit >>> 3] as number) ^ (1 << (bit & 7));
      try {
        codecs.decompress(codec, flipped, { sizeMax });
      } catch (error) {
        expect(isStreamError(error, "corrupt_record", "record_too_large")).toBe(true);
      }
    }
  });

  test("bounds its output exactly", () => {
    const bomb = codecs.compress(codec, new Uint8Array(900_000));
    expect(() => codecs.decompress(codec, bomb, { sizeMax: 899_999 })).toThrow(tooLarge);
    expect(codecs.decompress(codec, bomb, { sizeMax: 900_000 })).toHaveLength(900_000);
    expect(() => codecs.decompress(codec, packed, { sizeMax: 0 })).toThrow(tooLarge);
    expect(
      codecs.decompress(codec, codecs.compress(codec, new Uint8Array(0)), { sizeMax: 0 }),
    ).toEqual(new Uint8Array(0));
  });

  test("refuses what is of no codec at all", () => {
    for (const input of [new Uint8Array(0), new Uint8Array(100).fill(0xff)]) {
      expect(() => codecs.decompress(codec, input, { sizeMax })).toThrow(corrupt);
    }
  });
});

describe("codec none", () => {
  test("copies, within the bound", () => {
    const copy = codecs.decompress("none", text, { sizeMax });
    expect(copy).toEqual(text);
    expect(copy.buffer).not.toBe(text.buffer);
    expect(codecs.compress("none", text).buffer).not.toBe(text.buffer);
    expect(() => codecs.decompress("none", text, { sizeMax: 10 })).toThrow(tooLarge);
  });
});

test("gzip and zstd of several members are read to the end", () => {
  for (const [codec, one] of [
    ["gzip", gzipSync(text)],
    ["zstd", zstdCompressSync(text)],
  ] as const) {
    const two = Buffer.concat([one, one]);
    expect(codecs.decompress(codec, two, { sizeMax })).toHaveLength(2 * text.length);
    const sizeBelow = 2 * text.length - 1;
    expect(() => codecs.decompress(codec, two, { sizeMax: sizeBelow })).toThrow(tooLarge);
    const cut = two.subarray(0, two.length - 3);
    expect(() => codecs.decompress(codec, cut, { sizeMax })).toThrow(corrupt);
  }
});

test("zstd in frames of so many bytes gives back what it was given", () => {
  const inFrames = createCodecs({
    snappy: loadWasmModule("snappy"),
    lz4: loadWasmModule("lz4"),
    zstdFrameBytesMax: 1000,
  });
  for (const length of [0, 999, 1000, 1001, 2500, 300_000]) {
    const input = new Uint8Array(length).map((_, index) => index % 251);
    const packed = inFrames.compress("zstd", input);
    expect(zstdFramesIn(packed)).toHaveLength(Math.max(1, Math.ceil(length / 1000)));
    for (const each of [inFrames, codecs]) {
      expect(Buffer.compare(each.decompress("zstd", packed, { sizeMax: length }), input)).toBe(0);
    }
  }
});

import { describe, expect, test } from "bun:test";
import { createSnappy } from "../../../src/base/snappy.ts";
import { loadWasmModule } from "../../../src/runtime/node/wasm-modules.ts";

const snappy = createSnappy(loadWasmModule("snappy"));
const sizeMax = 1 << 20;
const corrupt = expect.objectContaining({ code: "corrupt_record" });
const tooLarge = expect.objectContaining({ code: "record_too_large" });

const magic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1];
const raw = (...bytes: number[]) => snappy.decompress(Uint8Array.from(bytes), { sizeMax });
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const ascii = (value: string) => [...new TextEncoder().encode(value)];

describe("raw snappy", () => {
  test("reads each kind of element", () => {
    expect(text(raw(3, 2 << 2, ...ascii("abc")))).toBe("abc");
    // A literal whose length takes one, two, three and four bytes.
    const long = ascii("x".repeat(300));
    expect(raw(0xac, 0x02, 61 << 2, 0x2b, 0x01, ...long)).toHaveLength(300);
    expect(raw(0xac, 0x02, 62 << 2, 0x2b, 0x01, 0, ...long)).toHaveLength(300);
    expect(raw(0xac, 0x02, 63 << 2, 0x2b, 0x01, 0, 0, ...long)).toHaveLength(300);
    expect(raw(61, 60 << 2, 60, ...ascii("y".repeat(61)))).toHaveLength(61);
    // Copies with 11, 16 and 32 bits of offset; the last two overlap what they write.
    expect(text(raw(7, 2 << 2, ...ascii("abc"), 0x01, 3))).toBe("abcabca");
    expect(text(raw(8, 2 << 2, ...ascii("abc"), (4 << 2) | 2, 3, 0))).toBe("abcabcab");
    expect(text(raw(8, 0, ...ascii("a"), (6 << 2) | 3, 1, 0, 0, 0))).toBe("aaaaaaaa");
  });

  test("repeats a pattern of every width", () => {
    for (let width = 1; width <= 40; width++) {
      const pattern = "0123456789abcdefghijklmnopqrstuvwxyzABCD".slice(0, width);
      const bytes = raw(width + 64, (width - 1) << 2, ...ascii(pattern), (63 << 2) | 2, width, 0);
      expect(text(bytes)).toBe(pattern.repeat(65).slice(0, width + 64));
    }
  });

  test("refuses malformed streams", () => {
    const bad: number[][] = [
      [], // no length
      [0x80], // a cut length
      [0xff, 0xff, 0xff, 0xff, 0xff, 0x01], // a length of six bytes
      [3], // nothing follows
      [3, 2 << 2, 97, 98], // a cut literal
      [2, 2 << 2, 97, 98, 99], // more than stated
      [4, 2 << 2, 97, 98, 99], // less than stated
      [7, 2 << 2, 97, 98, 99, 0x01], // a cut offset
      [7, 2 << 2, 97, 98, 99, 0x01, 0], // offset 0
      [7, 2 << 2, 97, 98, 99, 0x01, 4], // before the start
      [9, 2 << 2, 97, 98, 99, (5 << 2) | 2, 3], // a cut 16-bit offset
      [9, 2 << 2, 97, 98, 99, (5 << 2) | 3, 3, 0, 0], // a cut 32-bit offset
      [9, 2 << 2, 97, 98, 99, (5 << 2) | 3, 0xff, 0xff, 0xff, 0xff], // far before the start
      [9, 63 << 2, 0xff, 0xff, 0xff, 0xff, 97], // a literal of 4 GiB
      [9, 60 << 2], // a cut literal length
      [...magic, 0, 0, 0], // a cut block length
      [...magic, 0, 0, 0, 9, 3, 2 << 2, 97], // a cut block
      [...magic, 0xff, 0xff, 0xff, 0xff], // a negative block
      [...magic, 0, 0, 0, 0], // an empty block
      [...magic.slice(0, 15), 2, 0, 0, 0, 1, 0], // a newer framing
    ];
    for (const bytes of bad) expect(() => raw(...bytes)).toThrow(corrupt);
  });

  test("refuses a stated length that its input cannot give, and one over the bound", () => {
    expect(() => raw(0xff, 0xff, 0x3f, 0, 97)).toThrow(corrupt);
    const zeros = snappy.compress(new Uint8Array(100_000));
    expect(() => snappy.decompress(zeros, { sizeMax: 99_999 })).toThrow(tooLarge);
    expect(snappy.decompress(zeros, { sizeMax: 100_000 })).toHaveLength(100_000);
  });
});

describe("framed snappy", () => {
  test("reads blocks, and streams that follow one another", () => {
    const block = [0, 0, 0, 5, 3, 2 << 2, ...ascii("abc")];
    expect(text(raw(...magic, ...block, ...block))).toBe("abcabc");
    expect(text(raw(...magic, ...block, ...magic, ...block))).toBe("abcabc");
    expect(raw(...magic)).toHaveLength(0);
  });

  test("is what compress writes, a block per 64 KiB", () => {
    const packed = snappy.compress(new Uint8Array(65_537));
    expect([...packed.slice(0, 16)]).toEqual(magic);
    const view = new DataView(packed.buffer);
    const first = view.getInt32(16);
    expect(view.getInt32(20 + first)).toBe(packed.length - 24 - first);
  });

  test("goes on after input that needed a large memory", () => {
    const input = new Uint8Array(20 << 20).fill(3);
    const packed = snappy.compress(input);
    const plain = snappy.decompress(packed, { sizeMax: input.length });
    expect(plain.length).toBe(input.length);
    expect(text(raw(3, 2 << 2, ...ascii("abc")))).toBe("abc");
  });
});

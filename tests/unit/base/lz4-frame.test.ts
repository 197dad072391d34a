import { describe, expect, test } from "bun:test";
import { createLz4 } from "../../../src/base/lz4-frame.ts";
import { loadWasmModule } from "../../../src/runtime/node/wasm-modules.ts";

const lz4 = createLz4(loadWasmModule("lz4"));
const sizeMax = 1 << 20;
const corrupt = expect.objectContaining({ code: "corrupt_record" });
const tooLarge = expect.objectContaining({ code: "record_too_large" });

const ascii = (value: string) => [...new TextEncoder().encode(value)];
const read = (bytes: readonly number[]) =>
  new TextDecoder().decode(lz4.decompress(Uint8Array.from(bytes), { sizeMax }));

/**
 * Frames by the lz4 1.9.4 program, of 300 bytes ("millrace " 33 times and "end"):
 * `lz4 -c`, `-BD` (linked), `-BX` (block checksums), `--content-size`, `--no-frame-crc`.
 */
const foreign = {
  plain: "04224d186440a7140000009f6d696c6c72616365200900ff0c506520656e64000000000ec19f18",
  linked: "04224d186440a7140000009f6d696c6c72616365200900ff0c506520656e64000000000ec19f18",
  blockChecksums:
    "04224d187440bd140000009f6d696c6c72616365200900ff0c506520656e640ed06088000000000ec19f18",
  contentSize:
    "04224d186c402c0100000000000054140000009f6d696c6c726163652009" +
    "00ff0c506520656e64000000000ec19f18",
  noChecksum: "04224d18604082140000009f6d696c6c72616365200900ff0c506520656e6400000000",
};
const content = `${"millrace ".repeat(33)}end`;

const header = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
const end = [0, 0, 0, 0];
const frame = (...block: number[]) => [...header, block.length, 0, 0, 0, ...block, ...end];

describe("lz4 frames", () => {
  test.each(Object.entries(foreign))("%s of the lz4 program is read", (_, hex) => {
    const bytes = [...Uint8Array.fromHex(hex)];
    expect(read(bytes)).toBe(content);
    expect(read([...bytes, ...bytes])).toBe(content + content);
  });

  test.each(Object.entries(foreign))("%s is refused cut at any byte", (_, hex) => {
    const bytes = Uint8Array.fromHex(hex);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => lz4.decompress(bytes.subarray(0, length), { sizeMax })).toThrow(corrupt);
    }
  });

  test("with checksums are refused for every flipped bit that matters", () => {
    const bytes = Uint8Array.fromHex(foreign.plain);
    // A block's last token has no match, so nobody reads its low nibble.
    const lastToken = bytes.length - 14;
    expect(bytes[lastToken]).toBe(0x50);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      if (bit >>> 2 === lastToken * 2) continue;
      const flipped = bytes.slice();
      flipped[bit >>> 3] = (flipped[bit >>> 3] as number) ^ (1 << (bit & 7));
      expect(() => lz4.decompress(flipped, { sizeMax })).toThrow(corrupt);
    }
  });

  test("that are skippable are skipped", () => {
    const skippable = [0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    expect(read([...skippable, ...frame(0x30, ...ascii("abc")), ...skippable])).toBe("abc");
    expect(() => read([...frame(0x30, ...ascii("abc")), ...skippable.slice(0, 9)])).toThrow(
      corrupt,
    );
  });

  test("hold stored blocks and sequences", () => {
    expect(read([...header, 3, 0, 0, 0x80, ...ascii("abc"), ...end])).toBe("abc");
    // Literals "abc", a match of 4 at offset 3, literals "z".
    expect(read(frame(0x30, ...ascii("abc"), 3, 0, 0x10, ...ascii("z")))).toBe("abcabcaz");
    expect(read([...header, ...end])).toBe("");
  });

  test("of malformed blocks are refused", () => {
    const bad: number[][] = [
      [0x30, 97, 98], // cut literals
      [0xf0], // a cut literal count
      [0xf0, 0xff, 0xff, 0xff], // one that goes on
      [0x30, 97, 98, 99, 3], // a cut offset
      [0x30, 97, 98, 99, 0, 0, 0x10, 97], // offset 0
      [0x30, 97, 98, 99, 4, 0, 0x10, 97], // before the start
      [0x30, 97, 98, 99, 3, 0], // an end without literals
      [0x3f, 97, 98, 99, 3, 0], // a cut match length
      [0x3f, 97, 98, 99, 3, 0, ...Array(300).fill(255), 0, 0x10, 97], // over the block's 64 KiB
    ];
    for (const block of bad) {
      const bytes = [...header, block.length & 255, block.length >> 8, 0, 0, ...block, ...end];
      expect(() => read(bytes)).toThrow(corrupt);
    }
  });

  test("of malformed descriptors are refused", () => {
    const first = frame(0x30, ...ascii("abc"));
    for (const [position, value] of [
      [0, 5], // magic
      [4, 0xa0], // version
      [4, 0x62], // reserved
      [4, 0x61], // dictionary
      [5, 0x30], // block size
      [5, 0xc0], // reserved
      [6, 0], // header checksum
    ] as const) {
      const bytes = [...first];
      bytes[position] = value;
      expect(() => read(bytes)).toThrow(corrupt);
    }
    expect(() => read([])).toThrow(corrupt);
    expect(() => read([...header, 1, 0, 1, 0, ...Array(65_537).fill(0)])).toThrow(corrupt);
  });

  test("are bounded in what they give", () => {
    const packed = lz4.compress(new Uint8Array(200_000));
    expect(packed.length).toBeLessThan(2000);
    for (const bound of [0, 1, 65_535, 65_536, 131_072, 199_999]) {
      expect(() => lz4.decompress(packed, { sizeMax: bound })).toThrow(tooLarge);
    }
    expect(lz4.decompress(packed, { sizeMax: 200_000 })).toHaveLength(200_000);
    const stored = Uint8Array.from([...header, 3, 0, 0, 0x80, ...ascii("abc"), ...end]);
    expect(() => lz4.decompress(stored, { sizeMax: 2 })).toThrow(tooLarge);
    const sized = Uint8Array.fromHex(foreign.contentSize);
    expect(() => lz4.decompress(sized, { sizeMax: 299 })).toThrow(tooLarge);
  });

  test("are written as one frame of independent 64 KiB blocks", () => {
    const packed = lz4.compress(Uint8Array.from(ascii("abc")));
    expect([...packed.slice(0, 7)]).toEqual(header);
    expect([...packed.slice(7)]).toEqual([3, 0, 0, 0x80, ...ascii("abc"), ...end]);
    expect([...lz4.compress(new Uint8Array(0))]).toEqual([...header, ...end]);
  });
});

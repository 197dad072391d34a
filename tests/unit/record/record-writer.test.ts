import { describe, expect, test } from "bun:test";
import { RecordReader } from "../../../src/record/record-reader.ts";
import {
  utf8Length,
  varintLength,
  varlongLength,
  writeUtf8,
  writeVarint,
  writeVarlong,
} from "../../../src/record/record-writer.ts";

const powers = Array.from({ length: 54 }, (_, power) => 2 ** power);
const longs = [0, ...powers.flatMap((p) => [p, p - 1, -p, -p - 1])].filter(Number.isSafeInteger);
const ints = longs.filter((value) => value === (value | 0));

/** Zigzag by definition, in BigInt. */
function zigzag(value: number): number[] {
  const long = BigInt(value);
  let raw = long >= 0n ? long * 2n : -long * 2n - 1n;
  const groups: number[] = [];
  for (; raw >= 0x80n; raw >>= 7n) groups.push(Number(raw & 0x7fn) | 0x80);
  return [...groups, Number(raw)];
}

describe("varints", () => {
  test("are zigzag groups of seven bits, and read back", () => {
    const target = new Uint8Array(16);
    for (const value of ints) {
      const end = writeVarint(target, 2, value);
      expect([...target.subarray(2, end)]).toEqual(zigzag(value));
      expect(varintLength(value)).toBe(end - 2);
      const reader = new RecordReader(target.subarray(2, end), "corrupt_record");
      expect(reader.varint()).toBe(value);
      expect(reader.position).toBe(end - 2);
    }
  });

  test("of 64 bits do so over the whole range of safe integers", () => {
    const target = new Uint8Array(16);
    for (const value of longs) {
      const end = writeVarlong(target, 1, value);
      expect([...target.subarray(1, end)]).toEqual(zigzag(value));
      expect(varlongLength(value)).toBe(end - 1);
      const reader = new RecordReader(target.subarray(1, end), "corrupt_record");
      expect(reader.varlong()).toBe(value);
    }
  });
});

describe("utf8", () => {
  test.each(["", "abc", "ü", "✓", "😀", "a😀ü✓z", "\ud800", "x\udc00y", "\ud800\ud800\udc00"])(
    "length of %p is that of its encoding",
    (text) => {
      const encoded = new TextEncoder().encode(text);
      expect(utf8Length(text)).toBe(encoded.length);
      const target = new Uint8Array(64);
      const end = writeUtf8(target, 0, text);
      expect(target[0]).toBe(encoded.length * 2);
      expect(target.slice(1, end)).toEqual(encoded);
    },
  );
});

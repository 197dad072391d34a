import { describe, expect, test } from "bun:test";
import { crc32cReservedBytes, createCrc32c } from "../../../src/base/crc32c-kernel.ts";
import { loadWasmModule } from "../../../src/runtime/node/wasm-modules.ts";

const module = loadWasmModule("crc32c");
const crc32c = createCrc32c({ module });

/** The definition: one bit at a time. */
const byteTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let c = index;
  for (let bit = 0; bit < 8; bit++) c = (c & 1) === 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c;
});

function reference(bytes: Uint8Array, previous = 0): number {
  let c = ~previous;
  for (const byte of bytes) c = (byteTable[(c ^ byte) & 255] as number) ^ (c >>> 8);
  return ~c >>> 0;
}

function noise(length: number): Uint8Array {
  let state = 0x2545f491;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  });
}

const data = noise(150_000);

function around(centre: number): number[] {
  return Array.from({ length: 129 }, (_, index) => centre - 64 + index);
}

describe("crc32c", () => {
  test("gives the check value and the vectors of RFC 3720 B.4", () => {
    expect(crc32c.of(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    expect(crc32c.of(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c.of(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c.of(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c.of(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
    const readCommand = Uint8Array.fromHex(
      "01c0000000000000000000000000000014000000000004000000001400000018" +
        "28000000000000000200000000000000",
    );
    expect(crc32c.of(readCommand)).toBe(0xd9963a56);
    expect(crc32c.of(new Uint8Array(0))).toBe(0);
  });

  test("equals the bytewise sum for every length up to 300 at every alignment", () => {
    for (let length = 0; length <= 300; length++) {
      const bytes = data.subarray(length % 16, (length % 16) + length);
      expect(crc32c.of(bytes)).toBe(reference(bytes));
    }
  });

  test("equals the bytewise sum around its thresholds, also from an odd position", () => {
    for (const length of [...around(8192), ...around(5321 + 16384), ...around(16384)]) {
      const start = length % 7;
      const bytes = data.subarray(start, start + length);
      expect(crc32c.of(bytes)).toBe(reference(bytes));
    }
  });

  test("equals the bytewise sum for input longer than its window", () => {
    for (const length of [131_071, 131_072, 131_073, 131_072 + 8192, 149_999]) {
      expect(crc32c.of(data.subarray(1, length))).toBe(reference(data.subarray(1, length)));
    }
  });

  test("continues an earlier sum wherever the input is split", () => {
    const whole = reference(data.subarray(0, 40_000));
    for (const split of [0, 1, 7, 64, 8191, 8192, 8193, 21_705, 31_808, 39_999, 40_000]) {
      const first = crc32c.of(data.subarray(0, split));
      expect(crc32c.of(data.subarray(split, 40_000), first)).toBe(whole);
    }
  });

  test("sums bytes of the embedding's memory in place and leaves them as they are", () => {
    const memory = new WebAssembly.Memory({ initial: 8 });
    const kernel = createCrc32c({ module, memory });
    const room = new Uint8Array(memory.buffer, crc32cReservedBytes);
    room.set(data.subarray(0, 100_000), 3);
    for (const length of [1, 100, 5000, 8192, 99_999]) {
      const sum = reference(data.subarray(0, length));
      expect(kernel.of(room.subarray(3, 3 + length))).toBe(sum);
      const position = crc32cReservedBytes + 3;
      expect(kernel.ofMemory({ position, length })).toBe(sum);
    }
    expect(room.slice(3, 100_003)).toEqual(data.slice(0, 100_000));
  });

  test("goes on after its memory has grown", () => {
    const memory = new WebAssembly.Memory({ initial: 3, maximum: 9 });
    const kernel = createCrc32c({ module, memory });
    const sum = kernel.of(data.subarray(0, 1000));
    memory.grow(2);
    expect(kernel.of(data.subarray(0, 1000))).toBe(sum);
    const room = new Uint8Array(memory.buffer, crc32cReservedBytes);
    room.set(data.subarray(0, 1000));
    expect(kernel.of(room.subarray(0, 1000))).toBe(sum);
  });

  test("refuses a range in its own part of the memory", () => {
    expect(() => crc32c.ofMemory({ position: 0, length: 10 })).toThrow("Broken invariant");
  });
});

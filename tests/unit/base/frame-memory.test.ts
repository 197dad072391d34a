import { describe, expect, test } from "bun:test";
import { FrameMemory } from "../../../src/base/frame-memory.ts";

const KiB = 1024;

function taken(memory: FrameMemory, length: number): Uint8Array {
  const bytes = memory.take(length);
  if (bytes === undefined) throw new Error(`no room for ${length} bytes`);
  return bytes;
}

describe("FrameMemory", () => {
  test("gives exactly as many bytes as asked for, in pages of their own", () => {
    const memory = new FrameMemory(new Uint8Array(64 * KiB));
    const first = taken(memory, 5000);
    const second = taken(memory, 1);
    expect([first.length, second.length]).toEqual([5000, 1]);
    expect(second.byteOffset - first.byteOffset).toBe(8 * KiB);
    expect(memory.takenBytes).toBe(12 * KiB);
  });

  test("has no room for what does not fit in one stretch", () => {
    const memory = new FrameMemory(new Uint8Array(16 * KiB));
    const parts = [taken(memory, 4 * KiB), taken(memory, 4 * KiB), taken(memory, 4 * KiB)];
    memory.give(parts[1] as Uint8Array);
    expect(memory.take(8 * KiB)).toBeUndefined();
    expect(memory.take(4 * KiB)?.byteOffset).toBe(parts[1]?.byteOffset);
  });

  test("joins stretches that are given back in any order", () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [0, 2, 1],
      [1, 0, 2],
    ]) {
      const memory = new FrameMemory(new Uint8Array(12 * KiB));
      const parts = [taken(memory, 4 * KiB), taken(memory, 4 * KiB), taken(memory, 4 * KiB)];
      for (const index of order) memory.give(parts[index] as Uint8Array);
      expect(memory.take(12 * KiB)?.length).toBe(12 * KiB);
    }
  });

  test("lets be what it did not give, or has back already", () => {
    const buffer = new ArrayBuffer(16 * KiB);
    const memory = new FrameMemory(new Uint8Array(buffer, 4 * KiB, 8 * KiB));
    const first = taken(memory, 4 * KiB);
    memory.give(first);
    const again = taken(memory, 8 * KiB);
    memory.give(new Uint8Array(4 * KiB));
    memory.give(new Uint8Array(buffer, 0, 4 * KiB));
    memory.give(again.subarray(1));
    expect(memory.takenBytes).toBe(8 * KiB);
    memory.give(again);
    memory.give(again);
    expect(memory.takenBytes).toBe(0);
  });

  test("never gives a byte twice, under a long run of takes and gives", () => {
    const memory = new FrameMemory(new Uint8Array(256 * KiB));
    const held: Uint8Array[] = [];
    let state = 7;
    const next = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return state % below;
    };
    for (let round = 0; round < 2000; round++) {
      if (held.length > 0 && next(2) === 0) {
        memory.give(held.splice(next(held.length), 1)[0] as Uint8Array);
        continue;
      }
      const bytes = memory.take(1 + next(40 * KiB));
      if (bytes === undefined) continue;
      for (const other of held) {
        const apart =
          bytes.byteOffset + bytes.length <= other.byteOffset ||
          other.byteOffset + other.length <= bytes.byteOffset;
        expect(apart).toBe(true);
      }
      held.push(bytes);
    }
    for (const bytes of held) memory.give(bytes);
    expect(memory.take(256 * KiB)?.length).toBe(256 * KiB);
  });
});

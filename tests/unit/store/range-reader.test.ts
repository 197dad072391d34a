import { describe, expect, test } from "bun:test";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import type { ObjectLocation } from "../../../src/store/object-store.ts";
import { planReads, RangeReader } from "../../../src/store/range-reader.ts";
import { expectCode, filled, same } from "../../contract/object-store.ts";

const limits = { gapBytesMax: 100, readBytesMax: 1000 };

function at(key: string, position: number, length: number): ObjectLocation {
  return { key, position, length };
}

describe("planReads", () => {
  test("joins near ranges of one object, whatever their order", () => {
    const ranges = [at("a", 500, 50), at("b", 0, 10), at("a", 300, 100), at("a", 320, 10)];
    expect(planReads(ranges, limits)).toEqual([
      { key: "a", position: 300, length: 250, parts: [2, 3, 0] },
      { key: "b", position: 0, length: 10, parts: [1] },
    ]);
  });

  test("keeps apart what lies further than the gap or would be too long", () => {
    const ranges = [at("a", 0, 100), at("a", 201, 100), at("a", 301, 900), at("a", 5000, 4000)];
    expect(planReads(ranges, limits).map(({ position, length }) => [position, length])).toEqual([
      [0, 100],
      [201, 1000],
      [5000, 4000],
    ]);
    expect(planReads([], limits)).toEqual([]);
  });
});

describe("RangeReader", () => {
  async function make() {
    const store = new MemoryStore();
    const bytes = filled(10_000, 1);
    await store.create("a", bytes);
    const asked: string[] = [];
    const gate = Promise.withResolvers<void>();
    const signals: AbortSignal[] = [];
    const slow = {
      async read(location: ObjectLocation, signal?: AbortSignal) {
        asked.push(`${location.key} ${location.position}+${location.length}`);
        if (signal !== undefined) signals.push(signal);
        await gate.promise;
        return await store.read(location);
      },
    };
    const reader = new RangeReader({ store: slow, ...limits });
    return { reader, bytes, asked, signals, open: () => gate.resolve() };
  }

  test("gives each range its bytes", async () => {
    const { reader, bytes, asked, open } = await make();
    open();
    const ranges = [at("a", 400, 100), at("a", 0, 10), at("a", 50, 60), at("a", 9000, 1000)];
    const results = await reader.read(ranges);
    ranges.forEach((range, index) => {
      const expected = bytes.subarray(range.position, range.position + range.length);
      expect(same(results[index] ?? new Uint8Array(0), expected)).toBe(true);
    });
    expect(asked.toSorted()).toEqual(["a 0+110", "a 400+100", "a 9000+1000"]);
  });

  test("waits for a read under way that covers what is wanted", async () => {
    const { reader, bytes, asked, open } = await make();
    const first = reader.read([at("a", 0, 500)]);
    const second = reader.read([at("a", 100, 50)]);
    const third = reader.read([at("a", 450, 100)]);
    open();
    expect(same((await second)[0] ?? new Uint8Array(0), bytes.subarray(100, 150))).toBe(true);
    await Promise.all([first, third]);
    expect(asked).toEqual(["a 0+500", "a 450+100"]);
    await reader.read([at("a", 0, 500)]);
    expect(asked.length).toBe(3);
  });

  test("aborts a read only when the last who waits has left", async () => {
    const { reader, signals, open } = await make();
    const one = new AbortController();
    const two = new AbortController();
    const first = reader.read([at("a", 0, 500)], one.signal);
    const second = reader.read([at("a", 0, 500)], two.signal);
    one.abort(new Error("first left"));
    await expect(first).rejects.toThrow("first left");
    expect(signals[0]?.aborted).toBe(false);
    two.abort(new Error("second left"));
    await expect(second).rejects.toThrow("second left");
    expect(signals[0]?.aborted).toBe(true);
    open();
    expect((await reader.read([at("a", 0, 500)])).length).toBe(1);
  });

  test("passes the store's errors on to all who wait, and tries afresh after", async () => {
    const { reader, asked, open } = await make();
    open();
    const missing = [at("no", 0, 10)];
    await Promise.all([
      expectCode(reader.read(missing), "object_missing"),
      expectCode(reader.read([at("no", 5, 1)]), "object_missing"),
    ]);
    await expectCode(reader.read(missing), "object_missing");
    expect(asked.length).toBe(2);
  });
});

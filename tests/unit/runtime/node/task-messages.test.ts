import { describe, expect, test } from "bun:test";
import { SharedNames, SharedViews } from "../../../../src/runtime/node/shared-names.ts";
import {
  packedBytes,
  packPublishes,
  unpackPublishes,
} from "../../../../src/runtime/node/task-messages.ts";

const plain = Uint8Array.of(9, 1, 2, 3, 9).subarray(1, 4);
const other = Uint8Array.of(7, 8);

function sharedBytes(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(new SharedArrayBuffer(values.length));
  bytes.set(values);
  return bytes;
}

function publishOf(...batches: readonly Uint8Array[]) {
  const run = { topic: "t", partition: 0, fromOffset: 5, batches };
  return { publishedAt: 1, runs: [run], created: [{ topic: "t", partition: 1 }] };
}

describe("packPublishes", () => {
  test("copies what is not shared and points to what is; unpacked it is the same", () => {
    const shared = sharedBytes(0, 4, 5, 6);
    const given = [publishOf(plain, shared.subarray(1, 3)), publishOf(shared.subarray(3), other)];
    expect(packedBytes(given)).toBe(5);
    const buffer = new ArrayBuffer(16);
    const packed = structuredClone({ ...packPublishes(given, buffer, new SharedNames()), buffer });
    expect(packed.shared.buffers).toHaveLength(1);
    const values = (publishes: readonly ReturnType<typeof publishOf>[]) =>
      publishes.map((each) => ({
        ...each,
        runs: each.runs.map((run) => ({ ...run, batches: run.batches.map((b) => [...b]) })),
      }));
    expect(values(unpackPublishes(packed, new SharedViews()) as typeof given)).toEqual(
      values(given),
    );
  });

  test("leaves shared bytes where they are: a change shows on the other side", () => {
    const shared = sharedBytes(1, 2);
    const buffer = new ArrayBuffer(0);
    const packed = packPublishes([publishOf(shared)], buffer, new SharedNames());
    const [publish] = unpackPublishes({ ...packed, buffer }, new SharedViews());
    shared[0] = 3;
    expect([...(publish?.runs[0]?.batches[0] ?? [])]).toEqual([3, 2]);
  });

  test("sends shared memory once, and takes stored stretches apart and together", () => {
    const names = new SharedNames();
    const views = new SharedViews();
    const shared = sharedBytes(1, 2, 3, 4);
    const where = { key: "k", position: 4096, baseOffset: 5, lastOffset: 6 };
    const run = { topic: "t", partition: 0, fromOffset: 5, batches: [] };
    for (const [first, newly] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const pieces = [shared.subarray(first, 2), plain];
      const given = [
        { publishedAt: 1, runs: [{ ...run, stored: { ...where, pieces } }], created: [] },
      ];
      expect(packedBytes(given)).toBe(3);
      const buffer = new ArrayBuffer(8);
      const packed = structuredClone({ ...packPublishes(given, buffer, names), buffer });
      expect(packed.shared.buffers).toHaveLength(newly);
      const [publish] = unpackPublishes(packed, views);
      const stored = publish?.runs[0]?.stored;
      expect(stored).toMatchObject(where);
      expect(stored?.pieces.map((piece) => [...piece])).toEqual([[1, 2].slice(first), [1, 2, 3]]);
    }
  });
});

/** What every ObjectStore must do. Each store's own test file calls this with a way to make one. */
import { describe, expect, test } from "bun:test";
import type { ObjectStore } from "../../src/store/object-store.ts";

export interface ObjectStoreHarness {
  readonly store: ObjectStore;
  /** Another store over the same objects, as after a restart or in another worker. */
  readonly reopened: () => ObjectStore;
  readonly dispose: () => Promise<void>;
}

/** Runs the contract; `make` gives an empty store. */
export function objectStoreContract(name: string, make: () => Promise<ObjectStoreHarness>): void {
  async function withStore(use: (harness: ObjectStoreHarness) => Promise<void>): Promise<void> {
    const harness = await make();
    try {
      await use(harness);
    } finally {
      await harness.store.close();
      await harness.dispose();
    }
  }

  describe(`${name} store: segments`, () => {
    test("reads back what it wrote, also through another store", () =>
      withStore(async ({ store, reopened }) => {
        const bytes = filled(8192, 1);
        const location = await store.writeSegment({ workerEpoch: 3, sequence: 1, bytes });
        expect(location.length).toBe(8192);
        expect(same(await store.read(location), bytes)).toBe(true);
        const other = reopened();
        expect(same(await other.read(location), bytes)).toBe(true);
        await other.close();
      }));

    test("keeps several writes in flight apart", () =>
      withStore(async ({ store }) => {
        const segments = Array.from({ length: 24 }, (_, sequence) => ({
          workerEpoch: 3,
          sequence,
          bytes: filled(4096 * (1 + (sequence % 5)), sequence + 1),
        }));
        const locations = await Promise.all(segments.map((s) => store.writeSegment(s)));
        const places = new Set(locations.map(({ key, position }) => `${key}@${position}`));
        expect(places.size).toBe(segments.length);
        for (const [index, location] of locations.entries()) {
          expect(same(await store.read(location), segments[index]?.bytes)).toBe(true);
        }
      }));

    test("keeps nothing of a buffer that was lent", () =>
      withStore(async ({ store }) => {
        const bytes = filled(4096, 7);
        const location = await store.writeSegment({ workerEpoch: 3, sequence: 1, bytes });
        bytes.fill(0);
        expect(same(await store.read(location), filled(4096, 7))).toBe(true);
      }));

    test("takes a view of a larger memory", () =>
      withStore(async ({ store }) => {
        const memory = filled(65_536, 9);
        const bytes = memory.subarray(4097, 4097 + 8192);
        const location = await store.writeSegment({ workerEpoch: 3, sequence: 1, bytes });
        expect(same(await store.read(location), bytes)).toBe(true);
      }));

    test("takes another worker epoch after the first", () =>
      withStore(async ({ store }) => {
        const first = { workerEpoch: 3, sequence: 1, bytes: filled(4096, 1) };
        const second = { workerEpoch: 4, sequence: 1, bytes: filled(4096, 2) };
        const locations = [await store.writeSegment(first), await store.writeSegment(second)];
        expect(locations[0]?.key).not.toBe(locations[1]?.key);
        for (const [index, segment] of [first, second].entries()) {
          const location = locations[index];
          if (location === undefined) throw new Error("no location");
          expect(same(await store.read(location), segment.bytes)).toBe(true);
        }
      }));
  });

  describe(`${name} store: objects`, () => {
    test("creates once: the same bytes again are fine, others are object_exists", () =>
      withStore(async ({ store }) => {
        const bytes = filled(1000, 1);
        await store.create("receipts/7/a.receipts", bytes);
        await store.create("receipts/7/a.receipts", bytes);
        for (const other of [filled(1000, 2), filled(999, 1), new Uint8Array(0)]) {
          await expectCode(store.create("receipts/7/a.receipts", other), "object_exists");
        }
        expect(await store.sizeOf("receipts/7/a.receipts")).toBe(1000);
      }));

    test("holds empty objects", () =>
      withStore(async ({ store }) => {
        await store.create("x/empty", new Uint8Array(0));
        expect(await store.sizeOf("x/empty")).toBe(0);
      }));

    test("reads ranges exactly, up to the last byte", () =>
      withStore(async ({ store }) => {
        const bytes = filled(10_000, 3);
        await store.create("x/ranges", bytes);
        for (const [position, length] of [
          [0, 1],
          [1, 4096],
          [9999, 1],
          [0, 10_000],
          [5000, 5000],
          [10_000, 0],
        ] as const) {
          const part = await store.read({ key: "x/ranges", position, length });
          expect(same(part, bytes.subarray(position, position + length))).toBe(true);
        }
      }));

    test("gives each reader a buffer of its own", () =>
      withStore(async ({ store }) => {
        await store.create("x/own", filled(100, 3));
        const location = { key: "x/own", position: 0, length: 100 };
        (await store.read(location)).fill(0);
        expect(same(await store.read(location), filled(100, 3))).toBe(true);
      }));

    test("calls a range past the end corrupt_segment", () =>
      withStore(async ({ store }) => {
        await store.create("x/short", filled(100, 3));
        for (const [position, length] of [
          [0, 101],
          [99, 2],
          [100, 1],
          [5000, 10],
        ] as const) {
          await expectCode(store.read({ key: "x/short", position, length }), "corrupt_segment");
        }
      }));

    test("knows what is not there", () =>
      withStore(async ({ store }) => {
        await expectCode(store.read({ key: "x/no", position: 0, length: 1 }), "object_missing");
        expect(await store.sizeOf("x/no")).toBeUndefined();
        await store.delete(["x/no", "y/neither"]);
        await store.delete([]);
      }));

    test("deletes many at once, after which they are missing", () =>
      withStore(async ({ store }) => {
        const keys = Array.from({ length: 20 }, (_, index) => `x/many/${index}`);
        for (const key of keys) await store.create(key, filled(10, 1));
        await store.read({ key: "x/many/0", position: 0, length: 10 });
        await store.create("x/kept", filled(10, 1));
        await store.delete(keys);
        await expectCode(store.read({ key: "x/many/0", position: 0, length: 1 }), "object_missing");
        expect(await listed(store, "x/")).toEqual(["x/kept 10"]);
      }));

    test("lists by prefix, also by part of a name", () =>
      withStore(async ({ store }) => {
        await store.create("receipts/7/one", filled(1, 1));
        await store.create("receipts/71/two", filled(2, 1));
        await store.create("other/three", filled(3, 1));
        expect(await listed(store, "receipts/")).toEqual(["receipts/7/one 1", "receipts/71/two 2"]);
        expect(await listed(store, "receipts/7/")).toEqual(["receipts/7/one 1"]);
        expect(await listed(store, "receipts/7")).toEqual([
          "receipts/7/one 1",
          "receipts/71/two 2",
        ]);
        expect(await listed(store, "nothing/")).toEqual([]);
        expect(await listed(store, "receipts/", "receipts/7/one")).toEqual(["receipts/71/two 2"]);
        expect((await listed(store, "")).length).toBe(3);
      }));

    test("refuses keys that lead out of it", () =>
      withStore(async ({ store }) => {
        for (const key of [
          "",
          "../x",
          "a/../../b",
          "/etc/x",
          "a//b",
          "a/./b",
          "a\\b",
          "a\0b",
          "a/",
        ]) {
          await expectCode(store.create(key, filled(1, 1)), "invalid_request");
          await expectCode(store.read({ key, position: 0, length: 1 }), "invalid_request");
          await expectCode(store.sizeOf(key), "invalid_request");
          await expectCode(store.delete([key]), "invalid_request");
        }
      }));

    test("reads into the caller's buffers, one after the other", () =>
      withStore(async ({ store }) => {
        await store.create("x/targets", filled(100, 3));
        const targets = [new Uint8Array(10), new Uint8Array(1), new Uint8Array(25)] as const;
        await store.readInto({ key: "x/targets", position: 40, length: 36 }, targets);
        const expected = filled(100, 3);
        expect(same(targets[0], expected.subarray(40, 50))).toBe(true);
        expect(same(targets[1], expected.subarray(50, 51))).toBe(true);
        expect(same(targets[2], expected.subarray(51, 76))).toBe(true);
        const short = store.readInto({ key: "x/targets", position: 90, length: 11 }, [
          new Uint8Array(5),
          new Uint8Array(6),
        ]);
        await expectCode(short, "corrupt_segment");
      }));

    test("gives up a read whose signal is aborted", () =>
      withStore(async ({ store }) => {
        await store.create("x/abort", filled(10, 1));
        const signal = AbortSignal.abort(new Error("nobody waits"));
        const location = { key: "x/abort", position: 0, length: 10 };
        await expect(store.read(location, signal)).rejects.toThrow("nobody waits");
      }));

    test("takes no writes once it is closed", () =>
      withStore(async ({ store }) => {
        await store.close();
        const segment = { workerEpoch: 3, sequence: 1, bytes: filled(4096, 1) };
        await expectCode(store.writeSegment(segment), "shutting_down");
        await expectCode(store.create("x/late", filled(1, 1)), "shutting_down");
      }));
  });
}

/** Bytes that differ along the way and by seed. */
export function filled(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 97 + (index >> 8)) & 0xff);
}

export function same(left: Uint8Array, right: Uint8Array | undefined): boolean {
  return right !== undefined && Buffer.compare(left, right) === 0;
}

export async function expectCode(act: Promise<unknown>, code: string): Promise<void> {
  let caught: unknown;
  try {
    await act;
  } catch (error) {
    caught = error;
  }
  expect(caught).toMatchObject({ name: "StreamError", code });
}

async function listed(store: ObjectStore, prefix: string, after?: string): Promise<string[]> {
  const found = await Array.fromAsync(store.list(prefix, after));
  return found.map(({ key, sizeBytes }) => `${key} ${sizeBytes}`).toSorted();
}

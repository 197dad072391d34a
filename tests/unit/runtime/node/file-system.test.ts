import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeFileSystem } from "../../../../src/runtime/node/file-system.ts";
import { expectCode, filled, same } from "../../../contract/object-store.ts";

const root = mkdtempSync(join(tmpdir(), "millrace-files-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let number = 0;
function fresh(): string {
  number += 1;
  return join(root, String(number), "made/for/it/file.log");
}

/** A page-aligned view, which O_DIRECT takes, at the start of a WASM memory. */
function alignedBytes(length: number): Uint8Array {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(length / 65_536) });
  const bytes = new Uint8Array(memory.buffer, 0, length);
  bytes.set(filled(length, 6));
  return bytes;
}

for (const writes of ["durable", "fast", "buffered"] as const) {
  describe(`nodeFileSystem, ${writes} writes`, () => {
    const files = nodeFileSystem({ writes });

    test("reads back aligned and unaligned writes at any position", async () => {
      const path = fresh();
      const file = await files.create(path);
      const large = alignedBytes(1_048_576);
      await file.write(large, 0);
      await file.write(large.subarray(4096, 12_288), 1_048_576);
      await file.write(large.subarray(1, 4097), 1_056_768);
      await file.write(large.subarray(0, 100), 1_060_864);
      await file.sync();
      const target = new Uint8Array(100);
      expect(await file.read(target, 1_060_864)).toBe(100);
      expect(same(target, large.subarray(0, 100))).toBe(true);
      expect(await file.size()).toBe(1_060_964);
      await file.close();
      const disk = readFileSync(path);
      expect(same(disk.subarray(0, 1_048_576), large)).toBe(true);
      expect(same(disk.subarray(1_048_576, 1_056_768), large.subarray(4096, 12_288))).toBe(true);
      expect(same(disk.subarray(1_056_768, 1_060_864), large.subarray(1, 4097))).toBe(true);
    });

    test("keeps writes in flight apart", async () => {
      const file = await files.create(fresh());
      const large = alignedBytes(16 * 65_536);
      const starts = Array.from({ length: 16 }, (_, index) => index * 65_536);
      await Promise.all(starts.map((at) => file.write(large.subarray(at, at + 65_536), at)));
      await Promise.all([file.sync(), file.sync()]);
      const target = new Uint8Array(large.length);
      expect(await file.read(target, 0)).toBe(large.length);
      expect(same(target, large)).toBe(true);
      await file.close();
    });

    test("reads long stretches of what it opens, up to an end at any place", async () => {
      const path = fresh();
      const large = alignedBytes(1_048_576 + 65_536);
      const end = 1_048_576 + 4096 + 100;
      const made = await files.create(path);
      await made.write(large.subarray(0, end), 0);
      await made.close();
      const file = await files.open(path);
      const target = alignedBytes(1_048_576 + 65_536).fill(0);
      expect(await file.read(target, 0)).toBe(end);
      expect(same(target.subarray(0, end), large.subarray(0, end))).toBe(true);
      expect(target.subarray(end).every((byte) => byte === 0)).toBe(true);
      expect(await file.read(target, 524_288)).toBe(end - 524_288);
      expect(same(target.subarray(0, end - 524_288), large.subarray(524_288, end))).toBe(true);
      // Nor need anything be aligned.
      expect(await file.read(target.subarray(1, 524_289), 4097)).toBe(524_288);
      expect(same(target.subarray(1, 524_289), large.subarray(4097, 528_385))).toBe(true);
      await file.close();
    });

    test("creates exclusively", async () => {
      const path = fresh();
      await (await files.create(path)).close();
      await expectCode(files.create(path), "object_exists");
    });
  });
}

describe("nodeFileSystem", () => {
  const files = nodeFileSystem({ writes: "buffered" });

  test("opens what exists, reads up to its end and truncates", async () => {
    const path = join(root, "plain");
    writeFileSync(path, filled(1000, 1));
    const file = await files.open(path);
    const target = new Uint8Array(600);
    expect(await file.read(target, 500)).toBe(500);
    expect(await file.read(target, 5000)).toBe(0);
    await file.truncate(10);
    await file.sync();
    expect(await file.size()).toBe(10);
    await file.close();
    await expectCode(files.open(join(root, "nothing")), "object_missing");
    await expectCode(files.open(join(path, "below-a-file")), "object_missing");
  });

  test("lists files below a folder with sizes, and nothing below one that is not there", async () => {
    const folder = join(root, "listed");
    for (const [path, length] of [
      ["a", 1],
      ["b/c", 2],
      ["b/d/e", 3],
    ] as const) {
      const file = await files.create(join(folder, path));
      await file.write(new Uint8Array(length), 0);
      await file.close();
    }
    const found = await files.list(folder);
    expect(found.toSorted((x, y) => x.sizeBytes - y.sizeBytes)).toEqual([
      { path: "a", sizeBytes: 1 },
      { path: "b/c", sizeBytes: 2 },
      { path: "b/d/e", sizeBytes: 3 },
    ]);
    expect(await files.list(join(root, "no-folder"))).toEqual([]);
  });

  test("removes files, and does not mind those that are gone", async () => {
    const path = fresh();
    await (await files.create(path)).close();
    await files.remove(path);
    await files.remove(path);
    await expectCode(files.open(path), "object_missing");
  });
});

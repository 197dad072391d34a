import { describe, expect, test } from "bun:test";
import { BufferPool } from "../../../../src/base/buffer-pool.ts";
import { HeldOutputs } from "../../../../src/sql/engine/held-outputs.ts";
import type { OutputBatch } from "../../../../src/sql/engine/task-output.ts";
import { MemoryDisk } from "../../../support/memory-disk.ts";
import { createRandom } from "../../../support/virtual-platform.ts";

function batchOf(number: number, bytes: number): OutputBatch {
  const content = createRandom(number).bytes(bytes);
  return {
    kind: number % 7 === 0 ? "late" : "result",
    partition: number % 3,
    bytes: content,
    recordCount: number,
  };
}

function held(bytesMax: number) {
  const disks: (MemoryDisk & { isClosed?: boolean })[] = [];
  const buffers = new BufferPool(1_000_000);
  const openDisk = () => {
    const disk: MemoryDisk & { isClosed?: boolean } = new MemoryDisk();
    const close = disk.close.bind(disk);
    disk.close = () => {
      disk.isClosed = true;
      close();
    };
    disks.push(disk);
    return disk;
  };
  return { outputs: new HeldOutputs({ bytesMax, openDisk, buffers }), disks };
}

describe("HeldOutputs", () => {
  test("keeps in memory what fits, and gives it at once", () => {
    const { outputs, disks } = held(1_000);
    for (let number = 0; number < 3; number++) outputs.add(batchOf(number, 300));
    expect(outputs.bytes).toBe(900);
    expect(outputs.take()).toEqual([batchOf(0, 300), batchOf(1, 300), batchOf(2, 300)]);
    expect(outputs.isEmpty).toBe(true);
    expect(outputs.take()).toEqual([]);
    expect(disks).toEqual([]);
  });

  test("gives the rest in parts from disk, as it was, in its order", () => {
    const { outputs, disks } = held(200_000);
    const sizes = Array.from({ length: 60 }, (_, index) => 1 + ((index * 7_919) % 90_000));
    const all = sizes.map((bytes, number) => batchOf(number, bytes));
    // Their bytes go to the pool, to be written to again.
    for (const [number, bytes] of sizes.entries()) outputs.add(batchOf(number, bytes));
    const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
    expect(outputs.bytes).toBe(total);
    const given: OutputBatch[] = [];
    while (!outputs.isEmpty) {
      const part = outputs.take();
      expect(part.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(200_000);
      given.push(...part);
      expect(outputs.bytes).toBe(total - given.reduce((sum, { bytes }) => sum + bytes.length, 0));
    }
    expect(given).toEqual(all);
    expect(disks.map(({ isClosed }) => isClosed)).toEqual([true]);
  });

  test("takes more while some is on disk, behind it", () => {
    const { outputs, disks } = held(100_000);
    for (let number = 0; number < 5; number++) outputs.add(batchOf(number, 70_000));
    expect(outputs.take()).toEqual([batchOf(0, 70_000)]);
    expect(outputs.take()).toEqual([batchOf(1, 70_000)]);
    for (let number = 5; number < 8; number++) outputs.add(batchOf(number, 30_000));
    for (let number = 2; number < 5; number++) {
      expect(outputs.take()[0]).toEqual(batchOf(number, 70_000));
    }
    const rest = [];
    while (!outputs.isEmpty) rest.push(...outputs.take());
    expect(rest.at(-1)).toEqual(batchOf(7, 30_000));
    expect(outputs.bytes).toBe(0);
    outputs.add(batchOf(8, 150_000));
    outputs.add(batchOf(9, 150_000));
    expect([...outputs.take(), ...outputs.take()]).toEqual([
      batchOf(8, 150_000),
      batchOf(9, 150_000),
    ]);
    expect(disks).toHaveLength(2);
  });

  test("without a disk all stays, and is one part", () => {
    const outputs = new HeldOutputs({ bytesMax: 100 });
    for (let number = 0; number < 3; number++) outputs.add(batchOf(number, 90));
    expect(outputs.take()).toHaveLength(3);
  });
});

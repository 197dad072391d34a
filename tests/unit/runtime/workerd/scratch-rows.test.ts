import { describe, expect, test } from "bun:test";
import {
  type RowStore,
  ScratchRows,
  scratchRowBytes,
} from "../../../../src/runtime/workerd/scratch-rows.ts";
import { Dice } from "../../../sim/dice.ts";

const pageBytes = 4096;

class MemoryRows implements RowStore {
  readonly rows = new Map<number, Uint8Array>();
  readonly free: number[] = [];
  count = 0;
  writes = 0;

  take(): number {
    return this.free.pop() ?? this.count++;
  }

  giveBack(rows: readonly number[]): void {
    for (const row of rows) this.rows.delete(row);
    this.free.push(...rows);
  }

  write(row: number, bytes: Uint8Array): void {
    this.writes++;
    this.rows.set(row, bytes.slice());
  }

  read(row: number, position: number, target: Uint8Array): void {
    const bytes = this.rows.get(row);
    if (bytes === undefined) throw new Error(`row ${row} was never written`);
    target.set(bytes.subarray(position, position + target.length));
  }
}

function filled(byte: number, bytes = pageBytes): Uint8Array {
  return new Uint8Array(bytes).fill(byte);
}

describe("ScratchRows", () => {
  test("gives back what was last written under a number, wherever it lies", () => {
    const store = new MemoryRows();
    const disk = new ScratchRows(store);
    const dice = new Dice(7);
    const written = new Map<number, number>();
    for (let round = 0; round < 20_000; round++) {
      const page = dice.below(500);
      if (dice.chance(0.5)) {
        const byte = dice.below(256);
        disk.write(page, filled(byte));
        written.set(page, byte);
        continue;
      }
      const byte = written.get(page);
      if (byte === undefined) continue;
      const bytes = filled(0);
      disk.read(page, bytes);
      expect(bytes).toEqual(filled(byte));
    }
    // 500 pages are 16 rows: garbage takes no more than as much again.
    expect(store.count).toBeLessThanOrEqual(2 * 16 + 4);
  });

  test("a row is written for 32 pages, whatever their numbers", () => {
    const store = new MemoryRows();
    const disk = new ScratchRows(store);
    for (let page = 0; page < 320; page++) disk.write((page * 7919) % 100_003, filled(page % 256));
    expect(store.writes).toBe(10);
    // In the row that is being filled, a page is written in its place.
    disk.write(1, filled(1));
    for (let again = 0; again < 100; again++) disk.write(1, filled(again));
    expect(store.writes).toBe(10);
    const bytes = filled(0);
    disk.read(1, bytes);
    expect(bytes).toEqual(filled(99));
  });

  test("takes blocks of other sizes, and ends with nothing", () => {
    const store = new MemoryRows();
    const disk = new ScratchRows(store);
    const blockBytes = scratchRowBytes / 2;
    for (let block = 0; block < 5; block++) disk.write(block, filled(block, blockBytes));
    for (let block = 0; block < 5; block++) {
      const bytes = filled(9, blockBytes);
      disk.read(block, bytes);
      expect(bytes).toEqual(filled(block, blockBytes));
    }
    expect(store.writes).toBe(2);
    disk.close();
    expect(store.rows.size).toBe(0);
    expect(store.free.length).toBe(store.count);
  });

  test("a page that was never written is a mistake of ours", () => {
    const disk = new ScratchRows(new MemoryRows());
    expect(() => disk.read(3, filled(0))).toThrow("Broken invariant");
  });
});

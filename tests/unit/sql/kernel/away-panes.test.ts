import { describe, expect, test } from "bun:test";
import { AggregateState } from "../../../../src/sql/kernel/aggregate.ts";
import { SpillSpace } from "../../../../src/sql/kernel/spill-space.ts";
import type { AccumulatorKind } from "../../../../src/sql/plan/plan.ts";
import { MemoryDisk } from "../../../support/memory-disk.ts";
import { readResult } from "../../../support/sql-state.ts";
import { createSqliteHost, tableOf } from "../../../support/sqlite.ts";

const input = ["integer", "text"] as const;
const paneMs = 1000;

function create(
  bytesMax: number,
  kind: AccumulatorKind = "max",
  keys: readonly number[] = [1],
  column = 1,
  tracksChanges = false,
) {
  const host = createSqliteHost();
  const disk = new MemoryDisk();
  const spill = new SpillSpace(host.memory, { disk, bytesMax });
  const state = new AggregateState(host, {
    spec: {
      input,
      keys,
      accumulators: [{ kind, column, filter: null, isDistinct: false }],
      ...{ isRetractable: false, tracksChanges },
    },
    ...{ seed: 4n, bytesMax: 0, panes: { sizeMs: paneMs, offsetMs: 0 }, spill },
  });
  const add = (startMs: number, groups: number) => {
    const rows = Array.from({ length: groups }, (_, at) => [BigInt(startMs), `group ${at}`]);
    state.add({ table: tableOf(host.memory, input, rows), timeColumn: 0 });
  };
  const rowsOf = (startMs: number, endMs: number) => {
    const result = state.merge({ startMs, endMs });
    const { length } = readResult(host.memory, result);
    result.free();
    return length;
  };
  return { host, state, add, rowsOf, disk, spill };
}

describe("AwayPanes", () => {
  test("hold more than memory, and come back when their window closes", () => {
    const { state, add, rowsOf, spill } = create(300 * 1024);
    for (let pane = 0; pane < 20; pane++) add(pane * paneMs, 1000);
    expect(state.bytesHeld).toBeLessThan(400 * 1024);
    expect(spill.blocksUsed).toBeGreaterThan(20);
    for (let pane = 0; pane < 20; pane++) {
      expect(state.paneGroups(0)).toBe(1000);
      expect(rowsOf(pane * paneMs, (pane + 1) * paneMs)).toBe(1000);
      state.dropBefore((pane + 1) * paneMs);
    }
    expect(spill.blocksUsed).toBe(0);
  });

  test("that have not changed are not read for a delta", () => {
    const { state, add, disk } = create(0);
    for (let pane = 0; pane < 5; pane++) add(pane * paneMs, 100);
    state.save({ full: true });
    const { reads } = disk;
    add(4 * paneMs, 1);
    const delta = state.save({ full: false });
    expect(disk.reads).toBe(reads);
    expect(delta.length).toBeLessThan(600);
  });

  test("take the registers of estimates with them", () => {
    const { host, state, spill, disk } = create(0, "approxCountDistinct", [0], 1);
    const value = (pane: number, at: number) => [BigInt(pane * paneMs), `value ${at}`];
    const add = (pane: number, from: number, to: number) => {
      const rows = Array.from({ length: to - from }, (_, at) => value(pane, from + at));
      state.add({ table: tableOf(host.memory, input, rows), timeColumn: 0 });
    };
    for (let pane = 0; pane < 5; pane++) {
      add(pane, 0, 100 + 900 * pane);
    }
    expect(spill.blocksUsed).toBeGreaterThan(0);
    add(1, 500, 1500);
    expect(disk.reads).toBeGreaterThan(0);
    const counts = [0, 1, 2, 3, 4].map((pane) => {
      const result = state.merge({ startMs: pane * paneMs, endMs: (pane + 1) * paneMs });
      const [row] = readResult(host.memory, result);
      result.free();
      return Number(row?.[1]);
    });
    expect(counts[0]).toBe(100);
    for (const [pane, truth] of [100, 1500, 1900, 2800, 3700].entries()) {
      expect(Math.abs((counts[pane] ?? 0) / truth - 1)).toBeLessThan(0.06);
    }
    state.dropBefore(3 * paneMs);
    state.free();
    expect(spill.blocksUsed).toBe(0);
  });

  test("with changes are read and settled one by one", () => {
    const { state, host, spill, add } = create(300 * 1024, "max", [1], 1, true);
    for (let pane = 0; pane < 20; pane++) add(pane * paneMs, 1000);
    for (let pane = 0; pane < 20; pane++) {
      const changes = state.changes(pane);
      expect(changes && readResult(host.memory, changes.after)).toHaveLength(1000);
      expect(state.bytesHeld).toBeLessThan(700 * 1024);
    }
    state.settle();
    expect(state.bytesHeld).toBeLessThan(700 * 1024);
    add(3 * paneMs, 2);
    const changed = Array.from({ length: 20 }, (_, pane) => {
      const changes = state.changes(pane);
      return changes === null ? [] : readResult(host.memory, changes.before);
    });
    // MAX is what it was: nothing looks different.
    expect(changed.flat()).toEqual([]);
    state.settle();
    expect(state.save({ full: false }).length).toBeGreaterThan(0);
    expect(spill.blocksUsed).toBeGreaterThan(10);
  });

  test("that show changes take rows one by one where there is no room for all of them", () => {
    const run = (bytesMax: number) => {
      const { state, host, add } = create(bytesMax, "count", [1], 1, true);
      for (let pane = 0; pane < 20; pane++) add(pane * paneMs, 1000);
      let mostHeld = 0;
      for (let round = 0; round < 3; round++) {
        const rows = Array.from({ length: 60 }, (_, at) => [
          BigInt((at % 20) * paneMs + at),
          `group ${at + 17 * round}`,
        ]);
        state.add({ table: tableOf(host.memory, input, rows), timeColumn: 0 });
        mostHeld = Math.max(mostHeld, state.bytesHeld);
      }
      const changed = Array.from({ length: 20 }, (_, pane) => {
        const changes = state.changes(pane);
        return changes === null ? [] : readResult(host.memory, changes.after);
      });
      state.settle();
      return { changed, mostHeld };
    };
    const tight = run(300 * 1024);
    expect(tight.changed).toEqual(run(1 << 26).changed);
    expect(tight.mostHeld).toBeLessThan(500 * 1024);
  });
});

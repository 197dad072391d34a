import { describe, expect, test } from "bun:test";
import { AggregateState } from "../../../../src/sql/kernel/aggregate.ts";
import { SpillSpace } from "../../../../src/sql/kernel/spill-space.ts";
import type { AccumulatorKind } from "../../../../src/sql/plan/plan.ts";
import { MemoryDisk } from "../../../support/memory-disk.ts";
import { readResult } from "../../../support/sql-state.ts";
import { createSqliteHost, tableOf } from "../../../support/sqlite.ts";

const input = ["integer", "text"] as const;
const paneMs = 1000;

function create(bytesMax: number, kind: AccumulatorKind = "max") {
  const host = createSqliteHost();
  const disk = new MemoryDisk();
  const spill = new SpillSpace(host.memory, { disk, bytesMax });
  const state = new AggregateState(host, {
    spec: {
      input,
      keys: [1],
      accumulators: [{ kind, column: 1, filter: null, isDistinct: false }],
      ...{ isRetractable: false, tracksChanges: false },
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
  return { state, add, rowsOf, disk, spill };
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

  test("stay where entries hold addresses, as estimates do", () => {
    const { state, add, spill } = create(0, "approxCountDistinct");
    for (let pane = 0; pane < 5; pane++) add(pane * paneMs, 100);
    expect(spill.blocksUsed).toBe(0);
    expect(state.paneGroups(4)).toBe(100);
  });
});

import { describe, expect, test } from "bun:test";
import { AggregateState } from "../../../../src/sql/kernel/aggregate.ts";
import { SpillSpace } from "../../../../src/sql/kernel/spill-space.ts";
import type { Accumulator } from "../../../../src/sql/plan/plan.ts";
import { StateFile } from "../../../../src/sql/sqlite/vfs.ts";
import { MemoryDisk } from "../../../support/memory-disk.ts";
import { readResult } from "../../../support/sql-state.ts";
import { type CellValue, createSqliteHost, tableOf } from "../../../support/sqlite.ts";

const input = ["text", "integer"] as const;
const count = { kind: "count", column: null, filter: null, isDistinct: false } as const;

function create(options: {
  readonly bytesMax: number;
  readonly keys?: readonly number[];
  readonly accumulators?: readonly Accumulator[];
  readonly isFinal?: boolean;
}) {
  const host = createSqliteHost();
  const { bytesMax, keys = [0], accumulators = [count], isFinal = false } = options;
  const scratch = new MemoryDisk();
  const file = new StateFile(host, { name: "state", scratch, cachedBytesMax: 1 << 20 });
  const state = new AggregateState(host, {
    spec: { input, keys, accumulators, isRetractable: false, tracksChanges: !isFinal },
    ...{ seed: 4n, bytesMax: 0, panes: null },
    spill: new SpillSpace(host.memory, { disk: new MemoryDisk(), bytesMax }),
    ...{ cold: { database: file.open(), name: "groups" }, isFinal },
  });
  const add = (from: number, groups: number, value = 1n) => {
    const rows = Array.from({ length: groups }, (_, at) => [`group ${from + at}`, value]);
    state.add({ table: tableOf(host.memory, input, rows) });
  };
  const settle = () => {
    const changes = state.changes();
    const rows = changes === null ? [] : readResult(host.memory, changes.after);
    state.settle();
    return rows.map(([key, value]) => [key, value]);
  };
  const bringOut = () => {
    const rows: CellValue[][] = [];
    state.bringOut((groups) => rows.push(...readResult(host.memory, groups)));
    return rows.map(([key, value]) => [key, value]);
  };
  return { host, state, file, add, settle, bringOut };
}

describe("ColdGroups", () => {
  test("keep what does not fit, and give groups back as they were, in the order of their rows", () => {
    const { state, file, add, settle } = create({ bytesMax: 256 * 1024 });
    for (let round = 0; round < 20; round++) {
      add(round * 2000, 2000);
      expect(settle()).toHaveLength(2000);
      expect(state.bytesHeld).toBeLessThan(700 * 1024);
    }
    expect(file.pageCount * 4096).toBeGreaterThan(2 << 20);
    add(10_000, 3);
    add(0, 2);
    expect(settle()).toEqual([
      ["group 10000", 2n],
      ["group 10001", 2n],
      ["group 10002", 2n],
      ["group 0", 2n],
      ["group 1", 2n],
    ]);
  });

  test("a delta holds what changed, not the groups that are away", () => {
    const { state, file, add, settle } = create({ bytesMax: 0 });
    add(0, 10_000);
    settle();
    expect(state.save({ full: true }).length).toBeLessThan(200);
    expect(file.checkpoint("full").length).toBeGreaterThan(500_000);
    add(77, 1);
    settle();
    expect(state.save({ full: false }).length).toBeLessThan(200);
    expect(file.checkpoint("delta").length).toBeLessThan(60_000);
  });

  test("stay when memory is enough, and a single group always does", () => {
    const roomy = create({ bytesMax: 1 << 24 });
    roomy.add(0, 100);
    roomy.settle();
    expect(roomy.state.paneGroups(0)).toBe(100);
    expect(roomy.file.pageCount).toBe(0);
    const single = create({ bytesMax: 0, keys: [] });
    single.add(0, 100);
    expect(single.state.awaitsSettling).toBe(false);
    single.settle();
    expect(single.state.paneGroups(0)).toBe(1);
  });

  test("with values that they have counted know them when they come back", () => {
    const distinct = { ...count, column: 1, isDistinct: true } as const;
    const bytesMax = 512 * 1024;
    const { state, file, add, settle } = create({ bytesMax, accumulators: [distinct] });
    for (let round = 0; round < 20; round++) {
      add(round * 2000, 2000, 5n);
      add(round * 2000, 2000, 6n);
      expect(settle()).toHaveLength(2000);
      expect(state.bytesHeld).toBeLessThan(1600 * 1024);
    }
    expect(file.pageCount * 4096).toBeGreaterThan(2 << 20);
    add(10_000, 2, 5n);
    add(0, 1, 7n);
    add(10_001, 1, 8n);
    add(50_000, 1, 5n);
    expect(settle()).toEqual([
      ["group 10001", 3n],
      ["group 0", 3n],
      ["group 50000", 1n],
    ]);
  });

  test("of a query that ends leave at any time, and come out by their first rows", () => {
    for (const accumulators of [[count], [{ ...count, column: 1, isDistinct: true }]]) {
      const { host, state, add, bringOut } = create({
        bytesMax: 1 << 20,
        accumulators,
        isFinal: true,
      });
      for (let from = 0; from < 100_000; from += 2500) {
        add(from, 2500);
        add(0, 20, 2n);
        expect(state.bytesHeld).toBeLessThan(4 << 20);
      }
      const rows = bringOut();
      expect(rows.map(([key]) => key)).toEqual(
        Array.from({ length: 100_000 }, (_, at) => `group ${at}`),
      );
      const first = accumulators[0]?.isDistinct ? 2n : 41n;
      expect(rows.slice(18, 22).map(([, value]) => value)).toEqual([first, first, 1n, 1n]);
      expect(host.memory.bytes.length).toBeLessThan(24 << 20);
    }
  });

  test("say that they wait to leave before their changes are read", () => {
    const { state, add, settle } = create({ bytesMax: 0 });
    add(0, 5);
    expect(state.awaitsSettling).toBe(true);
    settle();
    expect(state.awaitsSettling).toBe(false);
  });
});

import { describe, expect, test } from "bun:test";
import { AggregateState } from "../../../../src/sql/kernel/aggregate.ts";
import { SpillSpace } from "../../../../src/sql/kernel/spill-space.ts";
import { StateFile } from "../../../../src/sql/sqlite/vfs.ts";
import { MemoryDisk } from "../../../support/memory-disk.ts";
import { readResult } from "../../../support/sql-state.ts";
import { createSqliteHost, tableOf } from "../../../support/sqlite.ts";

const input = ["text", "integer"] as const;
const count = { kind: "count", column: null, filter: null, isDistinct: false } as const;

function create(options: { readonly bytesMax: number; readonly keys?: readonly number[] }) {
  const host = createSqliteHost();
  const { bytesMax, keys = [0] } = options;
  const scratch = new MemoryDisk();
  const file = new StateFile(host, { name: "state", scratch, cachedBytesMax: 1 << 20 });
  const state = new AggregateState(host, {
    spec: { input, keys, accumulators: [count], isRetractable: false, tracksChanges: true },
    ...{ seed: 4n, bytesMax: 0, panes: null },
    spill: new SpillSpace(host.memory, { disk: new MemoryDisk(), bytesMax }),
    cold: { database: file.open(), name: "groups" },
  });
  const add = (from: number, groups: number) => {
    const rows = Array.from({ length: groups }, (_, at) => [`group ${from + at}`, 1n]);
    state.add({ table: tableOf(host.memory, input, rows) });
  };
  const settle = () => {
    const changes = state.changes();
    const rows = changes === null ? [] : readResult(host.memory, changes.after);
    state.settle();
    return rows.map(([key, value]) => [key, value]);
  };
  return { state, file, add, settle };
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

  test("say that they wait to leave before their changes are read", () => {
    const { state, add, settle } = create({ bytesMax: 0 });
    add(0, 5);
    expect(state.awaitsSettling).toBe(true);
    settle();
    expect(state.awaitsSettling).toBe(false);
  });
});

import { describe, expect, test } from "bun:test";
import { AggregateState } from "../../../../src/sql/kernel/aggregate.ts";
import { SpillSpace } from "../../../../src/sql/kernel/spill-space.ts";
import { RowTable } from "../../../../src/sql/memory/row-table.ts";
import type { Accumulator } from "../../../../src/sql/plan/plan.ts";
import { MemoryDisk } from "../../../support/memory-disk.ts";
import { readResult } from "../../../support/sql-state.ts";
import { type CellValue, createSqliteHost, tableOf } from "../../../support/sqlite.ts";

const input = ["integer", "integer", "text", "integer"] as const;
const distinct = (column: number, filter: number | null = null): Accumulator => ({
  kind: "count",
  column,
  filter,
  isDistinct: true,
});

function create(bytesMax: number | null, accumulators: readonly Accumulator[]) {
  const host = createSqliteHost();
  const disk = new MemoryDisk();
  const spill = bytesMax === null ? undefined : new SpillSpace(host.memory, { disk, bytesMax });
  const state = new AggregateState(host, {
    spec: { input, keys: [0], accumulators, isRetractable: false, tracksChanges: true },
    ...{ seed: 9n, bytesMax: 0, panes: null, spill },
  });
  const add = (rows: readonly (readonly CellValue[])[]) =>
    state.add({ table: tableOf(host.memory, input, rows) });
  const read = () => {
    const result = state.all();
    const rows = readResult(host.memory, result).map((row) => row.slice(0, -3));
    result.free();
    return rows;
  };
  return { host, state, add, read, disk, spill };
}

/** Rows whose values are all different: of a group, a number, its text, and whether it is even. */
function rowsFrom(first: number, count: number): CellValue[][] {
  return Array.from({ length: count }, (_, index) => {
    const value = first + index;
    return [BigInt(value % 3), BigInt(value), `value ${value}`, BigInt(value % 2)];
  });
}

describe("MemberSets", () => {
  test("share a set among aggregates of a column: filters add bits, not members", () => {
    const held = (accumulators: readonly Accumulator[]) => {
      const { add, state } = create(null, accumulators);
      add(rowsFrom(0, 20_000));
      return state.bytesHeld;
    };
    const one = held([distinct(1)]);
    const four = held([distinct(1), distinct(1, 3), distinct(1, 3), distinct(1, 3)]);
    expect(four - one).toBeLessThan(20_000);
    expect(one).toBeLessThan(20_000 * 48);
  });

  test("count more than sixteen filters on one column", () => {
    const filters = Array.from({ length: 20 }, (_, index) => distinct(1, index % 2 ? 3 : null));
    const { add, read } = create(null, filters);
    add(rowsFrom(0, 60));
    add(rowsFrom(0, 60));
    const counts = filters.map(({ filter }) => (filter === null ? 20n : 10n));
    expect(read()).toEqual([0n, 1n, 2n].map((group) => [group, ...counts]));
  });

  test("are right beyond their memory, and leave it", () => {
    const accumulators = [distinct(1), distinct(2), distinct(1, 3)];
    const { add, read, state, disk, spill } = create(64 * 1024, accumulators);
    for (let round = 0; round < 10; round++) {
      // Half of each has come before.
      add(rowsFrom(round * 1500, 3000));
      expect(state.bytesHeld).toBeLessThan(400 * 1024);
    }
    expect(disk.writes).toBeGreaterThan(0);
    const [each, even] = [5500n, 2750n];
    expect(read()).toEqual([0n, 1n, 2n].map((group) => [group, each, each, even]));
    state.free();
    expect(spill?.blocksUsed).toBe(0);
  });

  test("write what was added into a delta, and read no segment that has not changed", () => {
    const { add, state, disk, read } = create(0, [distinct(1)]);
    add(rowsFrom(0, 6000));
    read();
    state.changes();
    state.settle();
    const full = state.save({ full: true });
    const reads = disk.reads;
    const nothing = state.save({ full: false });
    expect(nothing.length).toBeLessThan(100);
    expect(disk.reads).toBe(reads);
    add(rowsFrom(6000, 3));
    state.changes();
    state.settle();
    const delta = state.save({ full: false });
    expect(delta.length).toBeLessThan(full.length / 50);
    const restored = create(0, [distinct(1)]);
    for (const blob of [full, nothing, delta]) restored.state.restore(blob);
    expect(restored.read()).toEqual(read());
    restored.add(rowsFrom(0, 6003));
    expect(restored.read()).toEqual(read());
  });

  test("of one group may be far more than memory has room for", () => {
    const { state, add, read, host } = create(1 << 20, [distinct(1)]);
    const many = 2000;
    const table = new RowTable(host.memory, input);
    const keys = host.memory.allocateZeroed(8);
    const values = host.memory.allocateZeroed(8 * many);
    for (const column of input.keys()) table.point(column, { values: keys, stride: 0 });
    table.point(1, { values });
    for (let first = 0; first < 400_000; first += many) {
      for (let at = 0; at < many; at++) {
        host.memory.view.setBigInt64(values + 8 * at, BigInt(first + at), true);
      }
      table.setRows({ rowCount: many });
      state.add({ table });
    }
    add(rowsFrom(0, 3000).filter(([key]) => key === 0n));
    expect(read()).toEqual([[0n, 400_000n]]);
    // They would take some 12 MB, of which a segment is needed at a time.
    expect(state.bytesHeld).toBeLessThan(3 << 20);
    expect(host.memory.bytes.length).toBeLessThan(16 << 20);
  });
});

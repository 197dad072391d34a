import { describe, expect, test } from "bun:test";
import { AggregateState } from "../../../../src/sql/kernel/aggregate.ts";
import { SpillSpace } from "../../../../src/sql/kernel/spill-space.ts";
import { RowTable } from "../../../../src/sql/memory/row-table.ts";
import type { Accumulator } from "../../../../src/sql/plan/plan.ts";
import { StateFile } from "../../../../src/sql/sqlite/vfs.ts";
import type { ValueKind } from "../../../../src/sql/types/data-type.ts";
import { MemoryDisk } from "../../../support/memory-disk.ts";
import { readResult } from "../../../support/sql-state.ts";
import { type CellValue, createSqliteHost, tableOf } from "../../../support/sqlite.ts";

const plainInput = ["integer", "integer", "real"] as const;
const paneMs = 1000;
const count = { kind: "count", column: null, filter: null, isDistinct: false } as const;

interface Saved {
  readonly pages: Uint8Array;
  readonly state: Uint8Array;
}

function create(options: {
  readonly bytesMax: number;
  readonly accumulators?: readonly Accumulator[];
  readonly input?: readonly ValueKind[];
  readonly from?: readonly Saved[];
}) {
  const host = createSqliteHost();
  const { bytesMax, accumulators = [count], input = plainInput, from = [] } = options;
  const file = new StateFile(host, {
    name: "state",
    ...{ scratch: new MemoryDisk(), cachedBytesMax: 1 << 20 },
  });
  for (const { pages } of from) file.restore(pages);
  const disk = new MemoryDisk();
  const spill = new SpillSpace(host.memory, { disk, bytesMax });
  const state = new AggregateState(host, {
    spec: { input, keys: [1], accumulators, isRetractable: false, tracksChanges: false },
    ...{ seed: 4n, bytesMax: 0, panes: { sizeMs: paneMs, offsetMs: 0 }, spill },
    cold: { database: file.open(), name: "windows" },
  });
  for (const each of from) state.restore(each.state);
  const add = (rows: readonly CellValue[][]) =>
    state.add({ table: tableOf(host.memory, input, rows), timeColumn: 0 });
  // What `tableOf` makes is never freed.
  const many = 2000;
  const table = new RowTable(host.memory, input);
  const columns = input.map(() => host.memory.allocateZeroed(8 * many));
  for (const [column, values] of columns.entries()) table.point(column, { values });
  const fill = (pane: number, groups: { readonly first: number; readonly count: number }) => {
    for (let done = 0; done < groups.count; done += many) {
      const rowCount = Math.min(many, groups.count - done);
      const [times = 0, keys = 0] = columns;
      for (let at = 0; at < rowCount; at++) {
        host.memory.view.setBigInt64(times + 8 * at, BigInt(pane * paneMs), true);
        host.memory.view.setBigInt64(keys + 8 * at, BigInt(groups.first + done + at), true);
      }
      table.setRows({ rowCount });
      state.add({ table, timeColumn: 0 });
    }
  };
  const close = (from: number, to: number) => {
    const rows: CellValue[][] = [];
    let parts = 0;
    state.close({ startMs: from * paneMs, endMs: to * paneMs }, (groups) => {
      rows.push(...readResult(host.memory, groups));
      parts++;
    });
    return { rows, parts };
  };
  const save = (kind: "full" | "delta"): Saved => {
    const blob = state.save({ full: kind === "full" });
    return { pages: file.checkpoint(kind), state: blob };
  };
  return { host, state, spill, file, add, fill, close, save };
}

describe("WindowPieces", () => {
  test("let a pane outgrow memory, and come out by their first rows", () => {
    const { state, host, fill, close } = create({ bytesMax: 1 << 20 });
    fill(0, { first: 0, count: 60_000 });
    fill(0, { first: 59_000, count: 20 });
    fill(0, { first: 70_000, count: 5 });
    expect(state.bytesHeld).toBeLessThan(3 << 20);
    const { rows, parts } = close(0, 1);
    expect(parts).toBeGreaterThan(3);
    expect(rows.map(([key]) => Number(key))).toEqual([
      ...Array.from({ length: 60_000 }, (_, at) => at),
      ...[70_000, 70_001, 70_002, 70_003, 70_004],
    ]);
    expect(rows.slice(58_999, 59_022).map(([, rowCount]) => Number(rowCount))).toEqual([
      ...[1, ...Array.from({ length: 20 }, () => 2)],
      ...[1, 1],
    ]);
    expect(rows[0]?.slice(2)).toEqual([0n, 1000n, 999n]);
    expect(host.memory.bytes.length).toBeLessThan(20 << 20);
  });

  test("merge the panes of a window that memory has no room for together", () => {
    const { state, spill, fill, close } = create({ bytesMax: 1 << 20 });
    for (let pane = 0; pane < 8; pane++) fill(pane, { first: 3000 * pane, count: 9000 });
    const { rows } = close(0, 8);
    expect(rows.map(([key]) => Number(key))).toEqual(Array.from({ length: 30_000 }, (_, i) => i));
    expect(rows.map(([, rowCount]) => Number(rowCount)).slice(2999, 6001)).toEqual([
      1,
      ...Array.from({ length: 3000 }, () => 2),
      3,
    ]);
    // Panes that a later window needs are there still, and go when none does.
    state.dropBefore(7 * paneMs);
    expect(close(1, 8).rows).toHaveLength(9000);
    state.dropBefore(8 * paneMs);
    expect(close(1, 8).rows).toEqual([]);
    expect(spill.blocksUsed).toBe(0);
  });

  test("sum reals in the order of their rows", () => {
    const accumulators = (["sum", "sumSquares"] as const).map((kind) => ({
      ...count,
      ...{ kind, column: 2 },
    }));
    const rows = Array.from({ length: 400 }, (_, at) => {
      const pane = Math.floor(at / 100) * paneMs;
      return [BigInt(pane + (at % 7)), BigInt(at % 13), 10 ** (at % 17) / 3];
    });
    const [roomy, tight] = [1 << 24, 0].map((bytesMax) => {
      const { add, close } = create({ bytesMax, accumulators });
      for (let from = 0; from < rows.length; from += 9) add(rows.slice(from, from + 9));
      return [close(0, 1).rows, close(0, 4).rows, close(1, 3).rows];
    });
    expect(tight).toEqual(roomy);
  });

  test("are in checkpoints, of which a delta has what left since the last", () => {
    const { fill, save, close } = create({ bytesMax: 1 << 19 });
    fill(0, { first: 0, count: 30_000 });
    const full = save("full");
    expect(full.state.length).toBeLessThan(200);
    expect(full.pages.length).toBeGreaterThan(500_000);
    fill(0, { first: 0, count: 100 });
    fill(1, { first: 0, count: 100 });
    const delta = save("delta");
    expect(delta.pages.length).toBeLessThan(200_000);
    const expected = close(0, 2).rows;
    expect(expected).toHaveLength(30_000);
    expect(expected[0]?.[1]).toBe(3n);
    const again = create({ bytesMax: 1 << 19, from: [full, delta] });
    expect(again.close(0, 2).rows).toEqual(expected);
  });

  test("take panes that are away where a full checkpoint would not fit", () => {
    const { fill, save, close, state } = create({ bytesMax: 1 << 20 });
    for (let pane = 0; pane < 12; pane++) fill(pane, { first: 0, count: 4000 });
    const full = save("full");
    expect(full.state.length).toBeLessThan(1 << 20);
    expect(state.bytesHeld).toBeLessThan(2 << 20);
    const again = create({ bytesMax: 1 << 20, from: [full] });
    expect(again.close(2, 10).rows).toEqual(close(2, 10).rows);
  });

  test("take panes that are away where a delta of all that changed would not fit", () => {
    const { fill, save, close, state } = create({ bytesMax: 1 << 20 });
    fill(0, { first: 0, count: 10 });
    const full = save("full");
    for (let pane = 0; pane < 12; pane++) fill(pane, { first: 0, count: 4000 });
    const delta = save("delta");
    expect(delta.state.length).toBeLessThan(1 << 20);
    fill(3, { first: 17, count: 1 });
    const next = save("delta");
    expect(next.pages.length).toBeLessThan(100_000);
    expect(state.bytesHeld).toBeLessThan(2 << 20);
    const again = create({ bytesMax: 1 << 20, from: [full, delta, next] });
    expect(again.close(2, 10).rows).toEqual(close(2, 10).rows);
    expect(again.close(3, 4).rows[17]?.[1]).toBe(2n);
  });

  test("take panes of which rows need more at once than memory has room for", () => {
    const { add, fill, close, state } = create({ bytesMax: 1 << 20 });
    for (let pane = 0; pane < 20; pane++) fill(pane, { first: 0, count: 4000 });
    add(Array.from({ length: 20 }, (_, pane) => [BigInt(pane * paneMs), 5n, 1]));
    expect(state.bytesHeld).toBeLessThan(2 << 20);
    expect(close(3, 4).rows[5]?.[1]).toBe(2n);
    expect(close(3, 4).rows).toHaveLength(4000);
  });

  test("count DISTINCT values of groups over all panes, also of one that has very many", () => {
    const input = ["integer", "integer", "text"] as const;
    const accumulators = ([1, 2] as const).map((column) => ({
      ...count,
      ...{ column, isDistinct: true },
    }));
    const rowsOf = (pane: number): CellValue[][] =>
      Array.from({ length: 6000 }, (_, at) => {
        // Half of the rows are of group 7, whose values each pane shares with the next.
        const value = at + 3000 * pane;
        const key = at % 2 === 0 ? 7 : at % 1500;
        return [BigInt(pane * paneMs), BigInt(key), `value ${value}`];
      });
    const run = (bytesMax: number) => {
      const { host, state } = create({ bytesMax, input, accumulators });
      for (let pane = 0; pane < 4; pane++) {
        for (const rows of [rowsOf(pane).slice(0, 3500), rowsOf(pane).slice(3500)]) {
          state.add({ table: tableOf(host.memory, input, rows), timeColumn: 0 });
        }
      }
      const closed = [0, 1].map((from) => {
        const rows: CellValue[][] = [];
        state.close({ startMs: from * paneMs, endMs: 4 * paneMs }, (groups) => {
          rows.push(...readResult(host.memory, groups));
        });
        return rows;
      });
      return { closed, state };
    };
    const tight = run(1 << 16);
    expect(tight.closed).toEqual(run(1 << 26).closed);
    expect(tight.closed[0]?.find(([key]) => key === 7n)?.[2]).toBe(7510n);
    expect(tight.state.bytesHeld).toBeLessThan(1 << 18);
  });

  test("close a HOP of ten panes with half a million groups in a bound of 8 MiB", () => {
    const { host, state, fill, add, close } = create({ bytesMax: 8 << 20 });
    // Each pane has 150 000 groups, of which the next has 111 111 no more.
    for (let pane = 0; pane < 10; pane++) fill(pane, { first: pane * 38_889, count: 150_000 });
    let groups = 0;
    let rowCount = 0n;
    let isOrdered = true;
    state.close({ startMs: 0, endMs: 10 * paneMs }, (shown) => {
      for (const [key, count] of readResult(host.memory, shown)) {
        if (key !== BigInt(groups++)) isOrdered = false;
        rowCount += BigInt(Number(count));
      }
    });
    expect({ groups, rowCount, isOrdered }).toEqual({
      ...{ groups: 500_001, rowCount: 1_500_000n, isOrdered: true },
    });
    // What comes for a pane that has left is there when the next window closes.
    state.dropBefore(paneMs);
    add([[BigInt(5 * paneMs), 250_000n, 0]]);
    expect(host.memory.bytes.length).toBeLessThan(40 << 20);
    expect(close(5, 6).rows.find(([key]) => key === 250_000n)?.[1]).toBe(2n);
  });

  test("are not made where memory is enough", () => {
    const { fill, close, file } = create({ bytesMax: 1 << 26 });
    for (let pane = 0; pane < 4; pane++) fill(pane, { first: 0, count: 4000 });
    expect(close(0, 4)).toMatchObject({ parts: 1 });
    expect(file.pageCount).toBe(0);
  });
});

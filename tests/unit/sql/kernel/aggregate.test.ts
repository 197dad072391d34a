import { describe, expect, test } from "bun:test";
import { AggregateState, paneSpecOf } from "../../../../src/sql/kernel/aggregate.ts";
import type { Accumulator } from "../../../../src/sql/plan/plan.ts";
import type { ValueKind } from "../../../../src/sql/types/data-type.ts";
import { readResult } from "../../../support/sql-state.ts";
import { type CellValue, createSqliteHost, tableOf } from "../../../support/sqlite.ts";

const of = (kind: Accumulator["kind"], column: number | null): Accumulator => ({
  kind,
  column,
  filter: null,
  isDistinct: false,
});

function stateOf(options: {
  readonly input: readonly ValueKind[];
  readonly accumulators: readonly Accumulator[];
  readonly keys?: readonly number[];
  readonly isRetractable?: boolean;
  readonly tracksChanges?: boolean;
  readonly bytesMax?: number;
  readonly sizeMs?: number;
}) {
  const host = createSqliteHost();
  const { keys = [], isRetractable = false, tracksChanges = false, bytesMax = 0 } = options;
  const { input, accumulators, sizeMs } = options;
  const state = new AggregateState(host, {
    spec: { input, keys, accumulators, isRetractable, tracksChanges },
    seed: 1n,
    bytesMax,
    panes: sizeMs === undefined ? null : { sizeMs, offsetMs: 0 },
  });
  const add = (rows: readonly (readonly CellValue[])[], columns: object = {}) =>
    state.add({ table: tableOf(host.memory, input, rows), ...columns });
  const read = () => {
    const result = state.all();
    const rows = readResult(host.memory, result).map((row) => row.slice(0, -3));
    const { overflowRow } = result;
    result.free();
    return { rows, overflowRow };
  };
  return { host, state, add, read };
}

describe("AggregateState", () => {
  test("sums integers exactly past 64 bits, and takes them back exactly", () => {
    const { add, read } = stateOf({
      input: ["integer", "integer"],
      accumulators: [of("sum", 0)],
      isRetractable: true,
    });
    const weights = { weightColumn: 1 };
    const [most, least] = [2n ** 63n - 1n, -(2n ** 63n)];
    add(
      Array.from({ length: 300 }, () => [most, 1n]),
      weights,
    );
    expect(read().rows).toEqual([[300n * most]]);
    add(
      Array.from({ length: 600 }, () => [least, 1n]),
      weights,
    );
    expect(read().rows).toEqual([[300n * most + 600n * least]]);
    add(
      Array.from({ length: 599 }, () => [least, -1n]),
      weights,
    );
    expect(read().rows).toEqual([[300n * most + least]]);
  });

  test("reports a sum that no 128 bits hold, and shows it when it has come back", () => {
    const { add, read } = stateOf({
      input: ["wide", "integer"],
      accumulators: [of("sum", 0)],
      isRetractable: true,
    });
    const most = 2n ** 127n - 1n;
    const weights = { weightColumn: 1 };
    add(
      [
        [most, 1n],
        [most, 1n],
        [most, 1n],
      ],
      weights,
    );
    expect(read().overflowRow).toBe(0);
    add(
      [
        [most, -1n],
        [most, -1n],
      ],
      weights,
    );
    expect(read()).toEqual({ rows: [[most]], overflowRow: null });
  });

  test("shows NULL for sums of nothing and 0 for counts of nothing", () => {
    const kinds = ["sum", "min", "max", "first", "last", "sumSquares"] as const;
    const { add, read } = stateOf({
      input: ["real"],
      accumulators: [of("count", 0), of("count", null), ...kinds.map((kind) => of(kind, 0))],
    });
    add([[null], [null]]);
    expect(read().rows).toEqual([[0n, 2n, null, null, null, null, null, null]]);
  });

  test("estimates distinct values within three standard errors, and few exactly", () => {
    for (const distinct of [1, 10, 100, 383, 1000, 5000, 20_000, 100_000]) {
      const { add, read, state } = stateOf({
        input: ["integer"],
        accumulators: [of("approxCountDistinct", 0)],
      });
      const rows = Array.from({ length: distinct }, (_, value) => [BigInt(value) * 7919n]);
      add(rows);
      add(rows.slice(0, 1000));
      const estimate = Number(read().rows[0]?.[0]);
      const error = Math.abs(estimate - distinct) / distinct;
      const allowed = distinct < 384 ? 1e-9 : 3 * 0.0163;
      expect(error, `${estimate} of ${distinct}`).toBeLessThan(allowed);
      state.free();
    }
  });

  test("gives the memory of dropped panes back, and all of it when it is freed", () => {
    const { add, state } = stateOf({
      input: ["integer", "text"],
      accumulators: [of("max", 1)],
      keys: [0],
      sizeMs: 10,
    });
    const empty = state.bytesHeld;
    const rows = Array.from({ length: 2000 }, (_, row) => [BigInt(row), `value ${row}`]);
    add(rows, { timeColumn: 0 });
    expect(state.paneStarts()).toHaveLength(200);
    const full = state.bytesHeld;
    state.dropBefore(1000);
    expect(state.paneStart(0)).toBe(1000);
    expect(state.bytesHeld - empty).toBeLessThan((full - empty) * 0.6);
    state.dropBefore(Number.MAX_SAFE_INTEGER);
    expect(state.paneStarts()).toEqual([]);
    // The list of panes stays.
    expect(state.bytesHeld - empty).toBeLessThan(4096);
  });

  test("fails clearly at its bound of memory wherever that lies, and can be freed", () => {
    const input = ["integer", "text"] as const;
    const rows = Array.from({ length: 400 }, (_, row) => [BigInt(row % 90), `value ${row}`]);
    let failures = 0;
    for (let bytesMax = 9000; bytesMax < 120_000; bytesMax += 1777) {
      const { add, state } = stateOf({
        input,
        accumulators: [of("count", null), { ...of("count", 1), isDistinct: true }, of("min", 1)],
        keys: [0],
        bytesMax,
        tracksChanges: true,
      });
      const work = () => {
        add(rows);
        state.changes();
        state.settle();
        state.save({ full: true });
      };
      try {
        work();
      } catch (error) {
        failures++;
        expect(error).toMatchObject({ code: "sql_memory_exceeded" });
        expect(() => add(rows)).toThrow(expect.objectContaining({ code: "sql_memory_exceeded" }));
      }
      expect(state.bytesHeld).toBeLessThanOrEqual(bytesMax);
      state.free();
    }
    expect(failures).toBeGreaterThan(10);
  });

  test("compares two results of a window", () => {
    const { add, host, state } = stateOf({
      input: ["integer", "integer"],
      accumulators: [of("count", null)],
      keys: [1],
      sizeMs: 10,
    });
    const time = { timeColumn: 0 };
    add(
      [
        [1n, 7n],
        [12n, 7n],
        [13n, 8n],
      ],
      time,
    );
    const window = { startMs: 0, endMs: 20 };
    const older = state.merge(window, { keep: true });
    add(
      [
        [5n, 8n],
        [15n, 9n],
      ],
      time,
    );
    const newer = state.merge(window);
    state.compare(older, newer);
    const rows = (result: typeof older) =>
      readResult(host.memory, result).map((row) => row.slice(0, 2));
    expect(rows(older)).toEqual([[8n, 1n]]);
    expect(rows(newer)).toEqual([
      [8n, 2n],
      [9n, 1n],
    ]);
    older.free();
    newer.free();
    state.free();
  });

  test("that outgrows its memory with one group's values says so, and others go on", () => {
    const options = {
      ...{ input: ["integer", "integer", "integer"] as const, keys: [0] },
      ...{ accumulators: [of("max", 1)], isRetractable: true, tracksChanges: true },
    };
    const { host, state } = stateOf({ ...options, bytesMax: 4 << 20 });
    const rowsFrom = (first: number) =>
      Array.from({ length: 1000 }, (_, at): CellValue[] => [7n, BigInt(first + at), 1n]);
    const add = (first: number) =>
      state.add({ table: tableOf(host.memory, options.input, rowsFrom(first)), weightColumn: 2 });
    const fill = () => {
      for (let first = 0; first < 200_000; first += 1000) add(first);
    };
    expect(fill).toThrow(
      expect.objectContaining({
        code: "sql_memory_exceeded",
        message: expect.stringContaining(`may hold ${4 << 20} bytes`),
      }),
    );
    // The memory is whole again for whoever is next.
    state.free();
    const next = new AggregateState(host, {
      ...{ spec: options, seed: 1n, bytesMax: 4 << 20, panes: null },
    });
    next.add({ table: tableOf(host.memory, options.input, rowsFrom(0)), weightColumn: 2 });
    expect(readResult(host.memory, next.all())[0]?.[1]).toBe(999n);
  });

  test("refuses checkpoints that are none, newer, or of another statement", () => {
    const one = stateOf({ input: ["integer"], accumulators: [of("count", null)] });
    const other = stateOf({ input: ["integer"], accumulators: [of("max", 0)] });
    one.add([[1n]]);
    const blob = one.state.save({ full: true });
    const refused = expect.objectContaining({ code: "corrupt_state" });
    expect(() => other.state.restore(blob)).toThrow(refused);
    expect(() => one.state.restore(blob.subarray(0, 20))).toThrow(refused);
    expect(() => one.state.restore(new Uint8Array(64))).toThrow(refused);
    const newer = blob.slice();
    newer[4] = 5;
    expect(() => one.state.restore(newer)).toThrow(refused);
  });

  test("counts by one integer key, of selected rows, whole and through checkpoints", () => {
    const input = ["integer", "integer"] as const;
    const options = { input, keys: [0], accumulators: [of("count", null)], sizeMs: 1000 };
    const { host, state } = stateOf(options);
    const restored = stateOf(options);
    const counts = new Map<string, number>();
    let random = 7;
    const below = (bound: number) => {
      random = (random * 48271) % 0x7fffffff;
      return random % bound;
    };
    for (let round = 0; round < 40; round++) {
      const rows = Array.from({ length: 700 }, (_, index): [bigint, bigint] => {
        const key = below(2) === 0 ? below(7) - 3 : below(4000);
        return [BigInt(key), BigInt(round * 200 + (index % 200) + below(900))];
      });
      const table = tableOf(host.memory, input, rows);
      const chosen = round % 2 === 0 ? null : [...rows.keys()].filter(() => below(3) > 0);
      if (chosen !== null) {
        const selection = host.memory.allocate(4 * chosen.length);
        for (const [at, row] of chosen.entries()) {
          host.memory.writeUint32(selection + 4 * at, row);
        }
        table.setRows({ rowCount: chosen.length, selection });
      }
      state.add({ table, timeColumn: 1 });
      for (const row of chosen ?? rows.keys()) {
        const [key = 0n, time = 0n] = rows[row] ?? [];
        const group = `${time / 1000n} ${key}`;
        counts.set(group, (counts.get(group) ?? 0) + 1);
      }
      if (round % 10 === 9) restored.state.restore(state.save({ full: round === 9 }));
    }
    for (const each of [{ host, state }, restored]) {
      const found = new Map<string, number>();
      for (const start of each.state.paneStarts()) {
        const result = each.state.merge({ startMs: start, endMs: start + 1000 });
        for (const [key, count] of readResult(each.host.memory, result)) {
          found.set(`${start / 1000} ${key}`, Number(count));
        }
        result.free();
      }
      expect(found.size).toBe(counts.size);
      expect([...counts].filter(([group, count]) => found.get(group) !== count)).toEqual([]);
    }
  });

  test("NULLs of rows that a table leaves out are none of its rows'", () => {
    const host = createSqliteHost();
    const input = ["integer", "integer", "integer", "integer"] as const;
    const state = new AggregateState(host, {
      spec: {
        ...{ input, keys: [0], isRetractable: false, tracksChanges: false },
        accumulators: [of("count", null), of("sum", 1), { ...of("count", 1), filter: 2 }],
      },
      ...{ seed: 1n, bytesMax: 0, panes: { sizeMs: 10, offsetMs: 0 } },
    });
    const add = (rows: readonly (readonly CellValue[])[], chosen: readonly number[]) => {
      const table = tableOf(host.memory, [...input], rows);
      const selection = host.memory.allocate(4 * chosen.length);
      for (const [index, row] of chosen.entries()) {
        host.memory.writeUint32(selection + 4 * index, row);
      }
      table.setRows({ rowCount: chosen.length, selection });
      state.add({ table, timeColumn: 3 });
    };
    const left = [null, null, null, null];
    add([left, [7n, 1n, 1n, 5n], left, [8n, 2n, 0n, 6n], [7n, 4n, null, 15n]], [1, 3, 4]);
    add([[null, 8n, 1n, 7n], left, [7n, null, 1n, 8n], [7n, 16n, null, 9n]], [0, 2, 3]);
    const found = [0, 10].map((startMs) => {
      const result = state.merge({ startMs, endMs: startMs + 10 });
      const rows = readResult(host.memory, result).map((row) => row.slice(0, 4));
      result.free();
      return rows;
    });
    const first = [
      [7n, 3n, 17n, 1n],
      [8n, 1n, 2n, 0n],
      [null, 1n, 8n, 1n],
    ];
    expect(found).toEqual([first, [[7n, 1n, 4n, 0n]]]);
  });

  test("counts rows of a table without columns", () => {
    const { add, read } = stateOf({ input: [], accumulators: [of("count", null)] });
    add([[], [], []]);
    expect(read().rows).toEqual([[3n]]);
  });

  test("refuses weights beside 1 and −1", () => {
    const { add } = stateOf({
      input: ["integer"],
      accumulators: [of("count", null)],
      isRetractable: true,
    });
    expect(() => add([[2n]], { weightColumn: 0 })).toThrow("weights are 1 or −1");
  });
});

test("paneSpecOf gives panes that fit every window", () => {
  const offsetMs = 3;
  expect(paneSpecOf({ kind: "tumble", sizeMs: 60, offsetMs })).toEqual({ sizeMs: 60, offsetMs });
  const hop = { kind: "hop", slideMs: 4, sizeMs: 10, offsetMs } as const;
  expect(paneSpecOf(hop)).toEqual({ sizeMs: 2, offsetMs });
  const cumulate = { kind: "cumulate", stepMs: 5, sizeMs: 20, offsetMs } as const;
  expect(paneSpecOf(cumulate)).toEqual({ sizeMs: 5, offsetMs });
});

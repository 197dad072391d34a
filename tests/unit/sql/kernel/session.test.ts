import { describe, expect, test } from "bun:test";
import { SessionState } from "../../../../src/sql/kernel/session.ts";
import { readResult } from "../../../support/sql-state.ts";
import { createSqliteHost, tableOf } from "../../../support/sqlite.ts";

function create(allowedLatenessMs = 0) {
  const host = createSqliteHost();
  const state = new SessionState(host, {
    spec: {
      input: ["integer", "integer"],
      keys: [1],
      accumulators: [{ kind: "count", column: null, filter: null, isDistinct: false }],
    },
    seed: 3n,
    bytesMax: 0,
    gapMs: 10,
    allowedLatenessMs,
  });
  const add = (watermarkMs: number, ...rows: [time: bigint, key: bigint][]) => {
    const table = tableOf(host.memory, ["integer", "integer"], rows);
    return state.add({ table, timeColumn: 0, watermarkMs }).rowCount;
  };
  const close = (watermarkMs: number) => {
    const { closed, taken } = state.close(watermarkMs);
    const read = (result: typeof closed) =>
      readResult(host.memory, result).map((row) => row.map(Number));
    const shown = { closed: read(closed), taken: read(taken) };
    state.settle();
    return shown;
  };
  return { state, add, close };
}

describe("SessionState", () => {
  test("merges two sessions by a row between them, and one that touches the end", () => {
    const { add, close } = create();
    add(-Infinity, [0n, 1n], [18n, 1n], [100n, 1n]);
    add(-Infinity, [9n, 1n], [110n, 1n]);
    expect(close(27).closed).toEqual([]);
    expect(close(28).closed).toEqual([[1, 3, 0, 28, 27]]);
    expect(close(Infinity).closed).toEqual([[1, 2, 100, 120, 119]]);
  });

  test("closes by end, then in the order in which sessions began, before 1970 too", () => {
    const { add, close } = create();
    add(-Infinity, [-50n, 9n], [-50n, 2n], [-60n, 5n]);
    const rows = close(0).closed.map(([key, , , end]) => [key, end]);
    expect(rows).toEqual([
      [5, -50],
      [9, -40],
      [2, -40],
    ]);
  });

  test("judges lateness after merging: an old row that joins an open session is in time", () => {
    const { add, close } = create();
    add(-Infinity, [5n, 1n], [14n, 1n]);
    close(20);
    // Alone its session would have ended at 12; with the open one it ends at 24.
    expect(add(20, [2n, 1n])).toBe(0);
    expect(add(20, [2n, 2n])).toBe(1);
    expect(close(24).closed).toEqual([[1, 3, 2, 24, 23]]);
  });

  test("takes a session back that a late row changes within the allowed lateness", () => {
    const { add, close, state } = create(50);
    add(-Infinity, [0n, 1n]);
    expect(close(10).closed).toEqual([[1, 1, 0, 10, 9]]);
    add(10, [4n, 1n]);
    expect(close(12)).toEqual({ closed: [], taken: [[1, 1, 0, 10, 9]] });
    expect(close(14)).toEqual({ closed: [[1, 2, 0, 14, 13]], taken: [] });
    const held = state.save({ full: true }).length;
    expect(close(64)).toEqual({ closed: [], taken: [] });
    expect(state.save({ full: true }).length).toBeLessThan(held);
    expect(add(64, [4n, 1n])).toBe(1);
  });
});

import { expect, test } from "bun:test";
import { AggregateState } from "../../../../src/sql/kernel/aggregate.ts";
import { readResult } from "../../../support/sql-state.ts";
import { createSqliteHost, tableOf } from "../../../support/sqlite.ts";

const host = createSqliteHost();
const input = ["integer", "text"] as const;

function create(seed: bigint): AggregateState {
  return new AggregateState(host, {
    spec: {
      input,
      keys: [1],
      accumulators: [
        { kind: "count", column: null, filter: null, isDistinct: false },
        { kind: "sum", column: 0, filter: null, isDistinct: true },
      ],
      isRetractable: false,
      tracksChanges: false,
    },
    seed,
    bytesMax: 0,
    panes: { sizeMs: 10, offsetMs: 0 },
  });
}

/** Written once by this version: later ones must read it, and this one must write it. */
const golden =
  "4d525354020001002f293a980200000005000000000000000000000000000000c800000000000000f6ffffffffffffff0100000000000000010000000000000000000000010000000100000061000100000000000000fbffffffffffffffffffffffffffffff0000000000000000000100000000000000020000000000000000000000010000000100000000000000010000006200010300000000000000010000000000000005000000000000000000000000000000040000000000000000000000000000000000f6ffffffffffffff09000000010000000000000000000000fbffffffffffffff000000000100000000000000000000000c000000010000000000000000000000020000000000000000000000010000000000000000000000110000000100000000000000000000000400000000000000010000000100000000000000000000001800000001000000000000000000000003000000000000000000000001000000";
/** Written by the version before, whose distinct values were nodes. */
const goldenOfNodes =
  "4d525354010001002f293a980200000005000000000000000000000000000000f6ffffffffffffff0100000000000000010000000100000000000000010000000100000061000100000000000000fbffffffffffffffffffffffffffffff0000000000010000000100000000000000fbffffffffffffff000000000000000000000000000000000000000000000000010000000000000002000000030000000000000001000000010000000000000001000000620001030000000000000001000000000000000500000000000000000000000000000004000000000000000000000000000000000000000000010000000000000001000000010000000100000002000000000000000100000000000000010000000000000003000000000000000000000000000000020000000000000000000000000000000400000000000000000000000000000000000000000000000000000000000000";

test("a checkpoint is the same bytes whatever the seed, and those are read for ever", () => {
  const rows = [
    [-5n, "a"],
    [3n, "b"],
    [3n, "b"],
    [4n, null],
    [2n, "b"],
  ];
  for (const seed of [1n, 0xfedc_ba98_7654_3210n]) {
    const state = create(seed);
    state.add({ table: tableOf(host.memory, input, rows), timeColumn: 0 });
    expect(state.save({ full: true }).toHex()).toBe(golden);
    state.free();
  }
  for (const blob of [golden, goldenOfNodes]) {
    const restored = create(7n);
    restored.restore(Uint8Array.fromHex(blob));
    const read = () => {
      const result = restored.merge({ startMs: -10, endMs: 10 });
      const shown = readResult(host.memory, result).map((row) => row.slice(0, 3));
      result.free();
      return shown;
    };
    expect(read()).toEqual([
      ["a", 1n, -5n],
      ["b", 3n, 5n],
      [null, 1n, 4n],
    ]);
    // Values that were there are known, and one that was not is new.
    const more = [
      [3n, "b"],
      [8n, "b"],
      [4n, null],
    ];
    restored.add({ table: tableOf(host.memory, input, more), timeColumn: 0 });
    expect(read()).toEqual([
      ["a", 1n, -5n],
      ["b", 5n, 13n],
      [null, 2n, 4n],
    ]);
    restored.free();
  }
});

import { expect, test } from "bun:test";
import fc from "fast-check";
import { AggregateState } from "../../../src/sql/kernel/aggregate.ts";
import { SpillSpace } from "../../../src/sql/kernel/spill-space.ts";
import type { Accumulator } from "../../../src/sql/plan/plan.ts";
import { StateFile } from "../../../src/sql/sqlite/vfs.ts";
import { MemoryDisk } from "../../support/memory-disk.ts";
import type { PlainRow } from "../../support/sql-groups.ts";
import {
  accumulatorOf,
  batchesOf,
  keyColumns,
  readResult,
  rowsOf,
  stateInput,
  tableOfRows,
  timeColumn,
} from "../../support/sql-state.ts";
import { type CellValue, createSqliteHost } from "../../support/sqlite.ts";

const paneMs = 10;

interface Case {
  readonly keys: number[];
  readonly accumulators: Accumulator[];
  readonly rows: PlainRow[];
  readonly batchRows: number;
  readonly bytesMax: number;
  readonly panesOfWindow: number;
  readonly actions: readonly ("go on" | "delta" | "full" | "restore")[];
}

const cases: fc.Arbitrary<Case> = fc.record({
  keys: keyColumns,
  accumulators: fc.array(accumulatorOf(true), { maxLength: 5, size: "max" }),
  rows: rowsOf(false, 150),
  batchRows: fc.integer({ min: 1, max: 40 }),
  bytesMax: fc.constantFrom(0, 0, 1 << 13, 1 << 15),
  panesOfWindow: fc.integer({ min: 1, max: 5 }),
  actions: fc.array(fc.constantFrom("go on", "go on", "delta", "full", "restore"), {
    minLength: 12,
    maxLength: 12,
  }),
});

interface Saved {
  readonly pages: Uint8Array;
  readonly state: Uint8Array;
}

function open(spec: Case, bytesMax: number | null, from: readonly Saved[]) {
  const host = createSqliteHost();
  const file = new StateFile(host, {
    name: "state",
    ...{ scratch: new MemoryDisk(), cachedBytesMax: 1 << 20 },
  });
  for (const { pages } of from) file.restore(pages);
  const { keys, accumulators } = spec;
  const state = new AggregateState(host, {
    spec: { input: stateInput, keys, accumulators, isRetractable: false, tracksChanges: false },
    ...{ seed: BigInt(from.length + 7), bytesMax: 0, panes: { sizeMs: paneMs, offsetMs: 3 } },
    ...(bytesMax !== null && {
      spill: new SpillSpace(host.memory, { disk: new MemoryDisk(), bytesMax }),
    }),
    cold: { database: file.open(), name: "windows" },
  });
  for (const each of from) state.restore(each.state);
  return { host, file, state };
}

/** Rows come in any order, windows close behind them; some checkpoints are restored. */
function run(spec: Case, bytesMax: number | null): CellValue[][] {
  const shown: CellValue[][] = [];
  let saved: Saved[] = [];
  let task = open(spec, bytesMax, saved);
  const save = (kind: "full" | "delta") => {
    const state = task.state.save({ full: kind === "full" });
    const one = { pages: task.file.checkpoint(kind), state };
    saved = kind === "full" ? [one] : [...saved, one];
  };
  const close = (startMs: number, endMs: number) =>
    task.state.close({ startMs, endMs }, (groups) => {
      shown.push(...readResult(task.host.memory, groups));
    });
  for (const [index, rows] of batchesOf(spec.rows, spec.batchRows).entries()) {
    task.state.add({ table: tableOfRows(task.host.memory, rows), timeColumn });
    const action = bytesMax === null ? "go on" : spec.actions[index % spec.actions.length];
    if (action === "go on") continue;
    save(action === "full" || saved.length === 0 ? "full" : "delta");
    if (action === "restore") task = open(spec, bytesMax, saved);
  }
  for (let start = -57; start < 80; start += paneMs) {
    close(start, start + spec.panesOfWindow * paneMs);
    task.state.dropBefore(start + paneMs);
  }
  return shown;
}

test("windows whose groups are in pieces, saved and restored, give what those in memory do", () => {
  const property = fc.property(cases, (spec) => {
    expect(run(spec, spec.bytesMax)).toEqual(run(spec, null));
  });
  fc.assert(property, { numRuns: 60, seed: 11 });
});

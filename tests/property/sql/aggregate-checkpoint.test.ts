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
  weightColumn,
} from "../../support/sql-state.ts";
import { type CellValue, createSqliteHost } from "../../support/sqlite.ts";

/** Tables of tests are never freed: each run has a memory of its own. */
let host = createSqliteHost();
let { memory } = host;

function renewHost(): void {
  host = createSqliteHost();
  memory = host.memory;
}
const paneMs = 10;

interface Case {
  readonly keys: number[];
  readonly accumulators: Accumulator[];
  readonly rows: PlainRow[];
  readonly tracksChanges: boolean;
  readonly hasPanes: boolean;
  readonly seed: bigint;
  readonly actions: readonly { readonly saves: string; readonly drops: number | null }[];
}

const casesOf = (isRetractable: boolean): fc.Arbitrary<Case> =>
  fc.record({
    keys: keyColumns,
    accumulators: fc.array(accumulatorOf(true), { maxLength: 5, size: "max" }),
    rows: rowsOf(isRetractable, 150),
    tracksChanges: fc.boolean(),
    hasPanes: fc.boolean(),
    seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    actions: fc.array(
      fc.record({
        saves: fc.constantFrom("no", "delta", "delta", "full"),
        drops: fc.option(fc.integer({ min: -4, max: 6 }), { freq: 1 }),
      }),
      { minLength: 25, maxLength: 25 },
    ),
  });

/** A space in which nothing may stay in memory, for the state that is saved and restored. */
function tinySpace(): SpillSpace {
  return new SpillSpace(memory, { disk: new MemoryDisk(), bytesMax: 0 });
}

function create(
  spec: Case,
  seed: bigint,
  isRetractable: boolean,
  spill?: SpillSpace,
): AggregateState {
  const { keys, accumulators, tracksChanges } = spec;
  return new AggregateState(host, {
    spill,
    spec: { input: stateInput, keys, accumulators, isRetractable, tracksChanges },
    seed,
    bytesMax: 0,
    panes: spec.hasPanes ? { sizeMs: paneMs, offsetMs: 3 } : null,
  });
}

/** Everything that a state shows: changes of all panes, windows, and the panes themselves. */
function showAll(state: AggregateState, spec: Case): unknown {
  const starts = state.paneStarts();
  const changes: CellValue[][][] = [];
  if (spec.tracksChanges) {
    for (const index of starts.keys()) {
      const changed = state.changes(index);
      if (changed === null) continue;
      changes.push(readResult(memory, changed.before), readResult(memory, changed.after));
    }
    state.settle();
  }
  const windows: CellValue[][][] = [];
  const read = (startMs: number, endMs: number) => {
    const result = state.merge({ startMs, endMs });
    windows.push(readResult(memory, result));
    result.free();
  };
  for (const start of spec.hasPanes ? starts : []) {
    read(start, start + paneMs);
    read(start, start + 3 * paneMs);
  }
  if (!spec.hasPanes) {
    const all = state.all();
    windows.push(readResult(memory, all));
    all.free();
  }
  return { starts, changes, windows, groups: starts.map((_, index) => state.paneGroups(index)) };
}

const sorts = [
  { isRetractable: false, spills: false, sort: "of rows" },
  { isRetractable: false, spills: true, sort: "of rows, on scratch disk," },
  { isRetractable: true, spills: false, sort: "of rows with weights" },
  { isRetractable: true, spills: true, sort: "of rows with weights, on scratch disk," },
];

for (const { isRetractable, spills, sort } of sorts) {
  test(`a state ${sort} that was restored goes on like the one that was saved`, () => {
    const property = fc.property(casesOf(isRetractable), (spec) => {
      renewHost();
      const space = spills ? tinySpace() : undefined;
      const unbroken = create(spec, spec.seed, isRetractable);
      let state = create(spec, spec.seed + 1n, isRetractable, space);
      const blobs: Uint8Array[] = [state.save({ full: true })];
      for (const [index, rows] of batchesOf(spec.rows, 6).entries()) {
        const columns = { timeColumn, ...(isRetractable ? { weightColumn } : {}) };
        unbroken.add({ table: tableOfRows(memory, rows), ...columns });
        for (const each of batchesOf(rows, 4)) {
          state.add({ table: tableOfRows(memory, each), ...columns });
        }
        expect(showAll(state, spec)).toEqual(showAll(unbroken, spec));
        const { saves, drops } = spec.actions[index] ?? { saves: "no", drops: null };
        if (drops !== null && spec.hasPanes) {
          unbroken.dropBefore(drops * paneMs);
          state.dropBefore(drops * paneMs);
        }
        if (saves === "no") continue;
        if (saves === "full") blobs.length = 0;
        blobs.push(state.save({ full: saves === "full" }));
        // Half of the time the state goes on, so that deltas follow on deltas.
        if (index % 2 === 0) continue;
        state.free();
        state = create(spec, spec.seed + BigInt(index), isRetractable, space);
        for (const blob of blobs) state.restore(blob);
      }
      state.free();
      unbroken.free();
      expect(space?.blocksUsed ?? 0).toBe(0);
    });
    fc.assert(property, { numRuns: 60, endOnFailure: true });
  }, 120_000);
}

for (const isRetractable of [false, true]) {
  const sort = isRetractable ? "of rows with weights" : "of rows";
  test(`groups ${sort} that leave memory show the same changes, also after restoring`, () => {
    const property = fc.property(casesOf(isRetractable), (made) => {
      renewHost();
      const spec: Case = { ...made, tracksChanges: true, hasPanes: false };
      const { keys, accumulators } = spec;
      const names = { file: 0 };
      const fresh = (seed: bigint, pages: readonly Uint8Array[], spill?: SpillSpace) => {
        const file = new StateFile(host, { name: `state${names.file++}` });
        for (const each of pages) file.restore(each);
        const state = new AggregateState(host, {
          spec: { input: stateInput, keys, accumulators, isRetractable, tracksChanges: true },
          ...{ seed, bytesMax: 0, panes: null, spill },
          cold: { database: file.open(), name: "groups" },
        });
        return { file, state };
      };
      const changesOf = (state: AggregateState) => {
        const changed = state.changes();
        if (changed === null) return null;
        const { before, after } = changed;
        const rows = [readResult(memory, before), readResult(memory, after)];
        state.settle();
        return rows;
      };
      const unbroken = fresh(spec.seed, []);
      let broken = fresh(spec.seed + 1n, [], tinySpace());
      const saved: { groups: Uint8Array; pages: Uint8Array }[] = [];
      const save = (kind: "full" | "delta") => {
        if (kind === "full") saved.length = 0;
        const groups = broken.state.save({ full: kind === "full" });
        saved.push({ groups, pages: broken.file.checkpoint(kind) });
      };
      save("full");
      for (const [index, rows] of batchesOf(spec.rows, 6).entries()) {
        const columns = isRetractable ? { weightColumn } : {};
        unbroken.state.add({ table: tableOfRows(memory, rows), ...columns });
        for (const each of batchesOf(rows, 4)) {
          broken.state.add({ table: tableOfRows(memory, each), ...columns });
        }
        const { saves } = spec.actions[index] ?? { saves: "no" };
        expect(changesOf(broken.state)).toEqual(changesOf(unbroken.state));
        if (keys.length > 0) expect(broken.state.paneGroups(0)).toBe(0);
        if (saves === "no") continue;
        save(saves === "full" ? "full" : "delta");
        if (index % 2 === 0) continue;
        const pages = saved.map((each) => each.pages);
        broken = fresh(spec.seed + BigInt(index), pages, tinySpace());
        for (const { groups } of saved) broken.state.restore(groups);
      }
    });
    fc.assert(property, { numRuns: 60, endOnFailure: true });
  }, 120_000);
}

test("many groups that go leave gaps, which are closed, and a restore has none of them", () => {
  const accumulators: Accumulator[] = [
    { kind: "count", column: null, filter: null, isDistinct: false },
    { kind: "min", column: 7, filter: null, isDistinct: false },
    { kind: "sum", column: 3, filter: null, isDistinct: true },
  ];
  const spec: Case = {
    keys: [3, 7],
    accumulators,
    rows: [],
    tracksChanges: true,
    hasPanes: false,
    seed: 7n,
    actions: [],
  };
  const unbroken = create(spec, 1n, true);
  let state = create(spec, 2n, true);
  const blobs = [state.save({ full: true })];
  const rowAt = (group: number, weight: 1 | -1): PlainRow => ({
    weight,
    cells: stateInput.map((kind, column) => {
      if (column === weightColumn) return BigInt(weight);
      if (kind === "integer") return BigInt(group);
      return kind === "text" ? `group ${group}` : null;
    }),
  });
  for (let round = 0; round < 12; round++) {
    const rows: PlainRow[] = [];
    for (let each = 0; each < 300; each++) rows.push(rowAt(round * 200 + each, 1));
    if (round > 0)
      for (let each = 0; each < 290; each++) rows.push(rowAt((round - 1) * 200 + each, -1));
    for (const one of [unbroken, state])
      one.add({ table: tableOfRows(memory, rows), weightColumn });
    expect(showAll(state, spec)).toEqual(showAll(unbroken, spec));
    blobs.push(state.save({ full: false }));
    if (round % 3 !== 2) continue;
    state.free();
    state = create(spec, BigInt(round), true);
    for (const blob of blobs) state.restore(blob);
  }
  expect(unbroken.paneGroups(0)).toBeLessThan(700);
  expect(unbroken.bytesHeld).toBeGreaterThan(0);
  state.free();
  unbroken.free();
});

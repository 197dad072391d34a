import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AggregateState } from "../../../src/sql/kernel/aggregate.ts";
import { type PlainRow, plainGroups, sameText } from "../../support/sql-groups.ts";
import {
  accumulatorOf,
  batchesOf,
  keyColumns,
  plainZeros,
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

const specOf = (isRetractable: boolean) =>
  fc.record({
    keys: keyColumns,
    accumulators: fc.array(accumulatorOf(true), { maxLength: 5, size: "max" }),
    rows: rowsOf(isRetractable),
    batch: fc.constantFrom(1, 7, 1000),
    seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    offsetMs: fc.integer({ min: -20, max: 20 }),
  });

function stateOf(
  spec: {
    readonly keys: number[];
    readonly accumulators: Parameters<typeof plainGroups>[0]["accumulators"];
  },
  options: {
    readonly seed: bigint;
    readonly isRetractable: boolean;
    readonly tracksChanges?: boolean;
    readonly panes: { readonly sizeMs: number; readonly offsetMs: number } | null;
  },
): AggregateState {
  const { isRetractable, tracksChanges = false, seed, panes } = options;
  return new AggregateState(host, {
    spec: { ...spec, input: stateInput, isRetractable, tracksChanges },
    seed,
    bytesMax: 0,
    panes,
  });
}

function add(state: AggregateState, rows: readonly PlainRow[], isRetractable: boolean): void {
  const table = tableOfRows(memory, rows);
  state.add({ table, timeColumn, ...(isRetractable ? { weightColumn } : {}) });
}

const timeOf = (row: PlainRow) => Number(row.cells[timeColumn]);

/** Rows of the panes of a window, pane by pane: the order in which groups first appear. */
function windowRows(
  rows: readonly PlainRow[],
  window: { readonly startMs: number; readonly endMs: number; readonly paneMs: number },
): PlainRow[] {
  const panes: PlainRow[] = [];
  for (let start = window.startMs; start < window.endMs; start += window.paneMs) {
    panes.push(
      ...rows.filter((row) => timeOf(row) >= start && timeOf(row) < start + window.paneMs),
    );
  }
  return panes;
}

const keyText = (row: readonly CellValue[]) => JSON.stringify(row.map(sameText));

for (const isRetractable of [false, true]) {
  const sort = isRetractable ? "rows with weights" : "rows";
  describe(`${sort} in panes`, () => {
    test("windows of any number of panes give what plain JavaScript gives", () => {
      const property = fc.property(specOf(isRetractable), (spec) => {
        renewHost();
        const paneMs = 10;
        const state = stateOf(spec, {
          seed: spec.seed,
          isRetractable,
          panes: { sizeMs: paneMs, offsetMs: spec.offsetMs },
        });
        for (const rows of batchesOf(spec.rows, spec.batch)) add(state, rows, isRetractable);
        const first = ((spec.offsetMs % paneMs) + paneMs) % paneMs;
        const paned = spec.rows.map((row) => ({
          ...row,
          pane: Math.floor((timeOf(row) - first) / paneMs),
        }));
        for (let startMs = first - 60; startMs < 80; startMs += paneMs) {
          for (const width of [1, 3]) {
            const window = { startMs, endMs: startMs + width * paneMs, paneMs };
            const expected = plainWindow(spec, windowRows(paned, window), paned);
            for (const keep of [false, true]) {
              const result = state.merge(window, { keep });
              const rows = readResult(memory, result);
              result.free();
              const shown = rows.map((row) => row.slice(0, -3));
              // A group whose rows were all taken back keeps its place in a pane until it is dropped.
              const [one, two] = [plainZeros(shown), plainZeros(expected)];
              if (isRetractable)
                expect(one.map(keyText).toSorted()).toEqual(two.map(keyText).toSorted());
              else expect(one).toEqual(two);
              const times = [startMs, window.endMs, window.endMs - 1].map(BigInt);
              for (const row of rows) expect(row.slice(-3)).toEqual(times);
            }
          }
        }
        state.free();
      });
      fc.assert(property, { numRuns: 80, endOnFailure: true });
    }, 60_000);
  });
}

/** FIRST and LAST go by arrival over all panes, all else pane by pane. */
function plainWindow(
  spec: {
    readonly keys: number[];
    readonly accumulators: Parameters<typeof plainGroups>[0]["accumulators"];
  },
  inWindow: readonly PlainRow[],
  all: readonly PlainRow[],
): CellValue[][] {
  const plain = { ...spec, input: stateInput };
  const byArrival = plainGroups(
    plain,
    all.filter((row) => inWindow.includes(row)),
  );
  const keyOf = (row: readonly CellValue[]) => keyText(row.slice(0, spec.keys.length));
  const rows = new Map(byArrival.map((row) => [keyOf(row), row]));
  return plainGroups(plain, inWindow).map((row) => rows.get(keyOf(row)) ?? row);
}

describe("changes", () => {
  test("fold into what plain JavaScript gives, in the order in which groups appeared", () => {
    for (const isRetractable of [false, true]) {
      const property = fc.property(specOf(isRetractable), (spec) => {
        renewHost();
        const state = stateOf(spec, {
          seed: spec.seed,
          isRetractable,
          tracksChanges: true,
          panes: null,
        });
        const done: PlainRow[] = [];
        const plain = { ...spec, input: stateInput };
        let shown: CellValue[][] = [];
        for (const rows of batchesOf(spec.rows, spec.batch)) {
          add(state, rows, isRetractable);
          const changed = state.changes();
          if (changed === null) throw new Error("rows make a pane");
          const before = plainZeros(
            readResult(memory, changed.before).map((row) => row.slice(0, -3)),
          );
          const after = plainZeros(
            readResult(memory, changed.after).map((row) => row.slice(0, -3)),
          );
          done.push(...rows);
          const folded = new Map(shown.map((row) => [keyText(row), row]));
          for (const row of before) {
            expect(folded.delete(keyText(row))).toBe(true);
          }
          for (const row of after) {
            expect(folded.has(keyText(row))).toBe(false);
            folded.set(keyText(row), row);
          }
          shown = plainZeros(plainGroups(plain, done));
          expect([...folded.keys()].toSorted()).toEqual(shown.map(keyText).toSorted());
          // Nothing is said of groups that look as before.
          const told = new Set(before.map(keyText));
          expect(after.some((row) => told.has(keyText(row)))).toBe(false);
          state.settle();
          const all = state.all();
          const rowsNow = plainZeros(readResult(memory, all).map((row) => row.slice(0, -3)));
          all.free();
          expect(rowsNow.map(keyText).toSorted()).toEqual(shown.map(keyText).toSorted());
        }
        state.free();
      });
      fc.assert(property, { numRuns: 80, endOnFailure: true });
    }
  }, 60_000);
});

import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  changesBatch,
  keyedStatement,
  keyedView,
  openViewTable,
  type ViewChange,
  valuesIn,
} from "../../support/view-records.ts";

const change = fc.record({
  key: fc.integer({ min: 0, max: 7 }),
  value: fc.option(fc.integer(), { nil: null }),
});
/** Batches of one apply, applies of one run. */
const applies = fc.array(fc.array(fc.array(change, { minLength: 1, maxLength: 12 })), {
  maxLength: 8,
});

const byKey = keyedStatement("SELECT c0, c1 FROM rows ORDER BY c0");
const byOffset = keyedStatement("SELECT at, coalesce(nc1, -1) FROM changes ORDER BY at");

interface Folded {
  readonly rows: Map<number, number>;
  readonly changed: { k: number; n: number }[];
}

function fold(changes: readonly ViewChange[], firstKept: number): Folded {
  const rows = new Map<number, number>();
  const changed: { k: number; n: number }[] = [];
  for (const [offset, { key, value }] of changes.entries()) {
    const isChange = value !== null || rows.has(key);
    if (value === null) rows.delete(key);
    else rows.set(key, value);
    if (isChange && offset >= firstKept && value !== null) changed.push({ k: offset, n: value });
  }
  return { rows, changed };
}

function expected({ rows }: Folded): unknown[] {
  return [...rows].sort(([a], [b]) => a - b).map(([k, n]) => ({ k, n }));
}

test("a view's table has the last row of each key, however the records come in batches", () => {
  fc.assert(
    fc.property(applies, (run) => {
      const table = openViewTable();
      const seen: ViewChange[] = [];
      for (const batches of run) {
        const encoded = batches.map((batch) => {
          const bytes = changesBatch(batch, seen.length);
          seen.push(...batch);
          return bytes;
        });
        table.apply(encoded, seen.length);
        expect(valuesIn(table.read(byKey).batches)).toEqual(expected(fold(seen, 0)));
      }
    }),
    { numRuns: 20 },
  );
}, 30_000);

test("a view's table stops at any offset, and goes on from there", () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 30 }), fc.nat(), (changes, pick) => {
      const table = openViewTable();
      const stop = pick % (changes.length + 1);
      const batch = changesBatch(changes, 0);
      table.apply([batch], stop);
      expect(table.state.position).toBe(stop);
      const before = expected(fold(changes.slice(0, stop), 0));
      expect(valuesIn(table.read(byKey).batches)).toEqual(before);
      table.apply([batch], changes.length);
      expect(valuesIn(table.read(byKey).batches)).toEqual(expected(fold(changes, 0)));
    }),
    { numRuns: 20 },
  );
}, 30_000);

test("a view's table that is followed keeps a change per record that changes anything", () => {
  const steps = fc.array(fc.array(change, { minLength: 1, maxLength: 10 }), { minLength: 1 });
  fc.assert(
    fc.property(steps, fc.nat(), (run, pick) => {
      const table = openViewTable(keyedView);
      const followedFrom = pick % run.length;
      const seen: ViewChange[] = [];
      let firstKept = 0;
      for (const [step, batch] of run.entries()) {
        if (step === followedFrom) {
          table.keepChanges();
          firstKept = seen.length;
        }
        const bytes = changesBatch(batch, seen.length);
        seen.push(...batch);
        table.apply([bytes], seen.length);
      }
      const kept = keyedStatement(byOffset.sql.replace("ORDER", "WHERE is_now ORDER"));
      expect(valuesIn(table.read(kept).batches)).toEqual(fold(seen, firstKept).changed);
    }),
    { numRuns: 20 },
  );
}, 30_000);

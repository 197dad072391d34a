import { expect, test } from "bun:test";
import fc from "fast-check";
import { KeptRows } from "../../../src/sql/kernel/kept-rows.ts";
import type { PlainRow } from "../../support/sql-groups.ts";
import { readResult, rowsOf, stateInput, tableOfRows } from "../../support/sql-state.ts";
import { createSqliteHost } from "../../support/sqlite.ts";

const steps = fc.array(
  fc.record({
    rows: rowsOf(false, 20),
    expireMs: fc.option(fc.integer({ min: -40, max: 60 })),
    looks: fc.boolean(),
    saves: fc.constantFrom("no", "delta", "full"),
    restores: fc.boolean(),
  }),
  { maxLength: 8, size: "max" },
);

test("kept rows are those appended and not expired, also after a restore", () => {
  const property = fc.property(steps, (all) => {
    const host = createSqliteHost();
    const { memory } = host;
    const create = () => new KeptRows(host, { kinds: stateInput, timeColumn: 0 });
    let kept = create();
    let plain: PlainRow[] = [];
    const blobs: Uint8Array[] = [kept.save({ full: true })];
    for (const { rows, expireMs, looks, saves, restores } of all) {
      kept.append(tableOfRows(memory, rows));
      plain.push(...rows);
      if (expireMs !== null) {
        kept.expire(expireMs);
        plain = plain.filter(({ cells }) => Number(cells[0]) >= expireMs);
      }
      // Nobody who looks would tell rows that are gone from those that are only to go.
      if (looks) {
        expect(kept.rowCount).toBe(plain.length);
        kept.showAll();
        expect(readResult(memory, kept)).toEqual(plain.map(({ cells }) => [...cells]));
        kept.showBetween(-10, 20);
        const between = plain.filter(
          ({ cells }) => Number(cells[0]) >= -10 && Number(cells[0]) < 20,
        );
        expect(readResult(memory, kept)).toEqual(between.map(({ cells }) => [...cells]));
      }
      if (saves === "no") continue;
      if (saves === "full") blobs.length = 0;
      blobs.push(kept.save({ full: saves === "full" }));
      if (!restores) continue;
      kept.free();
      kept = create();
      for (const blob of blobs) kept.restore(blob);
      kept.showAll();
      expect(readResult(memory, kept)).toEqual(plain.map(({ cells }) => [...cells]));
    }
    kept.free();
  });
  fc.assert(property, { numRuns: 100, endOnFailure: true });
}, 60_000);

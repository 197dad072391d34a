/**
 * Random queries over random input: what comes out of a log, cut into any publishes, batches and
 * commits, with a restore here and there, is what SQLite gives for the whole input at once.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Dice } from "../../sim/dice.ts";
import { planCase, runCase } from "../../support/sql-case-run.ts";
import {
  arrayOf,
  caseOf,
  inputRows,
  plainRows,
  twinQuery,
} from "../../support/sql-differential.ts";

const runs = Number(process.env["MILLRACE_DIFFERENTIAL_RUNS"] ?? 60);

test("queries give what SQLite gives over the whole input", () => {
  let compared = 0;
  fc.assert(
    fc.property(
      twinQuery,
      inputRows,
      fc.record({ batch: fc.constantFrom(1, 7, 10_000), seed: fc.nat() }),
      (query, rows, { batch, seed }) => {
        const sqlCase = caseOf(query, rows);
        const planned = planCase(sqlCase);
        const dice = new Dice(seed);
        const result = runCase(planned, sqlCase, {
          ...{ batchRecords: batch, slice: dice.between(1, 5), seed },
          after: () => dice.pick(["go on", "go on", "commit", "restore"]),
        });
        expect([result.late, result.errors]).toEqual([[], []]);
        const all = [...result.rows, ...result.last];
        const seen = planned.isAppend
          ? all.map(({ value }) => value)
          : [...new Map(all.map(({ key, value }) => [key, value])).values()];
        const ours = seen.flatMap((value) => (value === null ? [] : [arrayOf(value, query)]));
        const texts = (each: unknown[][]) => each.map((row) => JSON.stringify(row));
        const [found, wanted] = [texts(ours), texts(plainRows(query, rows))];
        // An aggregate of no rows at all is a row over a whole table, and nothing over a stream.
        if (rows.length === 0 || (found.length === 0 && !query.ours.includes("GROUP BY"))) return;
        compared += 1;
        if (!query.isSequence) for (const each of [found, wanted]) each.sort();
        expect(found).toEqual(wanted);
      },
    ),
    { numRuns: runs },
  );
  expect(compared).toBeGreaterThan(runs / 2);
});

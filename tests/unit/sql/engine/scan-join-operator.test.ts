import { describe, expect, test } from "bun:test";
import { Dice } from "../../../sim/dice.ts";
import { parseCase } from "../../../support/sql-case.ts";
import { type CaseQuery, planCase, runCase, straight } from "../../../support/sql-case-run.ts";

const show = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms).toISOString().slice(0, -1);

/** Rows with the greatest of their minute and how many it had: a small side that knows it late. */
function caseOf(publishes: readonly (readonly { readonly n: number; readonly ms: number }[])[]) {
  const note = "x".repeat(120);
  const texts = publishes.map((rows, index) => {
    const values = rows.map(({ n, ms }) =>
      JSON.stringify({ n, note: `${note}${n}`, ts: show(ms) }),
    );
    const at = new Date(Date.UTC(2026, 0, 1, 1) + index * 1000).toISOString().slice(11, 19);
    return `@ ${at} t/0\n${values.join("\n")}`;
  });
  return parseCase(
    "rows",
    `-- Rows of minutes.
     CREATE STREAM t (n INT, note STRING, ts TIMESTAMP(3),
       WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('topic' = 't', 'format' = 'json');
     SELECT t.n, t.note, m.most, m.c
     FROM t JOIN (
       SELECT MAX(n) AS most, COUNT(*) AS c, window_time
       FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '60' SECOND))
       GROUP BY window_start, window_end, window_time
     ) m ON t.n <= m.most AND MOD(t.n + m.most, 50) = 0
       AND t.ts BETWEEN m.window_time - INTERVAL '60' SECOND AND m.window_time
/* publishes
${texts.join("\n")}
*/
`,
  );
}

function randomCase(seed: number) {
  const dice = new Dice(seed);
  return caseOf(
    Array.from({ length: 16 }, (_, publish) =>
      Array.from({ length: dice.below(15) }, () => ({
        n: dice.below(12) * 25,
        ms: Math.max(0, publish * 15_000 + dice.below(20_000) - 10_000),
      })),
    ),
  );
}

describe("ScanJoinOperator", () => {
  test("pairs rows that left memory as those that stayed, also after restores", () => {
    for (let seed = 0; seed < 3; seed++) {
      const sqlCase = randomCase(seed);
      const query = planCase(sqlCase);
      const dice = new Dice(seed);
      const result = runCase(query, sqlCase, straight);
      for (const spillBytesMax of [0, 1 << 15]) {
        const other = runCase(query, sqlCase, {
          ...{ batchRecords: 7, slice: 3, seed: 5, spillBytesMax },
          after: () => dice.pick(["go on", "commit", "restore"]),
        });
        expect(other.rows).toEqual(result.rows);
        expect(other.last).toEqual(result.last);
        if (spillBytesMax === 0) expect(other.spillCount).toBeGreaterThan(5);
      }
      expect(result.rows.length + result.last.length).toBeGreaterThan(5);
    }
  });

  test("keeps more rows than its memory holds", () => {
    const perPublish = 10_000;
    const rows = Array.from({ length: 20 }, (_, publish) =>
      Array.from({ length: perPublish }, (_, at) => ({
        n: at % 1000,
        ms: Math.floor((publish * perPublish + at) / 10),
      })),
    );
    const sqlCase = caseOf([...rows, [{ n: 1, ms: 200_000 }]]);
    const query = planCase(sqlCase);
    const small: CaseQuery = {
      ...query,
      setup: { ...query.setup, memoryBytesMax: 32 * 1024 * 1024 },
    };
    const options = { ...straight, after: () => "go on" as const };
    expect(() => runCase(small, sqlCase, options)).toThrow(/memory/);
    const spilling = { ...options, spillBytesMax: 4 * 1024 * 1024 };
    expect(runCase(small, sqlCase, spilling).rows).toHaveLength(200_000 / 50);
  });
});

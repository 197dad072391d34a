import { expect, test } from "bun:test";
import { Dice } from "../../../sim/dice.ts";
import { parseCase } from "../../../support/sql-case.ts";
import { planCase, runCase, straight } from "../../../support/sql-case-run.ts";

interface Click {
  readonly u: number;
  readonly n: number;
  /** Milliseconds of the minute. */
  readonly ms: number;
}

const gapMs = 3000;
const show = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms).toISOString().slice(0, -1);

function caseOf(clicks: readonly Click[]) {
  const records = clicks.map(({ u, n, ms }) => JSON.stringify({ u, n, ts: show(ms) }));
  return parseCase(
    "sessions",
    `-- Rows of sessions.
     CREATE STREAM clicks (u INT, n INT, ts TIMESTAMP(3),
       WATERMARK FOR ts AS ts - INTERVAL '1' HOUR) WITH ('topic' = 'clicks', 'format' = 'json');
     SELECT u, n, window_start, window_end
     FROM TABLE(SESSION(TABLE clicks PARTITION BY u, DESCRIPTOR(ts), INTERVAL '3' SECOND))
/* publishes
@ 00:02:00 clicks/0
${records.join("\n")}
*/
`,
  );
}

/** What each row must say, by plain means: the rows of a key in order of time, cut at gaps. */
function expected(clicks: readonly Click[]): string[] {
  const rows: string[] = [];
  for (const ofKey of Map.groupBy(clicks, ({ u }) => u).values()) {
    const inOrder = ofKey.toSorted((a, b) => a.ms - b.ms);
    let session: Click[] = [];
    for (const [index, click] of inOrder.entries()) {
      session.push(click);
      const next = inOrder[index + 1];
      if (next !== undefined && next.ms - click.ms <= gapMs) continue;
      const start = show(session[0]?.ms ?? 0).replace("T", " ");
      const end = show(click.ms + gapMs).replace("T", " ");
      for (const { u, n } of session) {
        rows.push(JSON.stringify({ u, n, window_start: start, window_end: end }));
      }
      session = [];
    }
  }
  return rows.sort();
}

test("rows of many sessions that close together come out once each, with their own session", () => {
  const dice = new Dice(11);
  const clicks = Array.from({ length: 4000 }, (_, n): Click => {
    return { u: dice.below(700), n, ms: dice.below(60_000) };
  });
  const sqlCase = caseOf(clicks);
  const { rows, last } = runCase(planCase(sqlCase), sqlCase, straight);
  const values = [...rows, ...last].map(({ value }) => value ?? "");
  expect(new Set(expected(clicks).map((row) => row.replace(/"n":\d+,/, ""))).size).toBeGreaterThan(
    2048,
  );
  expect(values.sort()).toEqual(expected(clicks));
});

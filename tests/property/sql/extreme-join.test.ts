/**
 * A stream joined with the greatest or least value of its own windows keeps only rows that may
 * still be it. What comes out is what comes of keeping all, late rows, commits and restores among
 * it: the twin computes its value first, which hides from the planner what it is.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { extremeJoinOf } from "../../../src/sql/plan/extreme-join.ts";
import type { IntervalJoinNode, PlanNode } from "../../../src/sql/plan/plan.ts";
import { shareSources } from "../../../src/sql/plan/share-sources.ts";
import { Dice } from "../../sim/dice.ts";
import { parseCase } from "../../support/sql-case.ts";
import { type CaseQuery, planCase, runCase } from "../../support/sql-case-run.ts";

const query = fc.record({
  extreme: fc.constantFrom("MAX", "MIN"),
  column: fc.constantFrom("window_start", "window_end", "window_time"),
  lowerS: fc.integer({ min: 0, max: 25 }),
  upperS: fc.integer({ min: 0, max: 12 }),
  isSwapped: fc.boolean(),
  hasFilter: fc.boolean(),
});

type Query = typeof query extends fc.Arbitrary<infer Value> ? Value : never;

/** Seconds on from the row before, and back from there; the watermark allows for two. */
const rows = fc.array(
  fc.record({
    stepS: fc.integer({ min: 0, max: 6 }),
    backS: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 30 })),
    v: fc.option(fc.integer({ min: 0, max: 12 }), { freq: 8 }),
    partition: fc.constantFrom(0, 1),
    isFirst: fc.boolean(),
  }),
  { minLength: 1, maxLength: 60 },
);

function textOf(each: Query, stream: string): string {
  const { extreme, column, lowerS, upperS, isSwapped, hasFilter } = each;
  const where = hasFilter ? " WHERE k <> 'k3'" : "";
  const windows =
    `(SELECT ${extreme}(v) AS m, ${column} AS at FROM TABLE(TUMBLE(TABLE f, DESCRIPTOR(ts), ` +
    "INTERVAL '10' SECOND)) GROUP BY window_start, window_end, window_time) M";
  const from = isSwapped ? `${windows} JOIN ${stream} B` : `${stream} B JOIN ${windows}`;
  return (
    "CREATE STREAM t (k STRING, v BIGINT, ts TIMESTAMP(3), " +
    "WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('topic' = 't', 'format' = 'json');\n" +
    `CREATE VIEW f AS SELECT k, v, ts FROM t${where};\n` +
    `SELECT B.k, B.v, B.ts, M.at FROM ${from} ON B.v = M.m WHERE B.ts BETWEEN ` +
    `M.at - INTERVAL '${lowerS}' SECOND AND M.at + INTERVAL '${upperS}' SECOND`
  );
}

function planned(script: string, publishes: ReturnType<typeof publishesOf>) {
  const sqlCase = { ...parseCase("extreme", script), publishes };
  const partitions = [0, 1].map((partition) => ({ topic: "t", partition }));
  const whole = { ...sqlCase, partitions };
  return { sqlCase: whole, plan: planCase(whole) };
}

interface Run {
  readonly topic: string;
  readonly partition: number;
  readonly records: { timestamp: number; key: null; value: Uint8Array }[];
}

/** A publish may have several runs: what is late in one need not be in another. */
function publishesOf(
  all: readonly (typeof rows extends fc.Arbitrary<infer V> ? V : never)[number][],
) {
  const publishes: { publishedAt: number; runs: Run[]; created: never[]; committed: never[] }[] =
    [];
  let clock = Date.UTC(2026, 0, 1);
  for (const [index, { stepS, backS, v, partition, isFirst }] of all.entries()) {
    clock += 1000 * stepS;
    const empty = { created: [], committed: [] };
    if (isFirst || index === 0) publishes.push({ publishedAt: clock, runs: [], ...empty });
    const runs = publishes.at(-1)?.runs ?? [];
    if (runs.at(-1)?.partition !== partition) runs.push({ topic: "t", partition, records: [] });
    const ts = new Date(clock - 1000 * backS).toISOString().slice(0, -1);
    const value = new TextEncoder().encode(JSON.stringify({ k: `k${index % 5}`, v, ts }));
    runs.at(-1)?.records.push({ timestamp: 0, key: null, value });
  }
  return publishes;
}

function joinOf({ plan }: CaseQuery): IntervalJoinNode {
  let node: PlanNode = shareSources(plan.root);
  while (node.kind === "calc") node = node.input;
  if (node.kind !== "intervalJoin") throw new Error(`${node.kind} is no join`);
  return node;
}

test("rows that are beaten in their window are not missed", () => {
  const property = fc.property(query, rows, fc.nat(), (each, all, seed) => {
    const publishes = publishesOf(all);
    const own = planned(textOf(each, "f"), publishes);
    const twin = planned(textOf(each, "(SELECT k, v + 0 AS v, ts FROM f)"), publishes);
    expect(extremeJoinOf(joinOf(own.plan))?.extreme).toBe(each.extreme === "MAX" ? "max" : "min");
    expect(extremeJoinOf(joinOf(twin.plan))).toBeNull();
    const dice = new Dice(seed);
    const options = {
      ...{ batchRecords: dice.pick([1, 5, 10_000]), slice: dice.between(1, 5), seed },
      after: () => dice.pick(["go on", "commit", "restore"] as const),
    };
    const wanted = runCase(twin.plan, twin.sqlCase, { ...options, after: () => "commit" });
    const found = runCase(own.plan, own.sqlCase, options);
    expect([...found.rows, ...found.last]).toEqual([...wanted.rows, ...wanted.last]);
    expect(found.late).toEqual(wanted.late);
  });
  fc.assert(property, { numRuns: 80 });
}, 60_000);

/**
 * The language, case by case: each `.sql` file in `sql/` runs straight, in other batches and slices,
 * killed and restored at random commits, with ticks between, and with its state on scratch disk, and
 * gives its golden every time. Goldens are written by
 * `MILLRACE_GOLDEN=write bun test tests/golden/sql.test.ts`; a new one says "confirmed: nobody" until
 * somebody has looked (see generate/flink-script.ts), and the test refuses it until then.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { inputsOf } from "../../src/sql/plan/inputs-of.ts";
import type { PlanNode, WindowAggregateNode } from "../../src/sql/plan/plan.ts";
import { Dice } from "../sim/dice.ts";
import { caseFolder, readCase, type SqlCase } from "../support/sql-case.ts";
import {
  type CaseQuery,
  type CaseResult,
  planCase,
  type RunOptions,
  runCase,
  straight,
} from "../support/sql-case-run.ts";
import { goldenText, splitGolden, stateLines } from "../support/sql-golden.ts";

const writes = process.env["MILLRACE_GOLDEN"] === "write";

const names = readdirSync(caseFolder)
  .filter((file) => file.endsWith(".sql"))
  .map((file) => file.slice(0, -4))
  .sort();

describe("SQL cases", () => {
  test("are many", () => {
    expect(names.length).toBeGreaterThanOrEqual(120);
  });

  for (const name of names) {
    test(name, () => {
      const sqlCase = readCase(name);
      const query = planCase(sqlCase);
      const result = runCase(query, sqlCase, straight);
      checkGolden(name, goldenText(result, query));
      for (const options of otherRuns(name)) compare({ query, sqlCase, result, options });
    });
  }
});

function checkGolden(name: string, body: string): void {
  const path = join(caseFolder, `${name}.golden`);
  const known = existsSync(path) ? splitGolden(readFileSync(path, "utf8")) : null;
  if (writes) {
    if (known?.body !== body) writeFileSync(path, `# confirmed: nobody\n${body}`);
    return;
  }
  expect(known?.header).toMatch(/^# confirmed: (flink 2\.3|sqlite|hand)/);
  expect(body).toBe(known?.body ?? "");
}

function* otherRuns(name: string): Generator<RunOptions> {
  const dice = new Dice(crc32(name));
  const commits = (often: number) => () => (dice.chance(often) ? "commit" : "go on");
  yield { batchRecords: 1, slice: 7, seed: 2, after: commits(0.2) };
  yield { batchRecords: 7, slice: 1e6, seed: 3, after: () => "go on" };
  yield { batchRecords: 10_000, slice: 1, seed: 4, after: () => "restore" };
  // A query that waits for each publish, and whose ticks come in time, or not.
  const tickDelayMs = () => dice.pick([0, 0, 1, 500, 30_000]);
  yield { batchRecords: 10_000, slice: 1, seed: 7, after: commits(0.1), tickDelayMs };
  // So little that some of the state goes now and then.
  yield {
    ...{ batchRecords: 7, slice: 3, seed: 5, spillBytesMax: 1 << 16 },
    after: () => dice.pick(["go on", "commit", "restore"]),
  };
  // Nothing that can go to scratch disk stays in memory, and states are in parts.
  yield {
    ...{ batchRecords: 7, slice: 5, seed: 6, spillBytesMax: 0, statePagesMax: 3 },
    after: () => dice.pick(["go on", "commit", "commit", "restore"]),
  };
}

function compare(parts: {
  readonly query: CaseQuery;
  readonly sqlCase: SqlCase;
  readonly result: CaseResult;
  readonly options: RunOptions;
}): void {
  const { query, sqlCase, result, options } = parts;
  const other = runCase(query, sqlCase, options);
  if (options.spillBytesMax === 0 && mustLeave(query)) expect(other.spillCount).toBeGreaterThan(0);
  expect(goldenText(seen(other, query), query)).toBe(goldenText(seen(result, query), query));
  if (query.isAppend) {
    expect(other.statistics).toEqual(result.statistics);
    return;
  }
  // A straight run commits behind every publish: every other commit has one to equal.
  for (const { publishes, state } of other.states) {
    const same = result.states.find((each) => each.publishes === publishes);
    expect(stateLines(state)).toEqual(stateLines(same?.state ?? new Map()));
  }
}

/**
 * Whether there is state that leaves memory when none of it may stay. Of windows that show changes
 * the one that rows come for stays.
 */
function mustLeave({ plan }: CaseQuery): boolean {
  const any = (node: PlanNode, has: (node: PlanNode) => boolean): boolean =>
    has(node) || inputsOf(node).some((input) => any(input, has));
  return any(plan.root, (node) => {
    switch (node.kind) {
      case "windowAssign":
        return node.window.spec.kind === "session" && node.partitionBy.length > 0;
      case "windowAggregate":
        return node.keys.length > 0 && (node.window.spec.kind === "session" || isFinal(node));
      default:
        return node.kind === "groupAggregate" && node.keys.length > 0;
    }
  });
}

/** Of windows that come out once, also the pane of the last row leaves. */
function isFinal({ emit, allowedLatenessMs }: WindowAggregateNode): boolean {
  return emit.mode === "final" && allowedLatenessMs === 0;
}

/** An updating result may pass over states in which an expression above a group would have failed. */
function seen(result: CaseResult, { isAppend }: CaseQuery): CaseResult {
  if (isAppend) return result;
  return { ...result, errors: result.errors.filter((each) => !each.includes('"topic":null')) };
}

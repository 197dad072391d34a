/**
 * States that older versions wrote are read for ever. `fixtures/` holds, of each query in
 * `tests/support/state-cases.ts`, the states of two commits as `LocalTask` gave them: full behind
 * the third publish, a delta behind the sixth. Those there are from commit 1a00e1b, before sessions
 * could leave memory (`runCase` with commits at these publishes, each state written as it was).
 */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { type CaseResult, planCase, runCase, straight } from "../../../support/sql-case-run.ts";
import { stateCases } from "../../../support/state-cases.ts";

function stateOf(name: string, kind: "full" | "delta") {
  const path = new URL(`fixtures/${name}-${kind}.state`, import.meta.url);
  return { kind, bytes: new Uint8Array(readFileSync(path)) };
}

/** What each row of results says, and the keys that are gone. */
function valuesOf({ rows, last }: CaseResult): (string | null)[] {
  return [...rows, ...last].map(({ key, value }) => value ?? key);
}

describe("a state of before", () => {
  for (const [name, sqlCase] of Object.entries(stateCases)) {
    const query = planCase(sqlCase);
    const { publishes } = sqlCase;
    const begun = runCase(query, { ...sqlCase, publishes: publishes.slice(0, 6) }, straight);
    const whole = valuesOf(runCase(query, sqlCase, straight));
    const rest = { ...sqlCase, publishes: publishes.slice(6) };
    for (const spillBytesMax of [undefined, 0]) {
      const how = spillBytesMax === undefined ? "" : ", its state on scratch disk at once";
      test(`of ${name} goes on as if it had never stopped${how}`, () => {
        const from = {
          states: [stateOf(name, "full"), stateOf(name, "delta")],
          offsets: new Map([["clicks/0", 10]]),
        };
        const options = { ...straight, ...(spillBytesMax !== undefined && { spillBytesMax }) };
        const went = valuesOf(runCase(query, rest, { ...options, from }));
        expect(went).toEqual(whole.slice(begun.rows.length));
        expect(went.length).toBeGreaterThan(2);
      });
    }
  }
});

/** The simulator's tier: fifty seeds and those that once found something, each run twice. */
import { describe, expect, test } from "bun:test";
import { regressions } from "./regressions.ts";
import { runTwice } from "./run-twice.ts";
import { firstMachinesSeed } from "./stage.ts";

const seedCount = 50;

/** Seeds per test, so that a failure shows soon. */
const seedsPerTest = 10;

function replay(seed: number): string {
  return `bun tests/sim/run.ts --seed ${seed} --trace`;
}

async function problemsOf(seeds: readonly number[]): Promise<string[]> {
  const found: string[] = [];
  for (const seed of seeds) {
    const { problems } = await runTwice(seed);
    for (const problem of problems) found.push(`seed ${seed}: ${problem} (${replay(seed)})`);
  }
  return found;
}

describe("simulator", () => {
  for (const { seed, found } of regressions) {
    test(`seed ${seed} finds nothing any more: ${found}`, async () => {
      expect(await problemsOf([seed])).toEqual([]);
    });
  }

  test("machines that lose their power alone take nothing that is settled with them", async () => {
    const seeds = Array.from({ length: seedsPerTest }, (_, index) => firstMachinesSeed + index);
    expect(await problemsOf(seeds)).toEqual([]);
  });

  for (let first = 1; first <= seedCount; first += seedsPerTest) {
    const seeds = Array.from({ length: seedsPerTest }, (_, index) => first + index);
    test(`seeds ${first} to ${first + seedsPerTest - 1} lose, double and reorder nothing`, async () => {
      expect(await problemsOf(seeds)).toEqual([]);
    });
  }
});

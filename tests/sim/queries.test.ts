/** The simulator's tier with queries: fifty seeds. */
import { describe, expect, test } from "bun:test";
import { runQueryScenario } from "./query-scenario.ts";

const seedCount = 50;
const seedsPerTest = 10;

describe("simulator with queries", () => {
  for (let first = 1; first <= seedCount; first += seedsPerTest) {
    test(`seeds ${first} to ${first + seedsPerTest - 1} write each result once`, async () => {
      for (let seed = first; seed < first + seedsPerTest; seed++) {
        const { violations, resultCount } = await runQueryScenario(seed);
        expect({ seed, violations }).toEqual({ seed, violations: [] });
        expect(resultCount).toBeGreaterThan(0);
      }
    });
  }
});

import { describe, expect, test } from "bun:test";
import { runQueryCrashes } from "./query-rounds.ts";

describe("queries of a worker that is killed", () => {
  test("count and copy every bid exactly once over 20 rounds", async () => {
    const { bids, windows, advances, faults } = await runQueryCrashes({ rounds: 20, seed: 11 });
    expect(faults).toEqual([]);
    expect(bids).toBeGreaterThan(500);
    expect(windows).toBeGreaterThan(20);
    expect(advances).toBeGreaterThanOrEqual(10);
  });
});

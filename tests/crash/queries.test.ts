import { describe, expect, test } from "bun:test";
import { StreamServer } from "../support/stream-server.ts";
import { runQueryCrashes } from "./query-rounds.ts";

describe("queries of a worker that is killed", () => {
  test("count and copy every bid exactly once over 20 rounds", async () => {
    const server = await StreamServer.start();
    const options = { rounds: 20, seed: 11 };
    const { bids, windows, advances, faults } = await runQueryCrashes(server, options);
    expect(faults).toEqual([]);
    expect(bids).toBeGreaterThan(500);
    expect(windows).toBeGreaterThan(20);
    expect(advances).toBeGreaterThanOrEqual(10);
  });
});

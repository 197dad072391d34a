/** The crash cases with the Worker in workerd in place of `streamctl server`. */
import { expect, test } from "bun:test";
import { EdgeServer } from "./edge-server.ts";
import { runQueryCrashes } from "./query-rounds.ts";
import { runCrashes } from "./rounds.ts";

test("workerd killed under load loses, doubles and reorders nothing in 5 rounds", async () => {
  const server = await EdgeServer.start();
  const { acked, faults } = await runCrashes(server, { rounds: 5, seed: 7 });
  expect(faults).toEqual([]);
  expect(acked).toBeGreaterThan(100);
});

test("queries of a workerd that is killed count and copy every bid once over 6 rounds", async () => {
  const server = await EdgeServer.start();
  const options = { rounds: 6, seed: 11 };
  const { bids, windows, advances, faults } = await runQueryCrashes(server, options);
  expect(faults).toEqual([]);
  expect(bids).toBeGreaterThan(100);
  expect(windows).toBeGreaterThan(5);
  expect(advances).toBeGreaterThanOrEqual(3);
});

import { describe, expect, test } from "bun:test";
import { denoProgram } from "../support/deno-program.ts";
import { StreamServer } from "../support/stream-server.ts";
import { runQueryCrashes } from "./query-rounds.ts";

describe("queries of a worker that is killed", () => {
  for (const [name, place, rounds] of [
    ["Bun", {}, 20],
    ["Deno", { program: denoProgram("start") }, 6],
  ] as const) {
    test(`count and copy every bid exactly once over ${rounds} rounds on ${name}`, async () => {
      const server = await StreamServer.start(place);
      const result = await runQueryCrashes(server, { rounds, seed: 11 });
      expect(result.faults).toEqual([]);
      expect(result.bids).toBeGreaterThan(rounds * 25);
      expect(result.windows).toBeGreaterThan(rounds);
      expect(result.advances).toBeGreaterThanOrEqual(rounds / 2);
    });
  }
});

import { describe, expect, test } from "bun:test";
import { StreamServer } from "../support/stream-server.ts";
import { runCrashes } from "./rounds.ts";

describe("a worker killed under load", () => {
  for (const fsync of ["on", "off"]) {
    test(`loses, doubles and reorders nothing in 10 rounds with fsync ${fsync}`, async () => {
      const server = await StreamServer.start({ flags: ["--fsync", fsync] });
      const { acked, faults } = await runCrashes(server, { rounds: 10, seed: 7 });
      expect(faults).toEqual([]);
      expect(acked).toBeGreaterThan(100);
    });
  }
});

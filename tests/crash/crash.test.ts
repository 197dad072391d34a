import { describe, expect, test } from "bun:test";
import { runCrashes } from "./rounds.ts";

describe("a worker killed under load", () => {
  for (const fsync of ["on", "off"]) {
    test(`loses, doubles and reorders nothing in 10 rounds with fsync ${fsync}`, async () => {
      const { acked, faults } = await runCrashes({
        rounds: 10,
        seed: 7,
        flags: ["--fsync", fsync],
      });
      expect(faults).toEqual([]);
      expect(acked).toBeGreaterThan(100);
    });
  }
});

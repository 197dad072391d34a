import { describe, expect, test } from "bun:test";
import { denoProgram } from "../support/deno-program.ts";
import { StreamServer } from "../support/stream-server.ts";
import { runCrashes } from "./rounds.ts";

const places = {
  "with fsync on": { flags: ["--fsync", "on"] },
  "with fsync off": { flags: ["--fsync", "off"] },
  "on Deno": { program: denoProgram("start") },
} as const;

describe("a worker killed under load", () => {
  for (const [name, place] of Object.entries(places)) {
    test(`loses, doubles and reorders nothing in 10 rounds ${name}`, async () => {
      const server = await StreamServer.start(place);
      const { acked, faults } = await runCrashes(server, { rounds: 10, seed: 7 });
      expect(faults).toEqual([]);
      expect(acked).toBeGreaterThan(100);
    });
  }
});

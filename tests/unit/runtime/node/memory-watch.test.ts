import { expect, test } from "bun:test";
import type { Timers } from "../../../../src/base/platform.ts";
import { watchMemory } from "../../../../src/runtime/node/memory-watch.ts";

const MiB = 1024 * 1024;

test("watchMemory collects above its limit, and again only when enough has come since", async () => {
  const stop = new AbortController();
  // Resident at each look; in brackets what a collection leaves.
  const looks = [100, 210, [200], 250, 290, 297, [150], 240, 290, [280], 100, 205, [90]].flat();
  const levels = looks.map((each) => each * MiB);
  const collectedAt: number[] = [];
  let last = 0;
  const timers: Timers = {
    after: () => ({ cancel() {} }),
    sleep: async () => {
      if (levels.length === 0) stop.abort();
    },
  };
  await watchMemory({
    timers,
    signal: stop.signal,
    limitBytes: 200 * MiB,
    resident: () => {
      last = levels.shift() ?? 0;
      return last;
    },
    collect: () => void collectedAt.push(last / MiB),
  });
  expect(collectedAt).toEqual([210, 297, 290, 205]);
});

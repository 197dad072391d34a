import { expect, test } from "bun:test";
import type { Timers } from "../../../../src/base/platform.ts";
import { watchMemory } from "../../../../src/runtime/node/memory-watch.ts";

const MiB = 1024 * 1024;

const runs = async (looksMiB: readonly number[]) => {
  const stop = new AbortController();
  const levels = looksMiB.map((each) => each * MiB);
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
  return collectedAt;
};

test("watchMemory collects above its limit, and again only when enough has come since", async () => {
  // Resident at each look; in brackets what a collection leaves.
  const looks = [100, 210, [200], 250, 290, 297, [150], 250, [140], 100, 205, [90]].flat();
  expect(await runs(looks)).toEqual([210, 297, 250, 205]);
});

test("watchMemory tries again after a while above its limit, never below", async () => {
  const above = Array.from({ length: 49 }, () => 280);
  expect(await runs([300, 280, ...above, 281, 280, 100])).toEqual([300, 281]);
  expect(await runs(Array.from({ length: 120 }, () => 199))).toEqual([]);
});

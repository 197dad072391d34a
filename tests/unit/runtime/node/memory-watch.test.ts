import { expect, test } from "bun:test";
import type { Timers } from "../../../../src/base/platform.ts";
import { MemoryWatch } from "../../../../src/runtime/node/memory-watch.ts";

const MiB = 1024 * 1024;

const runs = async (looksMiB: readonly number[], boundMiB = 1000) => {
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
  const watch = new MemoryWatch({
    limitBytes: 200 * MiB,
    boundBytes: boundMiB * MiB,
    resident: () => {
      last = levels.shift() ?? 0;
      return last;
    },
    collect: () => void collectedAt.push(last / MiB),
  });
  await watch.run(timers, stop.signal);
  return collectedAt;
};

test("MemoryWatch collects above its limit, and again only when enough has come since", async () => {
  // Resident at each look; in brackets what a collection leaves.
  const looks = [100, 210, [200], 250, 290, 297, [150], 250, [140], 100, 205, [90]].flat();
  expect(await runs(looks)).toEqual([210, 297, 250, 205]);
});

test("MemoryWatch tries again after a while above its limit, never below", async () => {
  const above = Array.from({ length: 199 }, () => 280);
  expect(await runs([300, 280, ...above, 281, 280, 100])).toEqual([300, 281]);
  expect(await runs(Array.from({ length: 420 }, () => 199))).toEqual([]);
});

test("MemoryWatch lets less garbage come near the bound", async () => {
  const looks = [210, [200], 232, 234, [215], 238, 240, [150], 220, 234, [100]].flat();
  expect(await runs(looks, 297)).toEqual([210, 234, 240, 234]);
  expect(await runs([210, [200], 248, 249, 295, 297].flat())).toEqual([210, 297]);
});

test("MemoryWatch looks whenever much was received, timer or not", () => {
  const collectedAt: number[] = [];
  let nowMiB = 100;
  const watch = new MemoryWatch({
    limitBytes: 200 * MiB,
    boundBytes: 1000 * MiB,
    resident: () => nowMiB * MiB,
    collect: () => void collectedAt.push(nowMiB),
  });
  for (; nowMiB < 340; nowMiB++) watch.received(MiB);
  expect(collectedAt).toEqual([203, 299]);
});

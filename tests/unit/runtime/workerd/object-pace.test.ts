import { expect, test } from "bun:test";
import { ObjectPace } from "../../../../src/runtime/workerd/object-pace.ts";
import { createVirtualPlatform } from "../../../support/virtual-platform.ts";

const KiB = 1024;

function fixture({ mayRest = true } = {}) {
  const platform = createVirtualPlatform({ seed: 1 });
  const wakes: number[] = [];
  const pace = new ObjectPace({ ...platform, mayRest, wakeAt: (time) => void wakes.push(time) });
  /** A step of so many bytes that takes so long. */
  const step = async (bytes: number, tookMs: number) => {
    const taken = pace.step(async () => platform.stall(tookMs), bytes);
    await platform.advance(0);
    await taken;
  };
  return { platform, pace, wakes, step };
}

const never = new AbortController().signal;

test("ObjectPace gives a step what the last ones could do in a tenth of a second", async () => {
  const { pace, step } = fixture();
  const first = pace.sliceBytes;
  await step(first, 10);
  expect(pace.sliceBytes).toBe(2 * first);
  await step(2 * first, 800);
  expect(pace.sliceBytes).toBe(first / 4);
  // A small one that was quick says nothing; one that was slow says enough.
  await step(1_000, 1);
  expect(pace.sliceBytes).toBe(first / 4);
  await step(1_000, 5_000);
  expect(pace.sliceBytes).toBe(64 * KiB);
  for (let round = 0; round < 10; round++) await step(pace.sliceBytes, 1);
  expect(pace.sliceBytes).toBe(512 * KiB);
});

test("ObjectPace has a backlog of any size worked off a share per event", async () => {
  const { platform, pace, wakes, step } = fixture();
  const perEvent: number[] = [];
  for (let event = 0; event < 4; event++) {
    pace.renew();
    let steps = 0;
    for (;;) {
      let isFree = false;
      const turn = pace.turn(never).then(() => {
        isFree = true;
      });
      await platform.settle();
      if (!isFree) {
        // The next event lets it go on.
        expect(pace.renew()).toBe(true);
        await turn;
        break;
      }
      steps += 1;
      await step(pace.sliceBytes, event < 2 ? 300 : 0);
    }
    perEvent.push(steps);
  }
  // Five seconds, or so many steps where they seem to take none.
  expect(perEvent).toEqual([17, 17, 64, 64]);
  expect(wakes).toHaveLength(4);
  expect(pace.renew()).toBe(false);
});

test("ObjectPace has a publish of any size worked off a share per event", async () => {
  const { platform, pace, wakes } = fixture();
  let pieces = 0;
  let isDone = false;
  const work = async () => {
    for (; pieces < 40; pieces++) {
      platform.stall(300);
      await pace.take(pace.pieceRecords);
    }
  };
  const step = pace.step(work, 4_096 * KiB).then(() => {
    isDone = true;
  });
  const perEvent: number[] = [];
  for (let before = 0; !isDone; before = pieces) {
    await platform.settle();
    perEvent.push(pieces - before);
    expect(pace.renew()).toBe(!isDone);
  }
  await step;
  // It waits within the 17th, which has used the share up, and again 17 later.
  expect(perEvent).toEqual([16, 17, 7]);
  expect(wakes).toHaveLength(2);
});

test("ObjectPace lets a query end that waits for its turn", async () => {
  const { pace, step } = fixture();
  await step(1_000, 6_000);
  const stop = new AbortController();
  const turn = pace.turn(stop.signal);
  stop.abort();
  await turn;
});

test("ObjectPace leaves long waits to the alarm, where all who publish ring", () => {
  const { platform, pace, wakes } = fixture();
  expect(pace.rest(9_000)).toBe(9_000);
  expect(pace.rest(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  expect(wakes).toEqual([]);
  expect(pace.rest(11_000)).toBe(Number.POSITIVE_INFINITY);
  expect(wakes).toEqual([platform.clock.now() + 11_000]);
  const restless = fixture({ mayRest: false });
  expect(restless.pace.rest(Number.POSITIVE_INFINITY)).toBe(1_000);
});

test("ObjectPace has pauses in a publish come after a tenth of a second", async () => {
  const { platform, pace } = fixture();
  const piece = async (records: number, tookMs: number) => {
    platform.stall(tookMs);
    const taken = pace.take(records);
    await platform.advance(0);
    await taken;
  };
  const first = pace.pieceRecords;
  await piece(first, 10);
  expect(pace.pieceRecords).toBe(2 * first);
  await piece(2 * first, 400);
  expect(pace.pieceRecords).toBe(first / 2);
  const last = piece(first / 2, 60_000);
  await platform.settle();
  expect(pace.renew()).toBe(true);
  await last;
  expect(pace.pieceRecords).toBe(100);
});

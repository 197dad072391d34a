import { describe, expect, test } from "bun:test";
import {
  activity,
  activityOf,
  EventTime,
  type EventTimeInput,
  endOfTime,
  noTime,
} from "../../../../src/sql/time/event-time.ts";
import { Dice } from "../../../sim/dice.ts";

const defaults: EventTimeInput = { delayMs: 1_000, idleTimeoutMs: 5_000, quietTimeoutMs: 60_000 };

interface Run {
  readonly input?: number;
  readonly partition: number;
  readonly greatest: number;
}

function eventTime(partitions: readonly number[], input: Partial<EventTimeInput> = {}): EventTime {
  const time = new EventTime([{ ...defaults, ...input }]);
  for (const partition of partitions) time.addPartition({ input: 0, partition });
  return time;
}

function tick(time: EventTime, at: number, lastWindowEnd: number): void {
  while (time.pass(at, lastWindowEnd));
}

/** One publish; the bounds of its runs. */
function publish(time: EventTime, at: number, runs: readonly Run[]): number[] {
  const touched = runs.map(({ input = 0, partition }) => ({ input, partition }));
  tick(time, at, noTime);
  time.begin(at, touched);
  const bounds = touched.map((partition) => time.boundFor(partition));
  for (const [index, { greatest }] of runs.entries()) {
    time.observe(touched[index] as { input: number; partition: number }, greatest);
  }
  time.end();
  return bounds;
}

describe("EventTime", () => {
  test("has no watermark before every awaited partition had rows", () => {
    const time = eventTime([0, 1]);
    publish(time, 100, [{ partition: 0, greatest: 10_000 }]);
    expect(time.watermarkOf(0)).toBe(noTime);
    publish(time, 200, [{ partition: 1, greatest: 4_000 }]);
    expect(time.watermarkOf(0)).toBe(3_000);
  });

  test("never moves a watermark back", () => {
    const time = eventTime([0]);
    publish(time, 100, [{ partition: 0, greatest: 10_000 }]);
    publish(time, 200, [{ partition: 0, greatest: 2_000 }]);
    expect(time.watermarkOf(0)).toBe(9_000);
  });

  test("lets a partition without publishes go idle, and only at a publish or a tick", () => {
    const time = eventTime([0, 1]);
    publish(time, 0, [{ partition: 0, greatest: 10_000 }]);
    publish(time, 4_999, [{ partition: 0, greatest: 11_000 }]);
    expect(time.watermarkOf(0)).toBe(noTime);
    publish(time, 5_000, [{ partition: 0, greatest: 12_000 }]);
    expect(time.watermarkOf(0)).toBe(11_000);
  });

  test("awaits a partition again from its next publish", () => {
    const time = eventTime([0, 1]);
    publish(time, 0, [{ partition: 0, greatest: 10_000 }]);
    publish(time, 3_000, [{ partition: 0, greatest: 10_500 }]);
    publish(time, 6_000, [{ partition: 0, greatest: 11_000 }]);
    expect(time.watermarkOf(0)).toBe(10_000);
    publish(time, 6_100, [{ partition: 1, greatest: 10_500 }]);
    publish(time, 6_200, [{ partition: 0, greatest: 20_000 }]);
    expect(time.watermarkOf(0)).toBe(10_000);
    publish(time, 6_300, [{ partition: 1, greatest: 13_000 }]);
    expect(time.watermarkOf(0)).toBe(12_000);
  });

  test("counts a partition's silence from its own last publish", () => {
    const time = eventTime([0, 1]);
    publish(time, 0, [{ partition: 1, greatest: 2_000 }]);
    publish(time, 3_000, [{ partition: 1, greatest: 2_100 }]);
    publish(time, 7_000, [{ partition: 0, greatest: 9_000 }]);
    expect(time.watermarkOf(0)).toBe(1_100);
    publish(time, 8_000, [{ partition: 0, greatest: 9_500 }]);
    expect(time.watermarkOf(0)).toBe(8_500);
  });

  test("makes every partition awaited again when a publish ends a spell of silence", () => {
    const time = eventTime([0, 1]);
    publish(time, 0, [
      { partition: 0, greatest: 1_000 },
      { partition: 1, greatest: 1_000 },
    ]);
    // A gap by itself idles nobody for good: both are awaited again from here.
    publish(time, 60_000, [{ partition: 0, greatest: 50_000 }]);
    expect(time.watermarkOf(0)).toBe(0);
    publish(time, 64_999, [{ partition: 0, greatest: 51_000 }]);
    expect(time.watermarkOf(0)).toBe(0);
    publish(time, 65_000, [{ partition: 0, greatest: 52_000 }]);
    expect(time.watermarkOf(0)).toBe(51_000);
  });

  test("moves to the greatest of its partitions when all have gone idle", () => {
    const time = eventTime([0, 1, 2]);
    publish(time, 0, [
      { partition: 0, greatest: 10_000 },
      { partition: 2, greatest: 8_000 },
    ]);
    expect(time.watermarkOf(0)).toBe(noTime);
    tick(time, 5_000, noTime);
    expect(time.watermarkOf(0)).toBe(9_000);
  });

  test("has a moved watermark before the rows of a publish that ends a silence", () => {
    const time = eventTime([0, 1]);
    publish(time, 0, [
      { partition: 0, greatest: 10_000 },
      { partition: 1, greatest: 4_000 },
    ]);
    expect(time.watermarkOf(0)).toBe(3_000);
    expect(time.pass(4_999, noTime)).toBe(false);
    expect(time.pass(5_000, noTime)).toBe(true);
    expect(time.watermarkOf(0)).toBe(9_000);
    expect(time.pass(5_000, noTime)).toBe(false);
  });

  test("does not wait for a partition that was added in a silence", () => {
    const time = eventTime([0]);
    publish(time, 0, [{ partition: 0, greatest: 10_000 }]);
    time.addPartition({ input: 0, partition: 1 });
    tick(time, 5_000, noTime);
    expect(time.activityOf(0)).toBe(activity.idle);
    publish(time, 6_000, [{ partition: 0, greatest: 20_000 }]);
    expect(time.activityOf(0)).toBe(activity.awaited);
    expect(time.watermarkOf(0)).toBe(9_000);
  });

  test("comes to the same whatever ticks show of it, and when", () => {
    const dice = new Dice(76);
    for (let run = 0; run < 200; run++) {
      const started = () => {
        const time = new EventTime([defaults, { ...defaults, idleTimeoutMs: 3_000 }]);
        for (let partition = 0; partition < 3; partition++) {
          for (const input of [0, 1]) time.addPartition({ input, partition });
        }
        return time;
      };
      const [without, exact, late] = [started(), started(), started()];
      let at = 1_000_000;
      const lastWindowEnd = at + 200_000;
      const next = () => {
        for (const [time, delay] of [[exact, 0] as const, [late, dice.below(4_000)] as const]) {
          for (;;) {
            const due = time.nextTickAt(lastWindowEnd);
            if (due === undefined || due + delay > at) break;
            tick(time, due + delay, lastWindowEnd);
          }
        }
        for (const time of [without, exact, late]) tick(time, at, lastWindowEnd);
      };
      for (let count = 0; count < 12; count++) {
        at += dice.pick([10, 900, 2_500, 4_000, 70_000]);
        next();
        const partition = dice.below(3);
        const where = { input: dice.below(2), partition, greatest: at - dice.below(20_000) };
        const bounds = publish(without, at, [where]);
        for (const other of [exact, late]) {
          expect(publish(other, at, [where])).toEqual(bounds);
          expect(other.save()).toEqual(without.save());
        }
      }
      at += 100_000;
      next();
      expect(exact.save()).toEqual(without.save());
      expect(late.save()).toEqual(without.save());
    }
  });

  test("awaits for ever where the idle timeout is 0", () => {
    const time = eventTime([0, 1], { idleTimeoutMs: 0 });
    publish(time, 0, [{ partition: 0, greatest: 10_000 }]);
    publish(time, 10_000_000, [{ partition: 0, greatest: 20_000 }]);
    expect(time.watermarkOf(0)).toBe(noTime);
    expect(time.nextTickAt(noTime)).toBeUndefined();
  });

  test("awaits an added partition from the first publish after it exists", () => {
    const time = eventTime([0]);
    publish(time, 0, [{ partition: 0, greatest: 10_000 }]);
    time.addPartition({ input: 0, partition: 1 });
    publish(time, 4_000, [{ partition: 0, greatest: 11_000 }]);
    publish(time, 8_999, [{ partition: 0, greatest: 12_000 }]);
    expect(time.watermarkOf(0)).toBe(9_000);
    publish(time, 9_000, [{ partition: 0, greatest: 13_000 }]);
    expect(time.watermarkOf(0)).toBe(12_000);
  });

  test("bounds a row by the other partitions as they were before its publish", () => {
    const time = eventTime([0, 1]);
    expect(
      publish(time, 0, [
        { partition: 0, greatest: 10_000 },
        { partition: 1, greatest: 90_000 },
      ]),
    ).toEqual([noTime, noTime]);
    expect(
      publish(time, 100, [
        { partition: 0, greatest: 20_000 },
        { partition: 1, greatest: 95_000 },
      ]),
    ).toEqual([89_000, 9_000]);
  });

  test("leaves idle partitions out of the bound", () => {
    const time = eventTime([0, 1]);
    publish(time, 0, [
      { partition: 0, greatest: 10_000 },
      { partition: 1, greatest: 10_000 },
    ]);
    publish(time, 3_000, [{ partition: 0, greatest: 20_000 }]);
    expect(publish(time, 6_000, [{ partition: 0, greatest: 21_000 }])).toEqual([endOfTime]);
  });

  test("keeps a watermark for each input", () => {
    const time = new EventTime([defaults, defaults]);
    time.addPartition({ input: 0, partition: 0 });
    time.addPartition({ input: 1, partition: 0 });
    publish(time, 0, [{ input: 1, partition: 0, greatest: 5_000 }]);
    publish(time, 10, [{ input: 0, partition: 0, greatest: 9_000 }]);
    expect(time.watermarkOf(0)).toBe(8_000);
    expect(time.watermarkOf(1)).toBe(4_000);
  });

  test("moves on with ticks after a quiet minute near the clock", () => {
    const time = eventTime([0]);
    publish(time, 1_000_000, [{ partition: 0, greatest: 999_000 }]);
    tick(time, 1_005_000, 1_010_000);
    expect(time.watermarkOf(0)).toBe(998_000);
    tick(time, 1_064_999, 1_010_000);
    expect(time.watermarkOf(0)).toBe(998_000);
    tick(time, 1_065_000, 1_010_000);
    expect(time.watermarkOf(0)).toBe(1_010_000);
  });

  test("moves on no further than time has passed", () => {
    const time = eventTime([0]);
    publish(time, 1_000_000, [{ partition: 0, greatest: 999_000 }]);
    tick(time, 1_005_000, 9_999_999);
    tick(time, 1_065_000, 9_999_999);
    expect(time.watermarkOf(0)).toBe(1_063_000);
  });

  test("never moves a replay of old records on by itself", () => {
    const time = eventTime([0]);
    publish(time, 1_000_000, [{ partition: 0, greatest: 10_000 }]);
    tick(time, 1_005_000, 20_000);
    tick(time, 9_000_000, 20_000);
    expect(time.watermarkOf(0)).toBe(9_000);
    expect(time.nextTickAt(20_000)).toBeUndefined();
  });

  test("wants a tick when a partition would go idle, then when a window would close", () => {
    const time = eventTime([0, 1]);
    expect(time.nextTickAt(noTime)).toBeUndefined();
    publish(time, 1_000_000, [{ partition: 0, greatest: 999_000 }]);
    publish(time, 1_002_000, [{ partition: 1, greatest: 999_500 }]);
    expect(time.nextTickAt(1_010_000)).toBe(1_005_000);
    tick(time, 1_005_000, 1_010_000);
    expect(time.nextTickAt(1_010_000)).toBe(1_007_000);
    tick(time, 1_007_000, 1_010_000);
    // Silence for a minute comes before the moment at which the window's end would be reached.
    expect(time.nextTickAt(1_010_000)).toBe(1_067_000);
    expect(time.nextTickAt(1_200_000)).toBe(1_203_500);
    expect(time.nextTickAt(noTime)).toBeUndefined();
  });

  test("names the partition that holds the watermark back", () => {
    const time = eventTime([0, 1, 2]);
    publish(time, 0, [
      { partition: 0, greatest: 3_000 },
      { partition: 1, greatest: 1_000 },
      { partition: 2, greatest: 2_000 },
    ]);
    expect(time.holderOf(0)).toBe(1);
  });

  test("ends a bounded read with every watermark past everything", () => {
    const time = eventTime([0, 1]);
    time.finish();
    expect(time.watermarkOf(0)).toBe(endOfTime);
  });

  test("goes on from what it saved as if it had not stopped", () => {
    const runs: (readonly [number, readonly Run[]])[] = [
      [0, [{ partition: 0, greatest: 4_000 }]],
      [2_000, [{ partition: 1, greatest: 7_000 }]],
      [9_000, [{ partition: 0, greatest: 8_000 }]],
      [20_000, [{ partition: 1, greatest: 9_000 }]],
      [21_000, [{ partition: 0, greatest: 30_000 }]],
      [26_000, [{ partition: 0, greatest: 31_000 }]],
    ];
    const unbroken = eventTime([0, 1]);
    let stopped = eventTime([0, 1]);
    for (const [at, publishRuns] of runs) {
      const bounds = publish(unbroken, at, publishRuns);
      const revived = new EventTime([defaults]);
      revived.restore(JSON.parse(JSON.stringify(stopped.save())));
      stopped = revived;
      expect(publish(stopped, at, publishRuns)).toEqual(bounds);
      expect(stopped.save()).toEqual(unbroken.save());
    }
  });
});

describe("EventTime of several inputs", () => {
  const twoInputs = () => {
    const time = new EventTime([defaults, defaults]);
    time.addPartition({ input: 0, partition: 0 });
    time.addPartition({ input: 1, partition: 0 });
    return time;
  };

  test("says of an input whether it is waited for", () => {
    const time = twoInputs();
    expect(time.activityOf(1)).toBe(activity.awaited);
    publish(time, 0, [{ input: 0, partition: 0, greatest: 9_000 }]);
    publish(time, 4_999, [{ input: 0, partition: 0, greatest: 9_500 }]);
    expect(time.activityOf(1)).toBe(activity.awaited);
    publish(time, 5_000, [{ input: 0, partition: 0, greatest: 9_600 }]);
    expect([0, 1].map((input) => time.activityOf(input))).toEqual([
      activity.awaited,
      activity.idle,
    ]);
    tick(time, 10_000, noTime);
    expect([0, 1].map((input) => time.activityOf(input))).toEqual([activity.idle, activity.idle]);
  });

  test("reads what earlier programs stored of activity", () => {
    expect([0, 1, 2, 3].map(activityOf)).toEqual([
      activity.idle,
      activity.idle,
      activity.awaited,
      activity.awaited,
    ]);
  });

  test("holds nobody back where a read ends", () => {
    const time = twoInputs();
    publish(time, 0, [{ input: 0, partition: 0, greatest: 9_000 }]);
    publish(time, 6_000, [{ input: 0, partition: 0, greatest: 9_500 }]);
    time.finish();
    expect([0, 1].map((input) => time.activityOf(input))).toEqual([
      activity.awaited,
      activity.awaited,
    ]);
  });

  test("takes the time of a query's output from its commits alone", () => {
    const time = new EventTime([defaults, { ...defaults, isCommitted: true }]);
    time.addPartition({ input: 0, partition: 0 });
    time.addPartition({ input: 1, partition: 0 });
    const bounds = publish(time, 0, [
      { input: 0, partition: 0, greatest: 9_000 },
      { input: 1, partition: 0, greatest: 50_000 },
    ]);
    expect(bounds).toEqual([endOfTime, noTime]);
    expect(time.watermarkOf(1)).toBe(noTime);
    time.commit(1, { watermark: 30_000, activity: activity.awaited });
    tick(time, 100_000, noTime);
    expect(time.watermarkOf(1)).toBe(30_000);
    expect(time.activityOf(1)).toBe(activity.awaited);
    time.commit(1, { watermark: 20_000, activity: activity.idle });
    expect(time.watermarkOf(1)).toBe(30_000);
    expect(time.activityOf(1)).toBe(activity.idle);
    const [bound] = publish(time, 100_001, [{ input: 1, partition: 0, greatest: 1_000 }]);
    expect(bound).toBe(30_000);
    const revived = new EventTime([defaults, { ...defaults, isCommitted: true }]);
    revived.restore(JSON.parse(JSON.stringify(time.save())));
    expect(revived.activityOf(1)).toBe(activity.idle);
    expect(revived.save()).toEqual(time.save());
  });

  test("never wants a tick for the output of a query", () => {
    const time = new EventTime([{ ...defaults, isCommitted: true }]);
    time.addPartition({ input: 0, partition: 0 });
    publish(time, 1_000_000, [{ partition: 0, greatest: 999_000 }]);
    expect(time.nextTickAt(1_010_000)).toBeUndefined();
    tick(time, 2_000_000, 1_010_000);
    expect(time.watermarkOf(0)).toBe(noTime);
  });
});

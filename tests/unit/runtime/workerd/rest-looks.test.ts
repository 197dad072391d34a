import { describe, expect, test } from "bun:test";
import { lookMsOf, RestLooks } from "../../../../src/runtime/workerd/rest-looks.ts";

const metadata = { metadataUrl: "http://log.example", metadataToken: undefined };

/** An object whose alarm is a number, and a log that moves when the test says so. */
function looksEvery(lookMs: number | undefined) {
  const made = { now: 1_000, alarms: [] as number[], isBehind: false, heard: 0, woken: 0 };
  const looks = new RestLooks({
    lookMs,
    wakeAt: (time) => void made.alarms.push(time - made.now),
    now: () => made.now,
    hear: async () => {
      made.heard += 1;
    },
    isBehind: () => made.isBehind,
    wake: () => {
      made.woken += 1;
    },
  });
  return { looks, made };
}

describe("lookMsOf", () => {
  test("is often where peers cannot call, seldom where all call, never where nobody else is", () => {
    const alone = { ...metadata, hasPeers: false, shardsMax: 1 };
    expect(lookMsOf(alone)).toBeUndefined();
    expect(lookMsOf({ ...alone, shardsMax: 4 })).toBe(60_000);
    expect(lookMsOf({ ...alone, shardsMax: 4, hasPeers: true })).toBe(5_000);
  });
});

describe("RestLooks", () => {
  test("has the object woken when a socket rests, and not where nobody else is", () => {
    const { looks, made } = looksEvery(60_000);
    looks.arm();
    expect(made.alarms).toEqual([60_000]);
    const alone = looksEvery(undefined);
    alone.looks.arm();
    expect(alone.made.alarms).toEqual([]);
  });

  test("wakes sockets only for news", async () => {
    const { looks, made } = looksEvery(60_000);
    await looks.look();
    expect(made).toMatchObject({ heard: 1, woken: 0 });
    made.isBehind = true;
    await looks.look();
    expect(made).toMatchObject({ heard: 2, woken: 1, alarms: [] });
  });

  test("looks more often for a while when peers have published", async () => {
    const { looks, made } = looksEvery(5_000);
    made.isBehind = true;
    await looks.look();
    expect(made.alarms).toEqual([250]);
    made.isBehind = false;
    made.now += 29_000;
    await looks.look();
    expect(made.alarms).toEqual([250, 250]);
    made.now += 2_000;
    await looks.look();
    expect(made.alarms).toEqual([250, 250]);
  });
});

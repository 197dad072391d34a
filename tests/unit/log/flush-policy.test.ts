import { describe, expect, test } from "bun:test";
import {
  type FlushSituation,
  flushCost,
  folderFlushPolicy,
  objectFlushPolicy,
  sealDelayMs,
} from "../../../src/log/flush-policy.ts";
import { TokenBucket } from "../../../src/log/token-bucket.ts";

const MiB = 1024 * 1024;
const calm: FlushSituation = { pendingBytes: 100, dueMs: 250, flights: 0, ceilingWaitMs: 0 };

describe("sealDelayMs", () => {
  test("an idle worker seals at once", () => {
    expect(sealDelayMs(folderFlushPolicy, calm)).toBe(0);
    expect(sealDelayMs(objectFlushPolicy, calm)).toBe(0);
  });

  test("with nothing to write there is nothing to do", () => {
    expect(sealDelayMs(folderFlushPolicy, { ...calm, pendingBytes: 0 })).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  test("while a flush is under way the next one fills, up to a size or an age", () => {
    const busy = { ...calm, flights: 1 };
    expect(sealDelayMs(folderFlushPolicy, busy)).toBe(250);
    expect(sealDelayMs(folderFlushPolicy, { ...busy, pendingBytes: MiB })).toBe(0);
    expect(sealDelayMs(objectFlushPolicy, { ...busy, pendingBytes: MiB })).toBe(250);
    expect(sealDelayMs(folderFlushPolicy, { ...busy, dueMs: -1 })).toBe(0);
  });

  test("the ceiling delays a small segment and not a full one", () => {
    const capped = { ...calm, ceilingWaitMs: 90 };
    expect(sealDelayMs(objectFlushPolicy, capped)).toBe(90);
    expect(sealDelayMs(objectFlushPolicy, { ...capped, pendingBytes: 8 * MiB })).toBe(0);
  });

  test("a flush costs less of the ceiling the fuller it is, nothing from half on", () => {
    const costs = [0, 1, 2, 4, 5, 8].map((size) => flushCost(objectFlushPolicy, size * MiB));
    expect(costs).toEqual([1, 0.75, 0.5, 0, 0, 0]);
  });

  test("flights are bounded, also for full segments", () => {
    const full = { ...calm, pendingBytes: 8 * MiB, flights: objectFlushPolicy.flightsMax };
    expect(sealDelayMs(objectFlushPolicy, full)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("TokenBucket", () => {
  test("a burst goes at once, then the rate holds", () => {
    const bucket = new TokenBucket({ ratePerSecond: 4, burst: 3, now: 0 });
    let now = 0;
    let taken = 0;
    for (; now < 10_000; now += 10) {
      if (bucket.waitMs(now) > 0) continue;
      bucket.take(now);
      taken += 1;
    }
    expect(taken).toBe(3 + 4 * 10 - 1);
  });

  test("what must go leaves a debt that the rest pays", () => {
    const bucket = new TokenBucket({ ratePerSecond: 4, burst: 1, now: 0 });
    bucket.take(0);
    bucket.take(0);
    expect(bucket.waitMs(0)).toBe(500);
    expect(bucket.waitMs(500)).toBe(0);
  });

  test("rate 0 is no ceiling", () => {
    const bucket = new TokenBucket({ ratePerSecond: 0, burst: 1, now: 0 });
    for (let count = 0; count < 100; count++) bucket.take(0);
    expect(bucket.waitMs(0)).toBe(0);
  });
});

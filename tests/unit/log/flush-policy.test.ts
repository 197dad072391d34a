import { describe, expect, test } from "bun:test";
import {
  type FlushPolicy,
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
    expect(sealDelayMs(objectFlushPolicy, { ...busy, pendingBytes: 2 * MiB })).toBe(0);
    expect(sealDelayMs(folderFlushPolicy, { ...busy, dueMs: -1 })).toBe(0);
  });

  test("the more is under way, the fuller must the next one be, where requests cost", () => {
    const sealedFrom = (policy: FlushPolicy, flights: number) =>
      [1, 2, 3, 4, 8].find(
        (size) => sealDelayMs(policy, { ...calm, flights, pendingBytes: size * MiB }) === 0,
      );
    expect([1, 2, 3].map((flights) => sealedFrom(objectFlushPolicy, flights))).toEqual([2, 4, 8]);
    expect([1, 2].map((flights) => sealedFrom(folderFlushPolicy, flights))).toEqual([1, 1]);
  });

  test("the ceiling delays a small segment and not a full one", () => {
    const capped = { ...calm, ceilingWaitMs: 90 };
    expect(sealDelayMs(objectFlushPolicy, capped)).toBe(90);
    expect(sealDelayMs(objectFlushPolicy, { ...capped, pendingBytes: 8 * MiB })).toBe(0);
  });

  test("a flush costs less of the ceiling the fuller it is, nothing from a quarter on", () => {
    const costs = [0, 0.5, 1, 2, 4, 8].map((size) => flushCost(objectFlushPolicy, size * MiB));
    expect(costs).toEqual([1, 0.75, 0.5, 0, 0, 0]);
  });

  test("flights are bounded, also for full segments", () => {
    const full = { ...calm, pendingBytes: 8 * MiB, flights: objectFlushPolicy.flightsMax };
    expect(sealDelayMs(objectFlushPolicy, full)).toBe(Number.POSITIVE_INFINITY);
  });
});

/** A producer with so many requests in flight, on a store that takes so long for each object. */
interface ModelLoad {
  readonly requests: number;
  readonly requestBytes: number;
  readonly putMs: number;
  readonly seconds: number;
}

/** Runs policy and ceiling in steps of a millisecond; 3 ms lie between a receipt and a request. */
function runModel(policy: FlushPolicy, load: ModelLoad) {
  const { flushRateMax: ratePerSecond, flushBurst: burst } = policy;
  const bucket = new TokenBucket({ ratePerSecond, burst, now: 0 });
  const arrivals = Array.from({ length: load.requests }, (_, index) => index * 3);
  const flights: { readonly endsAt: number; readonly requests: number }[] = [];
  let pending = 0;
  let pendingSince = 0;
  let flushes = 0;
  let stored = 0;
  for (let now = 0; now < load.seconds * 1000; now++) {
    for (let first = flights[0]; first && first.endsAt <= now; first = flights[0]) {
      flights.shift();
      stored += first.requests * load.requestBytes;
      for (let count = 0; count < first.requests; count++) {
        arrivals.push(Math.max(now, arrivals.at(-1) ?? 0) + 3);
      }
    }
    for (; (arrivals[0] ?? Number.POSITIVE_INFINITY) <= now; arrivals.shift()) {
      if (pending++ === 0) pendingSince = now;
    }
    const pendingBytes = pending * load.requestBytes;
    const cost = flushCost(policy, pendingBytes);
    const situation = {
      ...{ pendingBytes, flights: flights.length },
      dueMs: pendingSince + policy.flushAgeMs - now,
      ceilingWaitMs: bucket.waitMs(now, cost),
    };
    if (sealDelayMs(policy, situation) > 0) continue;
    bucket.take(now, cost);
    flights.push({ endsAt: now + load.putMs, requests: pending });
    pending = 0;
    flushes += 1;
  }
  return { bytes: stored, flushes };
}

describe("the policy for S3", () => {
  // What Kafka's Java producer has in flight: five requests of three batches of 256 KiB.
  const java = { requests: 5, requestBytes: 3 * 256 * 1024, putMs: 40, seconds: 60 };

  test("the ceiling does not hold a Java producer", () => {
    const unlimited = runModel({ ...objectFlushPolicy, flushRateMax: 0 }, java);
    const limited = runModel(objectFlushPolicy, java);
    expect(limited.bytes).toBeGreaterThan(0.9 * unlimited.bytes);
    const perPut = java.requests * java.requestBytes;
    expect(limited.bytes).toBeGreaterThan(0.75 * perPut * ((java.seconds * 1000) / java.putMs));
  });

  test("requests are at most the ceiling and one per quarter of a segment", () => {
    const { flushRateMax, flushBurst, flushBytes } = objectFlushPolicy;
    for (const requestBytes of [100, 10_000, 300_000, 3 * 256 * 1024]) {
      for (const requests of [1, 5, 20, 100]) {
        const { bytes, flushes } = runModel(objectFlushPolicy, { ...java, requests, requestBytes });
        const free = bytes / (flushBytes / 4);
        expect(flushes).toBeLessThanOrEqual(flushBurst + flushRateMax * java.seconds + free + 4);
      }
    }
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

import { describe, expect, test } from "bun:test";
import { ObjectLoad } from "../../../../src/runtime/workerd/object-load.ts";

function loadAt() {
  const clock = {
    ms: 5_000,
    monotonic: () => clock.ms,
  };
  const limits = { rateMax: 100, bytesPerSecondMax: 1_000_000, waitingBytesMax: 10_000 };
  return { clock, load: new ObjectLoad(limits, clock) };
}

describe("ObjectLoad", () => {
  test("is full at so many requests of the last second, however many come in one call", () => {
    const { clock, load } = loadAt();
    expect(load.percent()).toBe(0);
    load.took(60, 0)();
    load.took(1, 0)();
    expect(load.percent()).toBe(61);
    clock.ms += 1_000;
    expect(load.percent()).toBe(61);
    clock.ms += 500;
    load.took(100, 0)();
    // Half of what the second before had lies within the last one.
    expect(load.percent()).toBe(131);
    clock.ms += 5_000;
    expect(load.percent()).toBe(0);
  });

  test("is full by bytes that come, and by bytes that wait until they are answered", () => {
    const { clock, load } = loadAt();
    load.took(1, 500_000)();
    expect(load.percent()).toBe(50);
    clock.ms += 10_000;
    const over = load.took(1, 20_000);
    expect(load.percent()).toBe(200);
    over();
    over();
    expect(load.percent()).toBe(2);
  });
});

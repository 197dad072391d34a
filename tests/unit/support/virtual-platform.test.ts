import { expect, test } from "bun:test";
import { createVirtualPlatform } from "../../support/virtual-platform.ts";

test("virtual platform fires timers by due time, then in the order of their making", async () => {
  const platform = createVirtualPlatform({ seed: 1 });
  const fired: string[] = [];
  platform.timers.after(20, () => fired.push("c"));
  platform.timers.after(10, () => fired.push("a"));
  platform.timers.after(10, () => fired.push("b"));
  platform.timers.after(15, () => fired.push("cancelled")).cancel();
  await platform.advance(10);
  expect(fired).toEqual(["a", "b"]);
  expect(platform.clock.monotonic()).toBe(10);
  await platform.runUntilIdle();
  expect(fired).toEqual(["a", "b", "c"]);
  expect(platform.clock.monotonic()).toBe(20);
});

test("virtual platform shows a timer its own due time, also one made on the way", async () => {
  const platform = createVirtualPlatform({ seed: 1, startMs: 1_000 });
  const seen: number[] = [];
  platform.timers.after(5, () => {
    seen.push(platform.clock.now());
    platform.timers.after(2, () => seen.push(platform.clock.now()));
  });
  await platform.advance(100);
  expect(seen).toEqual([1_005, 1_007]);
  expect(platform.clock.now()).toBe(1_100);
});

test("virtual platform settles chains of promises between timers", async () => {
  const platform = createVirtualPlatform({ seed: 1 });
  const order: string[] = [];
  const chain = async () => {
    await platform.timers.sleep(10);
    for (let step = 0; step < 50; step++) await null;
    order.push("chain");
  };
  const done = chain();
  platform.timers.after(11, () => order.push("timer"));
  await platform.advance(20);
  await done;
  expect(order).toEqual(["chain", "timer"]);
});

test("virtual platform ends a sleep when its signal aborts and leaves no timer", async () => {
  const platform = createVirtualPlatform({ seed: 1 });
  const abort = new AbortController();
  const slept = platform.timers.sleep(1_000, abort.signal);
  abort.abort();
  await slept;
  expect(platform.timerCount).toBe(0);
  expect(platform.clock.monotonic()).toBe(0);
});

test("virtual platform fires overdue timers late after a stall", async () => {
  const platform = createVirtualPlatform({ seed: 1 });
  let firedAt = -1;
  platform.timers.after(10, () => {
    firedAt = platform.clock.monotonic();
  });
  platform.stall(500);
  await platform.settle();
  expect(firedAt).toBe(500);
});

test("virtual platform draws the same numbers from the same seed", () => {
  const draw = (seed: number) => {
    const { random } = createVirtualPlatform({ seed });
    return [random.uniform(), ...random.bytes(8)];
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test("virtual platform's crc32c gives the check value of RFC 3720", () => {
  const { crc32c } = createVirtualPlatform({ seed: 1 });
  expect(crc32c.of(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
});

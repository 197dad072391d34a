import { describe, expect, test } from "bun:test";
import { AttemptTimeout, withRetries } from "../../../src/store/retry.ts";
import { createVirtualPlatform } from "../../support/virtual-platform.ts";

const policy = { attemptsMax: 4, delayBaseMs: 100, delayMaxMs: 250, attemptTimeoutMs: 1000 };

describe("withRetries", () => {
  test("waits a random part of a ceiling that doubles and is capped", async () => {
    const platform = createVirtualPlatform({ seed: 1 });
    const starts: number[] = [];
    const failing = withRetries({ platform, policy, mayPass: () => true }, async () => {
      starts.push(platform.clock.monotonic());
      throw new Error(`attempt ${starts.length}`);
    });
    const outcome = failing.catch((error: Error) => error.message);
    await platform.runUntilIdle();
    expect(await outcome).toBe("attempt 4");
    expect(starts.length).toBe(4);
    [100, 200, 250].forEach((ceilingMs, index) => {
      const waitMs = (starts[index + 1] ?? 0) - (starts[index] ?? 0);
      expect(waitMs).toBeGreaterThanOrEqual(0);
      expect(waitMs).toBeLessThan(ceilingMs);
    });
  });

  test("does not repeat what cannot pass", async () => {
    const platform = createVirtualPlatform({ seed: 1 });
    let attempts = 0;
    const failing = withRetries({ platform, policy, mayPass: () => false }, async () => {
      attempts += 1;
      throw new Error("no rights");
    });
    await expect(failing).rejects.toThrow("no rights");
    expect(attempts).toBe(1);
  });

  test("aborts an attempt at its time limit, also one that ignores its signal", async () => {
    const platform = createVirtualPlatform({ seed: 1 });
    const signals: AbortSignal[] = [];
    const options = {
      platform,
      policy,
      mayPass: (error: unknown) => error instanceof AttemptTimeout,
    };
    const done = withRetries(options, (signal) => {
      signals.push(signal);
      return signals.length < 3 ? new Promise<string>(() => {}) : Promise.resolve("third");
    });
    await platform.runUntilIdle();
    expect(await done).toBe("third");
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true, false]);
    expect(platform.timerCount).toBe(0);
  });

  test("ends with the caller's reason, also while it waits", async () => {
    const platform = createVirtualPlatform({ seed: 1 });
    const caller = new AbortController();
    const options = { platform, policy, signal: caller.signal, mayPass: () => true };
    const running = withRetries(options, () => new Promise<never>(() => {}));
    caller.abort(new Error("gone home"));
    await expect(running).rejects.toThrow("gone home");
    await expect(withRetries(options, async () => 1)).rejects.toThrow("gone home");
  });
});

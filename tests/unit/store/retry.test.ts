import { describe, expect, test } from "bun:test";
import { hedged } from "../../../src/store/hedge.ts";
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

describe("hedged", () => {
  function make() {
    const platform = createVirtualPlatform({ seed: 1 });
    const asks: { signal: AbortSignal; answer: PromiseWithResolvers<string> }[] = [];
    const caller = new AbortController();
    const options = { timers: platform.timers, afterMs: 50, signal: caller.signal };
    const ask = (signal: AbortSignal) => {
      const answer = Promise.withResolvers<string>();
      asks.push({ signal, answer });
      return answer.promise;
    };
    return { platform, asks, result: hedged(options, ask) };
  }

  test("asks once when the answer is quick", async () => {
    const { platform, asks, result } = make();
    asks[0]?.answer.resolve("quick");
    expect(await result).toBe("quick");
    await platform.runUntilIdle();
    expect(asks.length).toBe(1);
  });

  test("asks again when it is slow, takes the first answer and gives up the other", async () => {
    const { platform, asks, result } = make();
    await platform.advance(60);
    expect(asks.length).toBe(2);
    asks[1]?.answer.resolve("second");
    expect(await result).toBe("second");
    expect(asks[0]?.signal.aborted).toBe(true);
    asks[0]?.answer.reject(new Error("aborted"));
    await platform.settle();
  });

  test("fails at once when the first fails early, with the first failure when both do", async () => {
    const early = make();
    early.asks[0]?.answer.reject(new Error("early"));
    await expect(early.result).rejects.toThrow("early");
    const both = make();
    await both.platform.advance(60);
    const outcome = both.result.catch((error: Error) => error.message);
    both.asks[1]?.answer.reject(new Error("two"));
    both.asks[0]?.answer.reject(new Error("one"));
    expect(await outcome).toBe("one");
  });
});

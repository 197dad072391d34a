import { describe, expect, test } from "bun:test";
import { hedged } from "../../../src/store/hedge.ts";
import { createVirtualPlatform } from "../../support/virtual-platform.ts";

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

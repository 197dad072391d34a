import { expect, test } from "bun:test";
import { abortable } from "../../../src/pipeline/abortable.ts";

/** Gives numbers, then waits until it is told to end; says how it ended. */
async function* numbers(signal: AbortSignal, ends: string[]): AsyncGenerator<number, void> {
  try {
    yield 1;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  } finally {
    ends.push("ended");
  }
}

test("abortable ends an iteration that waits when its reader leaves", async () => {
  const ends: string[] = [];
  const { signal } = new AbortController();
  const iterator = abortable(signal, (either) => numbers(either, ends))[Symbol.asyncIterator]();
  expect(await iterator.next()).toEqual({ done: false, value: 1 });
  const waiting = iterator.next();
  await iterator.return?.();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(ends).toEqual(["ended"]);
});

test("abortable ends an iteration that waits when its signal aborts", async () => {
  const ends: string[] = [];
  const controller = new AbortController();
  const values = abortable(controller.signal, (either) => numbers(either, ends));
  const seen: number[] = [];
  for await (const value of values) {
    seen.push(value);
    controller.abort();
  }
  expect([seen, ends]).toEqual([[1], ["ended"]]);
});

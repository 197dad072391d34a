import { expect, test } from "bun:test";
import { PieceTurns } from "../../../../src/server/http/piece-turns.ts";

test("PieceTurns lets eight pieces be made a turn, in order, and rests when none is wanted", async () => {
  const due: (() => void)[] = [];
  const turns = new PieceTurns({
    after(_delayMs, callback) {
      due.push(callback);
      return { cancel() {} };
    },
    sleep: () => Promise.resolve(),
  });
  const made: number[] = [];
  for (let piece = 0; piece < 20; piece++) void turns.take().then(() => made.push(piece));
  const counts: number[] = [];
  for (;;) {
    await Promise.resolve();
    await Promise.resolve();
    counts.push(made.length);
    const next = due.shift();
    if (next === undefined) break;
    next();
  }
  expect(counts).toEqual([8, 16, 20, 20]);
  expect(made).toEqual(Array.from({ length: 20 }, (_, piece) => piece));
});

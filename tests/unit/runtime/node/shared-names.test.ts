import { describe, expect, test } from "bun:test";
import {
  isSharedBytes,
  SharedNames,
  SharedViews,
} from "../../../../src/runtime/node/shared-names.ts";

function sharedBytes(value: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(3)).fill(value);
}

describe("SharedNames", () => {
  test("sends each memory once, and finds it in later messages", () => {
    const names = new SharedNames();
    const views = new SharedViews();
    const [one, two] = [sharedBytes(1), sharedBytes(2)];
    const first = names.inMessage((placeOf) => [placeOf(one), placeOf(one.subarray(1))]);
    expect(first.news.buffers).toEqual([one.buffer]);
    views.learn(first.news);
    expect(first.made.map((place) => [...views.at(place)])).toEqual([
      [1, 1, 1],
      [1, 1],
    ]);
    const second = names.inMessage((placeOf) => [placeOf(one), placeOf(two)]);
    expect(second.news.buffers).toEqual([two.buffer]);
    views.learn(second.news);
    expect(second.made.map((place) => views.at(place)[0])).toEqual([1, 2]);
  });

  test("starts over when there are many, and keeps none of those before", () => {
    const names = new SharedNames();
    const views = new SharedViews();
    for (let count = 0; count < 200; count++) {
      const bytes = sharedBytes(count);
      const { made, news } = names.inMessage((placeOf) => placeOf(bytes));
      views.learn(news);
      expect(made[0]).toBeLessThan(64);
      expect(views.at(made)[0]).toBe(count);
    }
    expect(() => new SharedViews().at([0, 0, 1])).toThrow("Broken invariant");
  });
});

describe("isSharedBytes", () => {
  test("tells shared memory from other", () => {
    expect(isSharedBytes(sharedBytes(1))).toBe(true);
    expect(isSharedBytes(new Uint8Array(1))).toBe(false);
  });
});

import { describe, expect, test } from "bun:test";
import { ReadHints } from "../../../src/log/read-hints.ts";
import type { Extent } from "../../../src/meta/log-index.ts";

const MiB = 1024 * 1024;
const partition = { topicNumber: 1, partition: 0 };

/** Extents of 1 MiB and ten offsets, with as much of another partition between them. */
const extents = Array.from({ length: 20 }, (_, index) => ({
  key: "segments/o",
  position: index * 2 * MiB,
  length: MiB,
  baseOffset: index * 10,
  lastOffset: index * 10 + 9,
})) as unknown as readonly Extent[];

const from = (offset: number) => extents.slice(Math.floor(offset / 10));
const place = (offset: number) => ({ ...partition, offset, bytesMax: MiB });

describe("ReadHints", () => {
  test("plans what a reader at the beginning of an extent wants now and next", () => {
    const plan = new ReadHints().plan(place(20), from(20));
    expect(plan?.ranges.map(({ position }) => position / MiB)).toEqual([4, 6, 8, 10, 12]);
  });

  test("plans nothing for a reader that came from nowhere into an extent", () => {
    expect(new ReadHints().plan(place(25), from(25))).toBeUndefined();
  });

  test("plans the next stretch when half of the last is used up", () => {
    const hints = new ReadHints();
    hints.plan(place(0), from(0))?.accept();
    const planned: (number[] | undefined)[] = [];
    for (let index = 1; index < 5; index++) {
      const key = "segments/o";
      hints.stoppedAt(place((index - 1) * 10), { offset: index * 10, key, position: 0 });
      const plan = hints.plan(place(index * 10), from(index * 10));
      plan?.accept();
      planned.push(plan?.ranges.map(({ position }) => position / MiB));
    }
    expect(planned).toEqual([undefined, undefined, [10, 12, 14], undefined]);
  });

  test("plans again what could not be taken", () => {
    const hints = new ReadHints();
    const first = hints.plan(place(0), from(0));
    expect(hints.plan(place(0), from(0))?.ranges).toEqual(first?.ranges);
  });

  test("tells where a reader stopped, in that extent only", () => {
    const hints = new ReadHints();
    const [here, there] = extents as readonly [Extent, Extent];
    hints.stoppedAt(place(0), { offset: 5, key: here.key, position: 777 });
    expect(hints.positionIn(here, place(5))).toBe(777);
    expect(hints.positionIn(here, place(6))).toBeUndefined();
    expect(hints.positionIn(there, place(5))).toBeUndefined();
  });
});

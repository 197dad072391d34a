import { expect, test } from "bun:test";
import {
  flattenPublishes,
  unflattenPublishes,
} from "../../../../src/runtime/node/flat-publishes.ts";
import type { TaskPublish } from "../../../../src/sql/engine/query-task.ts";
import { activity } from "../../../../src/sql/time/event-time.ts";

const bytes = (...values: readonly number[]) => Uint8Array.from(values);

const run = { topic: "orders", partition: 3, fromOffset: 2 ** 52 + 1, batches: [] };

const publishes: readonly TaskPublish[] = [
  { publishedAt: 1_700_000_000_123, runs: [], created: [] },
  {
    publishedAt: -5,
    created: [
      { topic: "orders", partition: 0 },
      { topic: "clicks", partition: 7 },
    ],
    committed: [],
    runs: [{ ...run, batches: [bytes(1), bytes(2, 3), bytes()] }],
  },
  {
    publishedAt: 9,
    created: [],
    committed: [
      { topic: "clicks", watermark: Number.NEGATIVE_INFINITY, activity: activity.idle },
      { topic: "sums", watermark: 12, activity: activity.awaited },
    ],
    runs: [
      {
        ...run,
        stored: {
          ...{ key: "objects/1", position: 4096, baseOffset: 8, lastOffset: 9 },
          pieces: [bytes(4, 5), bytes(6)],
        },
      },
      { ...run, topic: "clicks", batches: [bytes(7)] },
      {
        ...run,
        place: { key: "objects/1", position: 8192, length: 77, baseOffset: 10, lastOffset: 12 },
      },
    ],
  },
];

test("publishes become numbers and are themselves again", () => {
  const kept: Uint8Array[] = [];
  const flat = flattenPublishes(publishes, (each) => [kept.push(each) - 1, 1, each.length]);
  expect(flat.texts).toEqual(["orders", "clicks", "sums", "objects/1"]);
  const places: number[] = [];
  const again = unflattenPublishes(structuredClone(flat), ([place, start, end]) => {
    places.push(start, end);
    return kept[place] ?? bytes();
  });
  expect(again).toEqual([...publishes]);
  expect(places).toEqual(kept.flatMap((each) => [1, each.length]));
});

test("numbers that are cut short are refused", () => {
  const { numbers, texts } = flattenPublishes(publishes, (each) => [0, 0, each.length]);
  for (let length = 1; length < numbers.length; length++) {
    const cut = { numbers: numbers.slice(0, length), texts };
    const isWhole = length === 4 || length === 4 + 4 + 4 + 5 + 9;
    const take = () => unflattenPublishes(cut, () => bytes());
    if (isWhole) expect(take).not.toThrow();
    else expect(take).toThrow("a message is whole");
  }
});

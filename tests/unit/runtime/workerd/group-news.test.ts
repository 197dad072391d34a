import { expect, test } from "bun:test";
import { GroupNews } from "../../../../src/runtime/workerd/group-news.ts";
import { createVirtualPlatform } from "../../../support/virtual-platform.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function group() {
  const { log } = createVirtualPlatform({ seed: 1 });
  const clock = { ms: 0, monotonic: () => clock.ms };
  const asked: (readonly number[])[] = [];
  const state = { isAwaited: true, isUp: true, looks: 0 };
  const news = new GroupNews({
    ...{ log, clock, isAwaited: () => state.isAwaited },
    ask: async (topics) => {
      asked.push(topics);
      if (!state.isUp) throw new Error("evicted");
    },
    look: async () => {
      state.looks += 1;
    },
  });
  return { news, clock, asked, state };
}

test("GroupNews asks once for the topics that are awaited, and looks for what came before", async () => {
  const { news, asked, state } = group();
  news.listen(new Set([1, 2]));
  news.listen(new Set([2]));
  await turn();
  expect([asked, state.looks]).toEqual([[[1, 2]], 1]);
  news.listen(new Set([3]));
  await turn();
  expect([asked, state.looks]).toEqual([
    [
      [1, 2],
      [1, 2, 3],
    ],
    2,
  ]);
});

test("GroupNews wants to hear while somebody waits and a while behind it, then asks anew", async () => {
  const { news, clock, asked, state } = group();
  news.listen(new Set([1]));
  clock.ms += 60_000;
  expect(news.heard()).toBe(true);
  state.isAwaited = false;
  clock.ms += 9_999;
  expect(news.heard()).toBe(true);
  clock.ms += 1;
  expect(news.heard()).toBe(false);
  news.listen(new Set([1]));
  expect(asked).toEqual([[1], [1]]);
});

test("GroupNews asks again where the first shard was not to be had", async () => {
  const { news, asked, state } = group();
  state.isUp = false;
  news.listen(new Set([1]));
  await turn();
  expect(state.looks).toBe(0);
  state.isUp = true;
  news.listen(new Set([1]));
  await turn();
  expect([asked, state.looks]).toEqual([[[1], [1]], 1]);
});

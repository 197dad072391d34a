import { expect, test } from "bun:test";
import { ToldQueries } from "../../../../src/runtime/workerd/told-queries.ts";
import { createVirtualPlatform } from "../../../support/virtual-platform.ts";

/** Objects of queries that hear while they are `up`, and what the caller remembers. */
function fixture(told: readonly string[] = []) {
  const platform = createVirtualPlatform({ seed: 1 });
  const calls: string[] = [];
  const state = { isUp: true, kept: told, looks: 0 };
  const queries = new ToldQueries({
    ...platform,
    told,
    keep: async (queryIds) => {
      state.kept = queryIds;
    },
    call: async (queryId) => {
      calls.push(queryId);
      if (!state.isUp) throw new Error("evicted");
    },
    lookAgain: () => {
      state.looks += 1;
    },
  });
  return { platform, calls, state, queries };
}

test("ToldQueries calls those that are new or gone, once, and remembers it", async () => {
  const { platform, calls, state, queries } = fixture(["gone", "there"]);
  expect(queries.note(new Set(["there", "new"]))).toBe(true);
  await platform.advance(10_000);
  expect(calls.toSorted()).toEqual(["gone", "new"]);
  expect([...state.kept].toSorted()).toEqual(["new", "there"]);
  expect(queries.note(new Set(["there", "new"]))).toBe(false);
  await platform.advance(10_000);
  expect([calls.length, state.looks]).toEqual([2, 1]);
});

test("ToldQueries tries again, and with the next look what it could not tell", async () => {
  const { platform, calls, state, queries } = fixture();
  state.isUp = false;
  queries.note(new Set(["one"]));
  await platform.advance(10_000);
  expect([calls.length, state.kept]).toEqual([3, []]);
  state.isUp = true;
  expect(queries.note(new Set(["one"]))).toBe(true);
  await platform.advance(10_000);
  expect([calls.length, state.kept, state.looks]).toEqual([4, ["one"], 2]);
});

test("ToldQueries calls again when things changed while it was calling", async () => {
  const { platform, calls, state, queries } = fixture();
  queries.note(new Set(["one"]));
  queries.note(new Set());
  await platform.advance(10_000);
  expect([calls, state.kept]).toEqual([["one", "one"], []]);
});

test("ToldQueries gives up a call that is never answered, and tries again", async () => {
  const platform = createVirtualPlatform({ seed: 1 });
  let calls = 0;
  const kept: (readonly string[])[] = [];
  const queries = new ToldQueries({
    ...{ ...platform, told: [], lookAgain: () => {} },
    keep: async (queryIds) => void kept.push(queryIds),
    call: async () => {
      calls += 1;
      if (calls === 1) await new Promise<never>(() => {});
    },
  });
  queries.note(new Set(["one"]));
  await platform.advance(70_000);
  expect([calls, kept]).toEqual([2, [["one"]]]);
});

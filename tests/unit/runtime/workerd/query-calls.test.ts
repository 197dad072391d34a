import { describe, expect, test } from "bun:test";
import type { ObjectRole } from "../../../../src/runtime/workerd/object-roles.ts";
import { QueryCalls } from "../../../../src/runtime/workerd/query-calls.ts";
import { createVirtualPlatform } from "../../../support/virtual-platform.ts";

/** An object, and whom it calls: queries' objects by id, the first shard as "shard". */
function fixture(queries: ObjectRole["queries"], told: readonly string[] = []) {
  const platform = createVirtualPlatform({ seed: 1 });
  let calls: string[] = [];
  const object = new QueryCalls({
    ...{ ...platform, queries, told, own: queries === "runs" ? "own" : undefined },
    bindings: {
      LOG: { getByName: () => ({ hear: async () => void calls.push("shard") as undefined }) },
      QUERIES: { getByName: (name) => ({ run: async () => void calls.push(name) }) },
    },
    keep: async () => {},
    lookAgain: () => {},
  });
  const called = async () => {
    await platform.advance(10_000);
    const found = calls.toSorted();
    calls = [];
    return found;
  };
  return { object, called };
}

const reading = (reads: Record<string, readonly number[] | null>) => new Map(Object.entries(reads));

describe("QueryCalls of an object that appends", () => {
  test("calls the queries that read what was published, and no others", async () => {
    const { object, called } = fixture("rings", ["one", "two", "both"]);
    object.noteWanted(reading({ one: [1], two: [2], both: [1, 2] }));
    expect(await called()).toEqual([]);
    object.ring([1]);
    expect(await called()).toEqual(["both", "one"]);
    object.ring([2, 3]);
    expect(await called()).toEqual(["both", "two"]);
    object.ring([3]);
    expect(await called()).toEqual([]);
    object.ringAll();
    expect(await called()).toEqual(["both", "one", "two"]);
  });

  test("calls a query of which it is not known what it reads for all there is", async () => {
    const { object, called } = fixture("rings", ["later", "values"]);
    object.noteWanted(reading({ later: null, values: [] }));
    object.ring([7]);
    expect(await called()).toEqual(["later"]);
  });

  test("calls for what was published before it knew whom to call", async () => {
    const { object, called } = fixture("rings", ["one", "two"]);
    object.ring([1]);
    expect(await called()).toEqual([]);
    object.noteWanted(reading({ one: [1], two: [2] }));
    expect(await called()).toEqual(["one"]);
    object.noteWanted(reading({ one: [1], two: [2] }));
    expect(await called()).toEqual([]);
  });

  test("calls a query that it learns of, whatever was published", async () => {
    const { object, called } = fixture("rings");
    object.noteWanted(reading({}));
    object.ring([1]);
    object.noteWanted(reading({ new: [1] }));
    expect(await called()).toEqual(["new"]);
  });
});

describe("QueryCalls of a query's object", () => {
  test("calls the first shard, and of the others those above it", async () => {
    const { object, called } = fixture("runs");
    object.noteWanted(reading({ own: [1], above: [5], beside: [1] }));
    expect(await called()).toEqual([]);
    object.ring([5, 6]);
    expect(await called()).toEqual(["above", "shard"]);
  });

  test("calls a query that it learns of after it has written what that one reads", async () => {
    const { object, called } = fixture("runs");
    object.noteWanted(reading({ own: [1] }));
    object.ring([5, 6]);
    expect(await called()).toEqual(["shard"]);
    object.noteWanted(reading({ own: [1], above: [5], beside: [1] }));
    expect(await called()).toEqual(["above"]);
    object.noteWanted(reading({ own: [1], above: [5], beside: [1] }));
    expect(await called()).toEqual([]);
  });
});

test("QueryCalls calls nobody where no queries run", async () => {
  const { object, called } = fixture("none");
  object.ring([1]);
  object.ringAll();
  expect(await called()).toEqual([]);
});

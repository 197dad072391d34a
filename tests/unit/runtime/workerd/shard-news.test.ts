import { describe, expect, test } from "bun:test";
import { ShardNews, shardNameOf } from "../../../../src/runtime/workerd/shard-news.ts";
import { createVirtualPlatform } from "../../../support/virtual-platform.ts";

const { log, timers } = createVirtualPlatform({ seed: 1 });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Shards by name, which call each other as objects do; a call may be held up. */
function shards() {
  const clock = { ms: 0, monotonic: () => clock.ms };
  const stored = new Map<string, unknown>();
  const storage = {
    get: async <T>(key: string) => stored.get(key) as T | undefined,
    put: async (key: string, value: unknown) => void stored.set(key, structuredClone(value)),
  };
  const made = new Map<string, ReturnType<typeof make>>();
  /** Groups by id: whether they are awaited, and how often they were told. */
  const groups = new Map<string, { wants: boolean; told: number }>();
  const groupOf = (name: string) => {
    const group = groups.get(name) ?? { wants: true, told: 0 };
    groups.set(name, group);
    return group;
  };
  const groupObjects = {
    getByName: (name: string) => ({
      hear: async () => {
        groupOf(name).told += 1;
        return groupOf(name).wants;
      },
    }),
  };
  const held: { hear: Promise<void> | undefined } = { hear: undefined };
  const others = {
    getByName: (name: string) => ({
      hear: async (from?: string, topics?: readonly number[]) => {
        const shard = shardOf(name);
        shard.told.push(from ?? "");
        const wants = shard.news.heard(from, topics);
        await held.hear;
        return wants;
      },
      listen: (listener: string) => shardOf(name).news.add(listener),
    }),
  };
  const make = (name: string) => {
    const shard = { told: [] as string[], looks: 0, awaited: false };
    const news = new ShardNews({
      ...{ name, shards: others, groups: groupObjects, storage, log, clock, timers },
      isAwaited: () => shard.awaited,
      look: async () => {
        shard.looks += 1;
      },
    });
    return Object.assign(shard, { news });
  };
  const shardOf = (name: string) => {
    const known = made.get(name) ?? make(name);
    made.set(name, known);
    return known;
  };
  return { clock, stored, held, shardOf, groupOf, forget: (name: string) => made.delete(name) };
}

describe("ShardNews", () => {
  test("tells those that want to hear of what any shard publishes, but not who did", async () => {
    const { shardOf } = shards();
    const [first, one, two, three] = ["0", "1", "2", "3"].map(shardOf);
    for (const shard of [one, two]) {
      if (shard !== undefined) shard.awaited = true;
      shard?.news.listen();
    }
    await turn();
    expect([one?.looks, two?.looks, three?.looks]).toEqual([1, 1, 0]);
    one?.news.tell(new Set([1]));
    await turn();
    first?.news.tell(new Set([1]));
    three?.news.tell(new Set([1]));
    await turn();
    expect(first?.told).toEqual(["1", "3"]);
    expect(one?.told.length).toBeGreaterThanOrEqual(1);
    expect(two?.told.length).toBeGreaterThanOrEqual(2);
    expect(three?.told).toEqual([]);
  });

  test("tells who has left no more, after a while, and again when somebody comes", async () => {
    const { clock, shardOf, stored } = shards();
    const [first, one] = [shardOf("0"), shardOf("1")];
    one.news.listen();
    await turn();
    first.news.tell(new Set([1]));
    await turn();
    expect(one.told).toHaveLength(1);
    clock.ms += 10_001;
    first.news.tell(new Set([1]));
    await turn();
    expect(one.told).toHaveLength(2);
    first.news.tell(new Set([1]));
    await turn();
    expect(one.told).toHaveLength(2);
    expect(stored.get("listeners")).toEqual([]);
    one.news.listen();
    await turn();
    expect(one.looks).toBe(2);
    first.news.tell(new Set([1]));
    await turn();
    expect(one.told).toHaveLength(3);
  });

  test("keeps who asks again while it is being told that nobody is there", async () => {
    const { clock, shardOf, held } = shards();
    const [first, one] = [shardOf("0"), shardOf("1")];
    one.news.listen();
    await turn();
    clock.ms += 10_001;
    const answer = Promise.withResolvers<void>();
    held.hear = answer.promise;
    first.news.tell(new Set([1]));
    await turn();
    one.awaited = true;
    one.news.listen();
    await turn();
    held.hear = undefined;
    answer.resolve();
    await turn();
    first.news.tell(new Set([1]));
    await turn();
    expect(one.told).toHaveLength(2);
  });

  test("knows who wants to hear after the first shard was put to sleep", async () => {
    const { shardOf, forget } = shards();
    shardOf("0");
    shardOf("1").news.listen();
    await turn();
    forget("0");
    await shardOf("0").news.open();
    shardOf("0").news.tell(new Set([1]));
    await turn();
    expect(shardOf("1").told).toHaveLength(1);
  });
});

describe("ShardNews of the first shard", () => {
  test("tells groups of the topics that they wait for, whoever publishes", async () => {
    const { shardOf, groupOf } = shards();
    const [first, one] = [shardOf("0"), shardOf("1")];
    await first.news.addGroup("billing", [1]);
    await first.news.addGroup("both", [1]);
    await first.news.addGroup("both", [2]);
    const told = () => ["billing", "both"].map((name) => groupOf(name).told);
    first.news.tell(new Set([1]));
    await turn();
    expect(told()).toEqual([1, 1]);
    one.news.tell(new Set([2]));
    await turn();
    expect(told()).toEqual([1, 2]);
    one.news.tell(new Set([3]));
    await turn();
    expect(told()).toEqual([1, 2]);
    // An older version does not say which topics they were.
    first.news.heard("1");
    await turn();
    expect(told()).toEqual([2, 3]);
  });

  test("tells in one call what is published during another", async () => {
    const { shardOf, groupOf, held } = shards();
    await shardOf("0").news.addGroup("billing", [2]);
    const answer = Promise.withResolvers<void>();
    held.hear = answer.promise;
    for (const topic of [1, 2, 3]) shardOf("1").news.tell(new Set([topic]));
    await turn();
    held.hear = undefined;
    expect(groupOf("billing").told).toBe(0);
    answer.resolve();
    await turn();
    expect([shardOf("0").told.length, groupOf("billing").told]).toEqual([2, 1]);
  });

  test("drops a group that nobody polls, and knows the others after it slept", async () => {
    const { shardOf, groupOf, forget, stored } = shards();
    await shardOf("0").news.addGroup("left", [1]);
    await shardOf("0").news.addGroup("polled", [1, 4]);
    groupOf("left").wants = false;
    shardOf("0").news.tell(new Set([1]));
    await turn();
    expect(stored.get("listeningGroups")).toEqual([["polled", [1, 4]]]);
    forget("0");
    await shardOf("0").news.open();
    shardOf("0").news.tell(new Set([4]));
    await turn();
    expect([groupOf("left").told, groupOf("polled").told]).toEqual([1, 2]);
  });
});

test("shardNameOf finds the shard of an id", () => {
  const objects = { idFromName: (name: string) => ({ toString: () => `id of ${name}` }) };
  expect(shardNameOf(objects, "id of 63")).toBe("63");
  expect(shardNameOf(objects, "id of a group")).toBeUndefined();
});

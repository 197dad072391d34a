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
  const held: { hear: Promise<void> | undefined } = { hear: undefined };
  const others = {
    getByName: (name: string) => ({
      hear: async (from?: string) => {
        const shard = shardOf(name);
        shard.told.push(from ?? "");
        const wants = shard.news.heard(from);
        await held.hear;
        return wants;
      },
      listen: (listener: string) => shardOf(name).news.add(listener),
    }),
  };
  const make = (name: string) => {
    const shard = { told: [] as string[], looks: 0, awaited: false };
    const news = new ShardNews({
      ...{ name, shards: others, storage, log, clock, timers },
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
  return { clock, stored, held, shardOf, forget: (name: string) => made.delete(name) };
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
    one?.news.tell();
    await turn();
    first?.news.tell();
    three?.news.tell();
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
    first.news.tell();
    await turn();
    expect(one.told).toHaveLength(1);
    clock.ms += 10_001;
    first.news.tell();
    await turn();
    expect(one.told).toHaveLength(2);
    first.news.tell();
    await turn();
    expect(one.told).toHaveLength(2);
    expect(stored.get("listeners")).toEqual([]);
    one.news.listen();
    await turn();
    expect(one.looks).toBe(2);
    first.news.tell();
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
    first.news.tell();
    await turn();
    one.awaited = true;
    one.news.listen();
    await turn();
    held.hear = undefined;
    answer.resolve();
    await turn();
    first.news.tell();
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
    shardOf("0").news.tell();
    await turn();
    expect(shardOf("1").told).toHaveLength(1);
  });
});

test("shardNameOf finds the shard of an id", () => {
  const objects = { idFromName: (name: string) => ({ toString: () => `id of ${name}` }) };
  expect(shardNameOf(objects, "id of 63")).toBe("63");
  expect(shardNameOf(objects, "id of a group")).toBeUndefined();
});

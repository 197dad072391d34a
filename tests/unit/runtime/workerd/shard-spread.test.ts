import { describe, expect, test } from "bun:test";
import { type Placed, ShardSpread, shardOf } from "../../../../src/runtime/workerd/shard-spread.ts";

function spreadOf(shardsMax: number, shards = 1) {
  const clock = { ms: 100_000 };
  return { clock, spread: new ShardSpread({ shards, shardsMax }, () => clock.ms) };
}

const till = (name: string) => ({ producer: name, connection: "c", isRated: false });
const plain = { producer: undefined, connection: "192.0.2.1 orders", isRated: false };

/** Says of each object in use that it is so full. */
function say(spread: ShardSpread, percent: number): void {
  for (let shard = spread.count - 1; shard >= 0; shard--) spread.heard(String(shard), percent);
}

function grown(count: number) {
  const made = spreadOf(count);
  while (made.spread.count < count) {
    say(made.spread, 400);
    made.clock.ms += 3_000;
  }
  return made;
}

describe("ShardSpread", () => {
  test("uses one object while that is not full", () => {
    const { clock, spread } = spreadOf(4);
    for (let second = 0; second < 100; second++, clock.ms += 1_000) say(spread, 99);
    expect(spread.count).toBe(1);
    expect(spread.place(till("till-1")).name).toBe("0");
    expect(spread.nameFor("192.0.2.1 orders")).toBe("0");
  });

  test("grows as objects say that they are full, no further than its bound", () => {
    const { clock, spread } = spreadOf(4);
    say(spread, 120);
    expect(spread.count).toBe(2);
    // What they say is of the second before it grew.
    say(spread, 120);
    expect(spread.count).toBe(2);
    clock.ms += 3_000;
    say(spread, 60);
    expect(spread.count).toBe(2);
    spread.heard("0", 130);
    expect(spread.count).toBe(3);
    clock.ms += 3_000;
    say(spread, 500);
    expect(spread.count).toBe(4);
    clock.ms += 3_000;
    say(spread, 500);
    expect(spread.count).toBe(4);
  });

  test("stops growing where one is full and the others idle: more would not help", () => {
    const { clock, spread } = spreadOf(8);
    for (let round = 0; round < 20; round++, clock.ms += 3_000) {
      spread.heard("0", 150);
      for (let shard = 1; shard < spread.count; shard++) spread.heard(String(shard), 0);
    }
    expect(spread.count).toBe(4);
  });

  test("shrinks one by one after calm, and not for a calm moment", () => {
    const { clock, spread } = grown(4);
    for (let second = 0; second < 60; second++, clock.ms += 1_000) {
      // Now and then something comes.
      say(spread, second % 10 === 9 ? 60 : 1);
      spread.nameFor("any");
    }
    expect(spread.count).toBe(4);
    const counts: number[] = [];
    for (let second = 0; second < 70; second++, clock.ms += 1_000) {
      say(spread, 1);
      spread.nameFor("any");
      counts.push(spread.count);
    }
    expect([...new Set(counts)]).toEqual([4, 3, 2, 1]);
    expect(counts.indexOf(3)).toBeGreaterThan(10);
  });

  test("keeps the objects that are needed: between full and calm their number stays", () => {
    const { clock, spread } = grown(2);
    for (let second = 0; second < 200; second++, clock.ms += 1_000) {
      say(spread, 30);
      spread.nameFor("any");
    }
    expect(spread.count).toBe(2);
  });

  test("takes silence for calm", () => {
    const { clock, spread } = grown(4);
    clock.ms += 600_000;
    expect(spread.nameFor("any")).toBe("0");
    expect(spread.count).toBe(1);
  });

  test("never uses fewer than it is told to", () => {
    const { clock, spread } = spreadOf(3, 3);
    const names = new Set(Array.from({ length: 100 }, (_, each) => spread.nameFor(`${each}`)));
    expect([...names].toSorted()).toEqual(["0", "1", "2"]);
    clock.ms += 600_000;
    spread.nameFor("any");
    expect(spread.count).toBe(3);
  });

  test("moves no producer that has something under way", () => {
    const { clock, spread } = spreadOf(8);
    const tills = Array.from({ length: 40 }, (_, index) => till(`till-${index}`));
    const first = tills.map((each) => spread.place(each));
    for (const percent of [300, 300, 300]) {
      say(spread, percent);
      clock.ms += 3_000;
    }
    expect(spread.count).toBe(8);
    const second = tills.map((each) => spread.place(each));
    expect(new Set([...first, ...second].map(({ name }) => name))).toEqual(new Set(["0"]));
    for (const { done } of first) done();
    expect(tills.map((each) => spread.place(each).name).every((name) => name === "0")).toBe(true);
  });

  test("moves a producer with nothing under way once, and where the number leads", () => {
    const { spread } = grown(2);
    const names = (): string[] =>
      Array.from({ length: 40 }, (_, index) => {
        const { name, done } = spread.place(till(`till-${index}`));
        done();
        return name;
      });
    const moved = names();
    expect(new Set(moved)).toEqual(new Set(["0", "1"]));
    for (let round = 0; round < 5; round++) expect(names()).toEqual(moved);
  });

  test("gives an address as many objects as it has requests under way, and one in turn", () => {
    const { spread } = grown(2);
    const inTurn = Array.from({ length: 10 }, () => {
      const { name, done } = spread.place(plain);
      done();
      return name;
    });
    expect(new Set(inTurn).size).toBe(1);
    const atOnce = Array.from({ length: 10 }, () => spread.place(plain));
    const counted = (name: string) => atOnce.filter((each) => each.name === name).length;
    expect([counted("0"), counted("1")]).toEqual([5, 5]);
    const rated: Placed[] = Array.from({ length: 10 }, () =>
      spread.place({ ...plain, connection: "another", isRated: true }),
    );
    expect(new Set(rated.map(({ name }) => name)).size).toBe(1);
  });

  test("has connections that stay take turns", () => {
    const { spread } = grown(2);
    expect([1, 2, 3, 4].map(() => spread.nextName())).toEqual(["0", "1", "0", "1"]);
  });
});

describe("shardOf", () => {
  const hashes = Array.from({ length: 4_000 }, (_, index) => Math.imul(index, 2_654_435_761) >>> 0);

  test("spreads evenly", () => {
    for (const count of [2, 3, 8, 64]) {
      const found = new Map<number, number>();
      for (const hash of hashes) {
        const shard = shardOf(hash, count);
        found.set(shard, (found.get(shard) ?? 0) + 1);
      }
      expect(found.size).toBe(count);
      const fair = hashes.length / count;
      for (const each of found.values()) expect(Math.abs(each - fair)).toBeLessThan(fair / 2);
    }
  });

  test("moves keys to the shard that came, and to no other", () => {
    for (let count = 1; count < 16; count++) {
      for (const hash of hashes.slice(0, 500)) {
        const after = shardOf(hash, count + 1);
        if (after !== shardOf(hash, count)) expect(after).toBe(count);
      }
    }
  });
});

import { describe, expect, test } from "bun:test";
import { PollShares } from "../../../src/group/poll-shares.ts";

const t = (partitionCount: number) => [{ topicId: "t", partitionCount }];
const lease = { leaseMs: 1_000, now: 0 };

function sharesOf(...clients: string[]): PollShares {
  const shares = new PollShares({ isNew: true, now: 0 });
  for (const client of clients) shares.enter(client, lease);
  return shares;
}

const numbers = (partitions: readonly { readonly partition: number }[]) =>
  partitions.map(({ partition }) => partition);

describe("PollShares", () => {
  test("gives a client alone all partitions", () => {
    const shares = sharesOf("a");
    expect(numbers(shares.assign("a", t(3), 0))).toEqual([0, 1, 2]);
    const two = shares.assign("a", [...t(3), { topicId: "u", partitionCount: 1 }], 0);
    expect(two).toHaveLength(4);
  });

  test("takes nothing from an owner, who gives up what is over its share in its own poll", () => {
    const shares = sharesOf("a");
    shares.assign("a", t(5), 0);
    shares.enter("b", lease);
    expect(shares.assign("b", t(5), 0)).toEqual([]);
    expect(numbers(shares.assign("a", t(5), 0))).toEqual([0, 1, 2]);
    expect(numbers(shares.assign("b", t(5), 0))).toEqual([3, 4]);
    expect(numbers(shares.assign("a", t(5), 0))).toEqual([0, 1, 2]);
  });

  test("shares are even, never two owners, whatever the order of polls", () => {
    const clients = ["c", "a", "d", "b"];
    const shares = sharesOf(...clients);
    for (const client of clients) shares.assign(client, t(10), 0);
    const last = clients.map((client) => numbers(shares.assign(client, t(10), 0)));
    const again = clients.map((client) => numbers(shares.assign(client, t(10), 0)));
    expect(again.map(({ length }) => length).sort()).toEqual([2, 2, 3, 3]);
    expect(again.flat().sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(last.flat().length).toBeLessThanOrEqual(10);
  });

  test("frees what a client had whose lease ran out, not while it polls", () => {
    const shares = sharesOf("a", "b");
    shares.assign("a", t(2), 0);
    shares.assign("b", t(2), 0);
    shares.leave("b", { isLast: false, now: 100 });
    expect(numbers(shares.assign("a", t(2), 1_099))).toEqual([0]);
    expect(numbers(shares.assign("a", t(2), 1_100))).toEqual([0, 1]);
    // It polls still, after so long.
    shares.enter("b", { leaseMs: 1_000, now: 9_000 });
    expect(numbers(shares.assign("a", t(2), 9_000))).toEqual([0, 1]);
  });

  test("says when shares change by time alone", () => {
    const shares = sharesOf("a", "b");
    expect(shares.changesAt(0)).toBe(Number.POSITIVE_INFINITY);
    shares.leave("b", { isLast: false, now: 100 });
    shares.leave("a", { isLast: false, now: 50 });
    expect(shares.changesAt(200)).toBe(1_050);
    const anew = new PollShares({ isNew: false, now: 10 });
    const { settledAt, settled } = {
      settledAt: anew.changesAt(20),
      settled: anew.changesAt(5_000),
    };
    expect([settledAt, settled]).toEqual([2_010, Number.POSITIVE_INFINITY]);
  });

  test("frees at once what a client gives up", () => {
    const shares = sharesOf("a", "b");
    shares.assign("a", t(2), 0);
    shares.assign("b", t(2), 0);
    shares.leave("a", { isLast: true, now: 0 });
    expect(numbers(shares.assign("b", t(2), 0))).toEqual([1, 0].sort());
    expect(shares.isIdle(0)).toBe(false);
    shares.leave("b", { isLast: true, now: 0 });
    expect(shares.isIdle(0)).toBe(true);
  });

  test("lets a client claim what nobody has, and what it has, alone", () => {
    const shares = sharesOf("a", "b");
    const partition = { topicId: "t", partition: 0 };
    expect(shares.claim("a", partition)).toBe(true);
    expect(shares.claim("a", partition)).toBe(true);
    expect(shares.claim("b", partition)).toBe(false);
  });

  test("of a new coordinator waits for owners that may still name what they have", () => {
    const shares = new PollShares({ isNew: false, now: 0 });
    shares.enter("new", lease);
    expect(shares.assign("new", t(2), 0)).toEqual([]);
    shares.enter("old", lease);
    expect(shares.claim("old", { topicId: "t", partition: 1 })).toBe(true);
    expect(numbers(shares.assign("old", t(2), 100))).toEqual([1]);
    expect(numbers(shares.assign("new", t(2), 2_000))).toEqual([0]);
  });

  test("wakes others when a client comes, goes, or frees something, once each", () => {
    const shares = sharesOf("a");
    shares.assign("a", t(2), 0);
    let woken = 0;
    const wait = () => shares.onChange("a", () => woken++);
    wait();
    shares.assign("a", t(2), 0);
    expect(woken).toBe(0);
    shares.enter("b", lease);
    shares.assign("b", t(2), 0);
    expect(woken).toBe(1);
    wait();
    shares.leave("b", { isLast: true, now: 0 });
    expect(woken).toBe(2);
    wait()();
    shares.enter("c", lease);
    expect(woken).toBe(2);
  });

  test("refuses a client over the bound", () => {
    const shares = sharesOf(...Array.from({ length: 1_000 }, (_, index) => `client ${index}`));
    expect(() => shares.enter("one more", lease)).toThrow("1000 clients");
    shares.enter("client 7", lease);
  });
});

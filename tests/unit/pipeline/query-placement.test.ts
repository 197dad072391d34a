import { beforeEach, describe, expect, test } from "bun:test";
import type { Cluster } from "../../../src/log/log-types.ts";
import { QueryPlacement } from "../../../src/pipeline/query-placement.ts";

let now = 0;
beforeEach(() => {
  now = 0;
});

const ids = Array.from({ length: 60 }, (_, index) => `view-${index}`);

function cluster(selfNodeId: number, nodeIds: readonly number[]): Cluster {
  const nodes = nodeIds.map((nodeId) => ({ nodeId, kafkaHost: "", kafkaPort: 0, httpUrl: "" }));
  return { clusterId: "c", selfNodeId, nodes };
}

const placement = () => new QueryPlacement({ monotonic: () => now });

describe("QueryPlacement", () => {
  test("gives each query to one worker, and to each its share", () => {
    const shares = [1, 2, 3].map((self) => placement().toTake(ids, cluster(self, [1, 2, 3])));
    expect(shares.flat().sort()).toEqual([...ids].sort());
    for (const { length } of shares) expect(length).toBeGreaterThan(8);
  });

  test("takes them all where it is alone, or nobody is known yet", () => {
    expect(placement().toTake(ids, cluster(1, [1]))).toEqual(ids);
    expect(placement().toTake(ids, cluster(1, []))).toEqual(ids);
  });

  test("takes what prefers another once that one has let it wait", () => {
    const one = placement();
    const both = cluster(1, [1, 2]);
    const first = one.toTake(ids, both);
    const left = ids.filter((id) => !first.includes(id));
    now = 2_999;
    expect(one.toTake(left, both)).toEqual([]);
    now = 3_000;
    expect(one.toTake(left, both)).toEqual(left);
  });

  test("counts from anew for a query that was taken and is free again", () => {
    const one = placement();
    const both = cluster(1, [1, 2]);
    const left = ids.filter((id) => !one.toTake([id], both).includes(id));
    one.toTake(left, both);
    now = 2_000;
    one.toTake([], both);
    now = 4_000;
    expect(one.toTake(left, both)).toEqual([]);
  });

  test("hands over, one at a time, what prefers a worker that came and stayed", () => {
    const one = placement();
    const both = cluster(1, [1, 2]);
    const moving = ids.filter((id) => !placement().toTake([id], both).includes(id));
    expect(one.toHandOver(ids, cluster(1, [1]))).toBeUndefined();
    expect(one.toHandOver(ids, both)).toBeUndefined();
    now = 9_999;
    expect(one.toHandOver(ids, both)).toBeUndefined();
    now = 10_000;
    const given: string[] = [];
    for (let own = [...ids]; ; own = own.filter((id) => !given.includes(id))) {
      const id = one.toHandOver(own, both);
      if (id === undefined) break;
      given.push(id);
    }
    expect(given).toEqual(moving);
  });

  test("gives a worker that did not take a query no other chance before it leaves", () => {
    const one = placement();
    const both = cluster(1, [1, 2]);
    const [id = ""] = ids.filter((each) => !placement().toTake([each], both).includes(each));
    const handsOver = () => {
      one.toHandOver([id], both);
      now += 10_000;
      return one.toHandOver([id], both);
    };
    expect(handsOver()).toBe(id);
    expect(handsOver()).toBeUndefined();
    one.toHandOver([id], cluster(1, [1]));
    expect(handsOver()).toBe(id);
  });
});

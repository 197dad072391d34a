import { describe, expect, test } from "bun:test";
import { firstShard, objectPlaceOf } from "../../../../src/runtime/workerd/object-names.ts";

const placeOf = (path: string, shards = 1, headers: Record<string, string> = {}) =>
  objectPlaceOf({ headers: new Headers(headers) }, path, shards);

describe("objectPlaceOf", () => {
  test("takes the first shard for everything while there is one", () => {
    for (const path of ["/v1/topics", "/v1/topics/orders/records", "/metrics", "/v1/groups"]) {
      expect(placeOf(path)).toEqual({ kind: "log", name: firstShard });
    }
  });

  test("gives each group an object, however its id is spelled", () => {
    expect(placeOf("/v1/groups/a%20b/offsets")).toEqual({ kind: "group", name: "a b" });
    expect(placeOf("/v1/groups/%61%20b")).toEqual({ kind: "group", name: "a b" });
    expect(placeOf("/v1/groups/50%", 4)).toEqual({ kind: "group", name: "50%" });
  });

  test("keeps a producer to one shard whatever its address, and spreads producers", () => {
    const path = "/v1/topics/orders/records";
    const names = Array.from({ length: 200 }, (_, index) => {
      const producer = { "Producer-Id": `till-${index}` };
      const here = placeOf(path, 8, { ...producer, "CF-Connecting-IP": "192.0.2.1" });
      const there = placeOf(path, 8, { ...producer, "CF-Connecting-IP": "192.0.2.2" });
      expect(here).toEqual(there);
      return here.name;
    });
    const shards = Array.from({ length: 8 }, (_, shard) => String(shard));
    expect([...new Set(names)].toSorted()).toEqual(shards);
  });

  test("sends what is said of queries to the first shard", () => {
    const header = { "CF-Connecting-IP": "192.0.2.1" };
    for (const path of ["/v1/sql", "/v1/queries", "/v1/queries/q-1/pause"]) {
      expect(placeOf(path, 8, header)).toEqual({ kind: "log", name: firstShard });
    }
  });

  test("keeps an address to one shard per topic", () => {
    const address = { "CF-Connecting-IP": "192.0.2.1" };
    const write = placeOf("/v1/topics/orders/records", 8, address);
    expect(placeOf("/v1/topics/orders/partitions/0/records", 8, address)).toEqual(write);
  });
});

import { describe, expect, test } from "bun:test";
import { firstShard, objectNameOf } from "../../../../src/runtime/workerd/object-names.ts";

const nameOf = (path: string, shards = 1, headers: Record<string, string> = {}) =>
  objectNameOf(new Request(`https://log.example${path}`, { headers }), shards);

describe("objectNameOf", () => {
  test("takes the first shard for everything while there is one", () => {
    for (const path of ["/v1/topics", "/v1/topics/orders/records", "/metrics", "/v1/groups"]) {
      expect(nameOf(path)).toBe(firstShard);
    }
  });

  test("gives each group an object, however its id is spelled", () => {
    expect(nameOf("/v1/groups/a%20b/offsets")).toBe("group/a b");
    expect(nameOf("/v1/groups/%61%20b")).toBe("group/a b");
    expect(nameOf("/v1/groups/50%", 4)).toBe("group/50%");
  });

  test("keeps a producer to one shard whatever its address, and spreads producers", () => {
    const path = "/v1/topics/orders/records";
    const names = Array.from({ length: 200 }, (_, index) => {
      const producer = { "Producer-Id": `till-${index}` };
      const here = nameOf(path, 8, { ...producer, "CF-Connecting-IP": "192.0.2.1" });
      const there = nameOf(path, 8, { ...producer, "CF-Connecting-IP": "192.0.2.2" });
      expect(here).toBe(there);
      return here;
    });
    const shards = Array.from({ length: 8 }, (_, shard) => `log/${shard}`);
    expect([...new Set(names)].toSorted()).toEqual(shards);
  });

  test("keeps an address to one shard per topic", () => {
    const address = { "CF-Connecting-IP": "192.0.2.1" };
    const write = nameOf("/v1/topics/orders/records", 8, address);
    expect(nameOf("/v1/topics/orders/partitions/0/records", 8, address)).toBe(write);
  });
});

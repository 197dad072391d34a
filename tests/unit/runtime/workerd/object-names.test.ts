import { describe, expect, test } from "bun:test";
import { firstShard, objectPlaceOf } from "../../../../src/runtime/workerd/object-names.ts";

const placeOf = (path: string, headers: Record<string, string> = {}) =>
  objectPlaceOf({ headers: new Headers(headers) }, path);

describe("objectPlaceOf", () => {
  test("gives each group an object, however its id is spelled", () => {
    expect(placeOf("/v1/groups/a%20b/offsets")).toEqual({ kind: "group", name: "a b" });
    expect(placeOf("/v1/groups/%61%20b")).toEqual({ kind: "group", name: "a b" });
    expect(placeOf("/v1/groups/50%")).toEqual({ kind: "group", name: "50%" });
  });

  test("sends what is said of queries to the first shard", () => {
    const header = { "CF-Connecting-IP": "192.0.2.1" };
    for (const path of ["/v1/sql", "/v1/queries", "/v1/queries/q-1/pause"]) {
      expect(placeOf(path, header)).toEqual({ kind: "log", name: firstShard });
    }
  });

  test("takes an address and a topic for one connection", () => {
    const address = { "CF-Connecting-IP": "192.0.2.1" };
    const write = placeOf("/v1/topics/orders/records", address);
    expect(placeOf("/v1/topics/orders/partitions/0/records", address)).toEqual(write);
    expect(placeOf("/v1/topics/clicks/records", address)).not.toEqual(write);
    const other = { "CF-Connecting-IP": "192.0.2.2" };
    expect(placeOf("/v1/topics/orders/records", other)).not.toEqual(write);
  });
});

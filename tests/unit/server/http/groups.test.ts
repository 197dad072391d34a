import { describe, expect, test } from "bun:test";
import { assignedTopics } from "../../../../src/server/http/consumer-assignment.ts";
import { createHttpFixture } from "../../../support/http-fixture.ts";

async function fixtureWithRecords() {
  const fixture = createHttpFixture();
  await fixture.ask("/v1/topics", { method: "POST", json: { name: "t", partitions: 2 } });
  const records = Array.from({ length: 10 }, (_, value) => ({ value, partition: 1 }));
  await fixture.ask("/v1/topics/t/records", { method: "POST", json: { records } });
  return fixture;
}

describe("groups", () => {
  test("get offsets, show their lag, and are listed and deleted", async () => {
    const { ask } = await fixtureWithRecords();
    const offsets = [
      { topic: "t", partition: 1, offset: 4, metadata: "by hand" },
      { topic: "t", partition: 0, offset: 0 },
    ];
    const put = await ask("/v1/groups/g/offsets", { method: "PUT", json: { offsets } });
    expect(put.status).toBe(200);
    expect(await (await ask("/v1/groups")).json()).toMatchObject({
      groups: [{ groupId: "g", state: "Empty" }],
    });
    const group = await ask("/v1/groups/g");
    expect(await group.json()).toMatchObject({
      groupId: "g",
      state: "Empty",
      members: [],
      offsets: [
        { topic: "t", partition: 0, offset: 0, highOffset: 0, lag: 0 },
        { topic: "t", partition: 1, offset: 4, metadata: "by hand", highOffset: 10, lag: 6 },
      ],
    });
    expect((await ask("/v1/groups/g", { method: "DELETE" })).status).toBe(204);
    expect(await (await ask("/v1/groups/g")).json()).toMatchObject({
      status: 404,
      code: "group_unknown",
    });
  });

  test("refuse offsets of partitions that are not there", async () => {
    const { ask } = await fixtureWithRecords();
    for (const offset of [
      { topic: "none", partition: 0, offset: 0 },
      { topic: "t", partition: 2, offset: 0 },
    ]) {
      const json = { offsets: [offset] };
      expect((await ask("/v1/groups/g/offsets", { method: "PUT", json })).status).toBe(404);
    }
  });
});

describe("assignedTopics", () => {
  const bytes = new Uint8Array([
    0, 3, 0, 0, 0, 1, 0, 2, 0x61, 0x62, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 5, 255, 255, 255, 255,
  ]);

  test("reads topics and partitions of a consumer's assignment", () => {
    expect(assignedTopics(bytes)).toEqual([{ topic: "ab", partitions: [0, 5] }]);
  });

  test("gives none for bytes that end too soon", () => {
    for (let length = 0; length < 22; length++) {
      expect(assignedTopics(bytes.subarray(0, length))).toEqual([]);
    }
  });
});

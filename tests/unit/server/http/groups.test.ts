import { describe, expect, test } from "bun:test";
import {
  consumerAssignment,
  encodeConsumerProtocol,
} from "../../../../src/wire/kafka/consumer-protocol.ts";
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
      detail: 'Cannot find group "g": there is none',
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

  test("show the partitions that each member was given, and refuse offsets meanwhile", async () => {
    const { ask, context } = await fixtureWithRecords();
    const { groups } = context;
    const member = {
      groupId: "g",
      groupInstanceId: null,
      protocolType: "consumer",
      protocols: [{ name: "range", metadata: new Uint8Array() }],
    };
    const joined = await groups.join({
      ...member,
      memberId: "",
      clientId: "client",
      clientHost: "/127.0.0.1",
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      requireKnownMemberId: false,
      supportSkippingAssignment: true,
      reason: null,
    });
    const assignment = encodeConsumerProtocol(consumerAssignment, 3, {
      assignedPartitions: [{ topic: "t", partitions: [0, 1] }],
    });
    const { memberId, generationId } = joined;
    await groups.sync({
      ...member,
      memberId,
      generationId,
      protocolName: "range",
      assignments: [{ memberId, assignment }],
    });
    expect(await (await ask("/v1/groups/g")).json()).toMatchObject({
      state: "Stable",
      protocolName: "range",
      members: [{ memberId, assignments: [{ topic: "t", partitions: [0, 1] }] }],
    });
    const offsets = [{ topic: "t", partition: 0, offset: 0 }];
    const refused = await ask("/v1/groups/g/offsets", { method: "PUT", json: { offsets } });
    expect(await refused.json()).toMatchObject({ status: 409, code: "group_not_empty" });
    const kept = await ask("/v1/groups/g", { method: "DELETE" });
    expect(await kept.json()).toMatchObject({ status: 409, code: "group_not_empty" });
    await groups.leave({
      groupId: "g",
      members: [{ memberId, groupInstanceId: null, reason: null }],
    });
  });
});

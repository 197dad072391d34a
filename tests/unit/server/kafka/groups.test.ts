/** Consumer groups over the Kafka protocol; codes as a Kafka 4.2 broker answers them. */
import { describe, expect, test } from "bun:test";
import { deleteGroupsApi } from "../../../../src/wire/kafka/api/delete-groups.ts";
import { describeGroupsApi } from "../../../../src/wire/kafka/api/describe-groups.ts";
import { findCoordinatorApi } from "../../../../src/wire/kafka/api/find-coordinator.ts";
import { heartbeatApi } from "../../../../src/wire/kafka/api/heartbeat.ts";
import { joinGroupApi } from "../../../../src/wire/kafka/api/join-group.ts";
import { leaveGroupApi } from "../../../../src/wire/kafka/api/leave-group.ts";
import { listGroupsApi } from "../../../../src/wire/kafka/api/list-groups.ts";
import { offsetCommitApi } from "../../../../src/wire/kafka/api/offset-commit.ts";
import { offsetDeleteApi } from "../../../../src/wire/kafka/api/offset-delete.ts";
import { offsetFetchApi } from "../../../../src/wire/kafka/api/offset-fetch.ts";
import { syncGroupApi } from "../../../../src/wire/kafka/api/sync-group.ts";
import { subscription } from "../../../support/group-fixture.ts";
import { createKafkaFixture, type KafkaClient } from "../../../support/kafka-fixture.ts";
import { createTopic } from "../../../support/kafka-requests.ts";

const wrongId = "AAAAAAAAAAAAAAAAAAAAEQ";

function joinRequest(memberId: string, groupId = "g") {
  return {
    groupId,
    memberId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: subscription("orders") }],
  };
}

/** One member in a stable group. */
async function stableGroup() {
  const fixture = createKafkaFixture();
  const client = fixture.connect();
  const topicId = await createTopic(client, "orders", 2);
  const first = await client.ask(joinGroupApi, 9, joinRequest(""));
  const joined = await client.ask(joinGroupApi, 9, joinRequest(first.memberId));
  const { memberId, generationId } = joined;
  const membership = { groupId: "g", memberId, generationId };
  const assignment = Uint8Array.of(1, 2, 3);
  const synced = await client.ask(syncGroupApi, 5, {
    ...membership,
    protocolType: "consumer",
    protocolName: "range",
    assignments: [{ memberId, assignment }],
  });
  return { fixture, client, topicId, first, joined, synced, membership };
}

async function commit(client: KafkaClient, change: object = {}, version = 9) {
  const committed = { partitionIndex: 0, committedOffset: 7, committedMetadata: "note" };
  const topics = [{ name: "orders", partitions: [committed] }];
  const answer = await client.ask(offsetCommitApi, version, { groupId: "g", topics, ...change });
  return answer.topics.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
}

describe("a consumer group", () => {
  test("forms, is described, and ends", async () => {
    const { client, first, joined, synced, membership } = await stableGroup();
    expect(first).toMatchObject({ errorCode: 79, generationId: -1, protocolName: null });
    expect(first.memberId).toStartWith("test-");
    expect(joined).toMatchObject({
      errorCode: 0,
      generationId: 1,
      protocolType: "consumer",
      protocolName: "range",
      leader: joined.memberId,
    });
    expect(joined.members.map(({ memberId }) => memberId)).toEqual([joined.memberId]);
    expect(synced).toMatchObject({ errorCode: 0, assignment: Uint8Array.of(1, 2, 3) });
    expect((await client.ask(heartbeatApi, 4, membership)).errorCode).toBe(0);
    const described = await client.ask(describeGroupsApi, 6, {
      groups: ["g", "gone"],
      includeAuthorizedOperations: false,
    });
    expect(described.groups).toMatchObject([
      {
        errorCode: 0,
        groupState: "Stable",
        protocolType: "consumer",
        protocolData: "range",
        members: [{ clientId: "test", clientHost: "/127.0.0.1" }],
      },
      { errorCode: 69, errorMessage: "Group gone not found.", groupState: "Dead", members: [] },
    ]);
    const listed = await client.ask(listGroupsApi, 5, { statesFilter: [], typesFilter: [] });
    expect(listed.groups).toEqual([
      { groupId: "g", protocolType: "consumer", groupState: "Stable", groupType: "classic" },
    ]);
    const left = await client.ask(leaveGroupApi, 5, {
      groupId: "g",
      members: [{ memberId: membership.memberId }, { memberId: "nobody" }],
    });
    expect(left.errorCode).toBe(0);
    expect(left.members.map(({ errorCode }) => errorCode)).toEqual([0, 25]);
    const deleted = await client.ask(deleteGroupsApi, 2, { groupsNames: ["g", "gone", "gone"] });
    expect(deleted.results).toEqual([
      { groupId: "g", errorCode: 0 },
      { groupId: "gone", errorCode: 69 },
    ]);
  });

  test("commits and fetches offsets by name and by id", async () => {
    const { client, topicId, membership } = await stableGroup();
    const { generationId: generationIdOrMemberEpoch, memberId } = membership;
    const place = { partitionIndex: 0, committedOffset: 9, committedMetadata: null };
    const long = { ...place, committedMetadata: "x".repeat(5000) };
    const topics = [
      { name: "orders", partitions: [place, { ...place, partitionIndex: 66 }] },
      { name: "gone", partitions: [place] },
      { name: "orders", partitions: [{ ...long, partitionIndex: 1 }] },
    ];
    const answer = await commit(client, { generationIdOrMemberEpoch, memberId, topics });
    expect(answer).toEqual([[0, 3], [3], [12]]);
    const byId = [
      { topicId, partitions: [{ ...place, committedOffset: 11, committedMetadata: "note" }] },
      { topicId: wrongId, partitions: [place] },
    ];
    const request = { generationIdOrMemberEpoch, memberId, topics: byId };
    expect(await commit(client, request, 10)).toEqual([[0], [100]]);
    const asked = [
      { name: "orders", partitionIndexes: [0, 1] },
      { name: "gone", partitionIndexes: [0] },
    ];
    const groups = [
      { groupId: "g", topics: asked },
      { groupId: "other", topics: null },
    ];
    const fetched = await client.ask(offsetFetchApi, 9, { groups });
    const found = fetched.groups[0]?.topics.map(({ name, partitions }) => [
      name,
      partitions.map(({ committedOffset, metadata, errorCode }) => [
        committedOffset,
        metadata,
        errorCode,
      ]),
    ]);
    expect(found).toEqual([
      [
        "orders",
        [
          [11, "note", 0],
          [-1, "", 0],
        ],
      ],
      ["gone", [[-1, "", 0]]],
    ]);
    expect(fetched.groups[1]).toMatchObject({ groupId: "other", topics: [], errorCode: 0 });
    const ids = [topicId, wrongId].map((id) => ({ topicId: id, partitionIndexes: [0] }));
    const answered = await client.ask(offsetFetchApi, 10, {
      groups: [{ groupId: "g", topics: ids }],
    });
    const codes = answered.groups[0]?.topics.map(({ partitions }) => partitions[0]?.errorCode);
    expect(codes).toEqual([0, 100]);
  });

  test("lists all that is committed to who names no topics, in old versions too", async () => {
    const client = createKafkaFixture().connect();
    await createTopic(client, "orders", 2);
    expect(await commit(client)).toEqual([[0]]);
    for (const version of [2, 5, 7]) {
      const answer = await client.ask(offsetFetchApi, version, { groupId: "g", topics: null });
      expect(answer.topics).toMatchObject([
        { name: "orders", partitions: [{ partitionIndex: 0, committedOffset: 7 }] },
      ]);
    }
    const groups = [{ groupId: "g", topics: null }];
    const answer = await client.ask(offsetFetchApi, 8, { groups });
    expect(answer.groups[0]?.topics).toMatchObject([{ name: "orders" }]);
  });

  test("refuses who is not a member", async () => {
    const { client, membership } = await stableGroup();
    const { memberId, generationId } = membership;
    const stale = { ...membership, generationId: generationId + 1 };
    expect((await client.ask(heartbeatApi, 4, stale)).errorCode).toBe(22);
    const stranger = { ...membership, memberId: "m" };
    expect((await client.ask(heartbeatApi, 4, stranger)).errorCode).toBe(25);
    expect(await commit(client, { generationIdOrMemberEpoch: 9, memberId })).toEqual([[22]]);
    const sync = { ...membership, assignments: [] };
    expect((await client.ask(syncGroupApi, 5, sync)).errorCode).toBe(23);
    const other = { ...sync, protocolType: "consumer", protocolName: "sticky" };
    expect((await client.ask(syncGroupApi, 5, other)).errorCode).toBe(23);
  });

  test("answers for groups and members that are not there", async () => {
    const client = createKafkaFixture().connect();
    const member = { groupId: "gone", memberId: "m", generationId: 1 };
    expect((await client.ask(heartbeatApi, 4, member)).errorCode).toBe(25);
    const leave = { groupId: "gone", members: [{ memberId: "m" }] };
    const left = await client.ask(leaveGroupApi, 5, leave);
    expect(left).toMatchObject({ errorCode: 0, members: [{ memberId: "m", errorCode: 25 }] });
    const old = await client.ask(leaveGroupApi, 1, { groupId: "gone", memberId: "m" });
    expect(old.errorCode).toBe(25);
    expect((await client.ask(joinGroupApi, 9, joinRequest("", ""))).errorCode).toBe(24);
    const unknown = await client.ask(joinGroupApi, 6, joinRequest("nobody"));
    expect(unknown).toMatchObject({ errorCode: 25, memberId: "nobody", protocolName: "" });
    const impatient = { ...joinRequest(""), sessionTimeoutMs: 10 };
    expect((await client.ask(joinGroupApi, 9, impatient)).errorCode).toBe(26);
    const dead = await client.ask(describeGroupsApi, 5, {
      groups: ["gone"],
      includeAuthorizedOperations: true,
    });
    expect(dead.groups[0]).toMatchObject({
      errorCode: 0,
      groupState: "Dead",
      authorizedOperations: -0x80000000,
    });
  });

  test("forgets offsets of topics that it does not read", async () => {
    const { client, membership } = await stableGroup();
    await createTopic(client, "users");
    const { generationId: generationIdOrMemberEpoch, memberId } = membership;
    const place = { partitionIndex: 0, committedOffset: 1, committedMetadata: null };
    const topics = ["orders", "users"].map((name) => ({ name, partitions: [place] }));
    await commit(client, { generationIdOrMemberEpoch, memberId, topics });
    const partitions = [{ partitionIndex: 0 }];
    const answer = await client.ask(offsetDeleteApi, 0, {
      groupId: "g",
      topics: [
        { name: "orders", partitions },
        { name: "users", partitions: [...partitions, { partitionIndex: 9 }] },
        { name: "gone", partitions },
      ],
    });
    expect(answer.errorCode).toBe(0);
    const codes = answer.topics.map((topic) => topic.partitions.map(({ errorCode }) => errorCode));
    expect(codes).toEqual([[86], [0, 3], [3]]);
    const gone = await client.ask(offsetDeleteApi, 0, { groupId: "gone", topics: [] });
    expect(gone.errorCode).toBe(69);
  });

  test("does not hold a server that stops: a waiting join is sent elsewhere", async () => {
    const { fixture, client } = await stableGroup();
    const other = fixture.connect();
    const { memberId } = await other.ask(joinGroupApi, 9, joinRequest(""));
    other.request(joinGroupApi, 9, joinRequest(memberId));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await fixture.stop();
    expect((await other.answer(joinGroupApi, 9)).errorCode).toBe(16);
    expect(client.closed).toBe(true);
  });
});

describe("FindCoordinator", () => {
  test("names this worker for groups, one or many", async () => {
    const client = createKafkaFixture().connect();
    const self = { nodeId: 1, host: "127.0.0.1", port: 9092, errorCode: 0 };
    expect(await client.ask(findCoordinatorApi, 3, { key: "g" })).toMatchObject(self);
    const answer = await client.ask(findCoordinatorApi, 4, { coordinatorKeys: ["a", "b"] });
    expect(answer.coordinators).toMatchObject([
      { key: "a", ...self },
      { key: "b", ...self },
    ]);
  });

  test("refuses transactions for good, and other kinds of coordinators", async () => {
    const client = createKafkaFixture().connect();
    const codeOf = async (keyType: number) => {
      const request = { keyType, coordinatorKeys: ["x"] };
      const answer = await client.ask(findCoordinatorApi, 6, request);
      return answer.coordinators[0]?.errorCode;
    };
    expect(await codeOf(1)).toBe(53);
    expect(await codeOf(9)).toBe(42);
  });
});

import { expect, test } from "bun:test";
import type { CommitRequest } from "../../../src/group/types.ts";
import {
  answer,
  createGroupFixture,
  failure,
  type GroupFixture,
  joinRequest,
  memberOf,
  offsetKey,
  offsetOf,
  protocol,
  stabilize,
  startJoin,
  watch,
} from "../../support/group-fixture.ts";

const dayMs = 86_400_000;

function simpleCommit(...offsets: CommitRequest["offsets"]): CommitRequest {
  const nobody = { memberId: "", generationId: -1, groupInstanceId: null };
  return { groupId: "g", ...nobody, retentionMs: null, offsets };
}

async function committed({ groups, platform }: GroupFixture) {
  const fetching = watch(
    groups.fetchOffsets({ groupId: "g", partitions: null, requireStable: true }),
  );
  await platform.settle();
  return (await fetching.promise).map(
    ({ topicName, partition, offset }) => `${topicName}/${partition}=${offset}`,
  );
}

test("commit outside of a membership makes a group, fetch answers in the order asked", async () => {
  const fixture = createGroupFixture();
  const request = simpleCommit(offsetOf("orders", 1, 7, "note"), offsetOf("orders", 0, 5));
  expect(await answer(fixture, fixture.groups.commitOffsets(request))).toEqual([null, null]);
  const partitions = [offsetKey("orders", 0), offsetKey("orders", 2), offsetKey("orders", 1)];
  const fetched = await answer(
    fixture,
    fixture.groups.fetchOffsets({ groupId: "g", partitions, requireStable: false }),
  );
  expect(fetched).toMatchObject([
    { partition: 0, offset: 5, leaderEpoch: 0, metadata: "", error: null },
    { partition: 2, offset: -1, leaderEpoch: -1, metadata: "", error: null },
    { partition: 1, offset: 7, leaderEpoch: 0, metadata: "note", error: null },
  ]);
  const [described] = await fixture.groups.describeGroups(["g"]);
  expect(described).toMatchObject({ state: "Empty", protocolType: "", error: null });
});

test("commit of a member holds in its own generation only", async () => {
  const fixture = createGroupFixture();
  const [member] = await stabilize(fixture, [{}]);
  if (member === undefined) throw new Error("one joined");
  const good = { ...simpleCommit(offsetOf("orders", 0, 1)), ...memberOf(member) };
  expect(await answer(fixture, fixture.groups.commitOffsets(good))).toEqual([null]);
  const cases = [
    [{ ...good, generationId: 0 }, "generation_stale"],
    [{ ...good, generationId: 2 }, "generation_stale"],
    [{ ...good, memberId: "x" }, "member_unknown"],
    [{ ...good, generationId: -1 }, "generation_stale"],
    [{ ...good, memberId: "", generationId: -1 }, "member_unknown"],
    [{ ...good, groupInstanceId: "i" }, "member_unknown"],
    [{ ...good, groupId: "nobody" }, "group_unknown"],
  ] as const;
  for (const [request, code] of cases) {
    expect(await failure(fixture, fixture.groups.commitOffsets(request))).toBe(code);
  }
});

test("commit is taken while a rebalance calls in, refused until it has assigned", async () => {
  const fixture = createGroupFixture();
  const [member] = await stabilize(fixture, [{}]);
  if (member === undefined) throw new Error("one joined");
  const request = { ...simpleCommit(offsetOf("orders", 0, 1)), ...memberOf(member) };
  const newcomer = await startJoin(fixture);
  expect(await answer(fixture, fixture.groups.commitOffsets(request))).toEqual([null]);
  const again = watch(fixture.groups.join(joinRequest({ memberId: member.memberId })));
  await fixture.platform.settle();
  expect(newcomer.value?.generationId).toBe(2);
  const early = { ...request, generationId: again.value?.generationId ?? 0 };
  const refused = fixture.groups.commitOffsets(early);
  expect(await failure(fixture, refused)).toBe("rebalance_in_progress");
  const stale = fixture.groups.commitOffsets(request);
  expect(await failure(fixture, stale)).toBe("generation_stale");
});

test("commit refuses metadata over 4096 characters for that partition only", async () => {
  const fixture = createGroupFixture();
  const request = simpleCommit(
    offsetOf("orders", 0, 1, "m".repeat(4_097)),
    offsetOf("orders", 1, 2, "m".repeat(4_096)),
  );
  expect(await answer(fixture, fixture.groups.commitOffsets(request))).toEqual([
    "offset_metadata_too_large",
    null,
  ]);
  expect(await committed(fixture)).toEqual(["orders/1=2"]);
});

test("commit of a topic deleted meanwhile is answered for that partition only", async () => {
  const fixture = createGroupFixture();
  fixture.metadata.topicsGone.add("id-gone");
  const request = simpleCommit(offsetOf("gone", 0, 1), offsetOf("orders", 0, 2));
  expect(await answer(fixture, fixture.groups.commitOffsets(request))).toEqual([
    "topic_unknown",
    null,
  ]);
});

test("commits that wait together are written together, the later one winning", async () => {
  const fixture = createGroupFixture({ delayMs: () => 10 });
  const commits = Array.from({ length: 50 }, (_, index) =>
    fixture.groups.commitOffsets(simpleCommit(offsetOf("orders", index % 2, index))),
  );
  const all = watch(Promise.all(commits));
  await fixture.platform.advance(1_000);
  expect(all.value?.flat()).toEqual(Array(50).fill(null));
  const read = watch(committed(fixture));
  await fixture.platform.advance(100);
  expect(read.value).toEqual(["orders/0=48", "orders/1=49"]);
  expect(fixture.metadata.commits.length).toBeLessThanOrEqual(2);
});

test("fetch sees every commit accepted before it, also one still being written", async () => {
  const fixture = createGroupFixture({ delayMs: () => 50 });
  const opened = watch(fixture.groups.commitOffsets(simpleCommit(offsetOf("orders", 0, 1))));
  await fixture.platform.advance(500);
  expect(opened.value).toEqual([null]);
  watch(fixture.groups.commitOffsets(simpleCommit(offsetOf("orders", 0, 2))));
  const read = watch(
    fixture.groups.fetchOffsets({ groupId: "g", partitions: null, requireStable: false }),
  );
  await fixture.platform.advance(500);
  expect(read.value?.[0]?.offset).toBe(2);
});

test("offsets of a topic made again are another topic's", async () => {
  const fixture = createGroupFixture();
  await answer(fixture, fixture.groups.commitOffsets(simpleCommit(offsetOf("orders", 0, 9))));
  const remade = { ...offsetKey("orders", 0), topicId: "another" as never };
  const fetched = await answer(
    fixture,
    fixture.groups.fetchOffsets({ groupId: "g", partitions: [remade], requireStable: false }),
  );
  expect(fetched[0]?.offset).toBe(-1);
});

test("offset delete spares subscribed topics, and refuses groups of other clients", async () => {
  const fixture = createGroupFixture();
  const partitions = [offsetKey("orders", 0), offsetKey("clicks", 0)];
  const request = { groupId: "g", partitions };
  expect(await failure(fixture, fixture.groups.deleteOffsets(request))).toBe("group_unknown");
  await answer(
    fixture,
    fixture.groups.commitOffsets(simpleCommit(offsetOf("orders", 0, 1), offsetOf("clicks", 0, 1))),
  );
  const [member] = await stabilize(fixture, [{ protocols: [protocol("range", "orders")] }]);
  expect(await answer(fixture, fixture.groups.deleteOffsets(request))).toEqual([
    "group_subscribed",
    null,
  ]);
  expect(await committed(fixture)).toEqual(["orders/0=1"]);
  const members = [{ memberId: member?.memberId ?? "", groupInstanceId: null, reason: null }];
  await answer(fixture, fixture.groups.leave({ groupId: "g", members }));
  expect(await answer(fixture, fixture.groups.deleteOffsets(request))).toEqual([null, null]);
  expect(await committed(fixture)).toEqual([]);
  await stabilize(fixture, [{ protocolType: "connect" }]);
  expect(await failure(fixture, fixture.groups.deleteOffsets(request))).toBe("group_not_empty");
});

test("sweep deletes a simple group's offsets after their retention, then the group", async () => {
  const fixture = createGroupFixture();
  await answer(fixture, fixture.groups.commitOffsets(simpleCommit(offsetOf("orders", 0, 1))));
  await fixture.platform.advance(4 * dayMs);
  await answer(fixture, fixture.groups.commitOffsets(simpleCommit(offsetOf("orders", 1, 1))));
  await fixture.platform.advance(3 * dayMs - 1_000);
  expect(await answer(fixture, fixture.groups.sweep())).toBe(0);
  await fixture.platform.advance(1_000);
  expect(await answer(fixture, fixture.groups.sweep())).toBe(1);
  expect(await committed(fixture)).toEqual(["orders/1=1"]);
  await fixture.platform.advance(4 * dayMs);
  expect(await answer(fixture, fixture.groups.sweep())).toBe(1);
  const listed = fixture.groups.listGroups({ states: [], types: [] });
  expect(await answer(fixture, listed)).toEqual([]);
});

test("sweep counts an empty group's retention from when it became empty", async () => {
  const fixture = createGroupFixture();
  const [member] = await stabilize(fixture, [{ sessionTimeoutMs: 1_800_000 }]);
  if (member === undefined) throw new Error("one joined");
  const commit = { ...simpleCommit(offsetOf("orders", 0, 1)), ...memberOf(member) };
  await answer(fixture, fixture.groups.commitOffsets(commit));
  for (let elapsedMs = 0; elapsedMs < 8 * dayMs; elapsedMs += 1_500_000) {
    await fixture.platform.advance(1_500_000);
    await fixture.groups.heartbeat(memberOf(member));
  }
  expect(await answer(fixture, fixture.groups.sweep())).toBe(0);
  const members = [{ memberId: member.memberId, groupInstanceId: null, reason: null }];
  await answer(fixture, fixture.groups.leave({ groupId: "g", members }));
  await fixture.platform.advance(6 * dayMs);
  expect(await answer(fixture, fixture.groups.sweep())).toBe(0);
  await fixture.platform.advance(dayMs);
  expect(await answer(fixture, fixture.groups.sweep())).toBe(1);
  expect(fixture.metadata.row("g").snapshot).toBeNull();
});

test("sweep expires topics that a stable group no longer subscribes to", async () => {
  const fixture = createGroupFixture({ settings: { offsetRetentionMs: 60_000 } });
  await answer(
    fixture,
    fixture.groups.commitOffsets(simpleCommit(offsetOf("old", 0, 1), offsetOf("orders", 0, 1))),
  );
  await stabilize(fixture, [{ sessionTimeoutMs: 600_000 }]);
  await fixture.platform.advance(60_000);
  expect(await answer(fixture, fixture.groups.sweep())).toBe(1);
  expect(await committed(fixture)).toEqual(["orders/0=1"]);
});

test("sweep honours a retention that the request set", async () => {
  const fixture = createGroupFixture();
  const request = { ...simpleCommit(offsetOf("orders", 0, 1)), retentionMs: 1_000 };
  await answer(fixture, fixture.groups.commitOffsets(request));
  expect(await answer(fixture, fixture.groups.sweep())).toBe(0);
  await fixture.platform.advance(1_000);
  expect(await answer(fixture, fixture.groups.sweep())).toBe(1);
});

test("sweep walks over all groups in bounded slices", async () => {
  const fixture = createGroupFixture({ settings: { offsetRetentionMs: 1_000 } });
  for (const groupId of ["a", "b", "c", "d", "e"]) {
    const request = { ...simpleCommit(offsetOf("orders", 0, 1)), groupId };
    await answer(fixture, fixture.groups.commitOffsets(request));
  }
  await fixture.platform.advance(2_000);
  const counts: number[] = [];
  for (let call = 0; call < 4; call++) {
    counts.push(await answer(fixture, fixture.groups.sweep(2)));
  }
  expect(counts).toEqual([2, 2, 1, 0]);
});

import { expect, test } from "bun:test";
import {
  createGroupFixture,
  failure,
  joinRequest,
  memberOf,
  protocol,
  stabilize,
  startJoin,
  syncAll,
  watch,
} from "../../support/group-fixture.ts";

test("join gives a dynamic member its id first and takes it in on the second join", async () => {
  const fixture = createGroupFixture();
  const first = watch(fixture.groups.join(joinRequest({ clientId: "app" })));
  await fixture.platform.settle();
  expect(first.error?.code).toBe("member_id_required");
  const { memberId } = first.error?.details ?? {};
  expect(memberId).toMatch(/^app-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/);
  const second = watch(fixture.groups.join(joinRequest({ memberId: String(memberId) })));
  await fixture.platform.advance(1_000);
  expect(second.value).toMatchObject({ memberId, generationId: 1, leaderId: memberId });
});

test("join of old versions needs no id first", async () => {
  const { groups, platform } = createGroupFixture();
  const joined = watch(groups.join(joinRequest({ requireKnownMemberId: false })));
  await platform.advance(1_000);
  expect(joined.value?.generationId).toBe(1);
});

test("join refuses session timeouts out of bounds", async () => {
  const fixture = createGroupFixture();
  for (const sessionTimeoutMs of [5_999, 1_800_001]) {
    const refused = fixture.groups.join(joinRequest({ sessionTimeoutMs }));
    expect(await failure(fixture, refused)).toBe("invalid_session_timeout");
  }
});

test("join refuses an empty group id and one that is too long", async () => {
  const fixture = createGroupFixture();
  for (const groupId of ["", "g".repeat(1_025)]) {
    const refused = fixture.groups.join(joinRequest({ groupId }));
    expect(await failure(fixture, refused)).toBe("invalid_group_id");
  }
});

test("join refuses a member id that the group does not know", async () => {
  const fixture = createGroupFixture();
  const stranger = joinRequest({ memberId: "stranger" });
  expect(await failure(fixture, fixture.groups.join(stranger))).toBe("member_unknown");
  await stabilize(fixture, [{}]);
  expect(await failure(fixture, fixture.groups.join(stranger))).toBe("member_unknown");
});

test("join refuses a protocol type or protocols that the members do not share", async () => {
  const fixture = createGroupFixture();
  const empty = joinRequest({ protocols: [] });
  expect(await failure(fixture, fixture.groups.join(empty))).toBe("inconsistent_group_protocol");
  await stabilize(fixture, [{}]);
  for (const change of [{ protocolType: "connect" }, { protocols: [protocol("sticky", "t")] }]) {
    const refused = fixture.groups.join(joinRequest(change));
    expect(await failure(fixture, refused)).toBe("inconsistent_group_protocol");
  }
});

test("join lets an empty group change its protocol type", async () => {
  const fixture = createGroupFixture();
  const [member] = await stabilize(fixture, [{}]);
  await fixture.groups.leave({
    groupId: "g",
    members: [{ memberId: member?.memberId ?? "", groupInstanceId: null, reason: null }],
  });
  await fixture.platform.settle();
  const [next] = await stabilize(fixture, [{ protocolType: "connect" }]);
  expect(next).toMatchObject({ protocolType: "connect", generationId: 3 });
});

test("join chooses the protocol with most votes among those that all speak", async () => {
  const fixture = createGroupFixture();
  const names = (...list: string[]) => ({ protocols: list.map((name) => protocol(name, "t")) });
  const joined = await stabilize(fixture, [
    names("a", "b", "c"),
    names("c", "b"),
    names("b", "c"),
    names("c", "b", "a"),
    names("c", "a", "b"),
  ]);
  expect(new Set(joined.map(({ protocolName }) => protocolName))).toEqual(new Set(["c"]));
});

test("join gives the leader all members with their metadata and followers none", async () => {
  const fixture = createGroupFixture();
  const joined = await stabilize(fixture, [{}, { protocols: [protocol("range", "clicks")] }]);
  expect(joined[0]?.members.map(({ memberId }) => memberId)).toEqual(
    joined.map(({ memberId }) => memberId),
  );
  expect(joined[0]?.members[1]?.metadata).toEqual(protocol("range", "clicks").metadata);
  expect(joined[1]?.members).toEqual([]);
});

test("join of a stable follower with nothing new answers with the present generation", async () => {
  const fixture = createGroupFixture();
  const [leader, follower] = await stabilize(fixture, [{}, {}]);
  const again = watch(fixture.groups.join(joinRequest({ memberId: follower?.memberId ?? "" })));
  await fixture.platform.settle();
  expect(again.value).toMatchObject({ generationId: 1, leaderId: leader?.memberId, members: [] });
});

test("join of a stable leader, or with new metadata, rebalances", async () => {
  const fixture = createGroupFixture();
  for (const who of ["leader", "follower"] as const) {
    const groupId = "g";
    const [leader, follower] = await stabilize(fixture, [{}, {}]);
    const ids = { leader: leader?.memberId ?? "", follower: follower?.memberId ?? "" };
    const protocols =
      who === "leader" ? joinRequest().protocols : [protocol("range", "orders", "more")];
    const other = who === "leader" ? "follower" : "leader";
    const first = watch(fixture.groups.join(joinRequest({ memberId: ids[who], protocols })));
    await fixture.platform.settle();
    expect(first.value).toBeUndefined();
    const beat = fixture.groups.heartbeat(memberOf(leader ?? first.value ?? fail()));
    expect(await failure(fixture, beat)).toBe("rebalance_in_progress");
    const second = watch(fixture.groups.join(joinRequest({ memberId: ids[other] })));
    await fixture.platform.settle();
    expect(first.value?.generationId).toBe((leader?.generationId ?? 0) + 1);
    await syncAll(fixture, [first.value ?? fail(), second.value ?? fail()]);
    const members = Object.values(ids).map((memberId) => ({
      memberId,
      groupInstanceId: null,
      reason: null,
    }));
    await fixture.groups.leave({ groupId, members });
    await fixture.platform.settle();
  }
});

test("join repeated while the group completes its rebalance keeps the generation", async () => {
  const fixture = createGroupFixture();
  const join = await startJoin(fixture);
  await fixture.platform.advance(1_000);
  const memberId = join.value?.memberId ?? "";
  const again = watch(fixture.groups.join(joinRequest({ memberId })));
  await fixture.platform.settle();
  expect(again.value).toEqual(join.value);
});

test("join refuses members past the limit, and keeps those that are there", async () => {
  const fixture = createGroupFixture({ settings: { groupMembersMax: 2 } });
  const [, follower] = await stabilize(fixture, [{}, {}]);
  expect(await failure(fixture, fixture.groups.join(joinRequest()))).toBe("group_full");
  const again = watch(fixture.groups.join(joinRequest({ memberId: follower?.memberId ?? "" })));
  await fixture.platform.settle();
  expect(again.value?.generationId).toBe(1);
});

test("join bounds the ids it gives out", async () => {
  const fixture = createGroupFixture({ settings: { groupMembersMax: 3 } });
  for (let count = 0; count < 3; count++) {
    const given = fixture.groups.join(joinRequest());
    expect(await failure(fixture, given)).toBe("member_id_required");
  }
  expect(await failure(fixture, fixture.groups.join(joinRequest()))).toBe("group_full");
  await fixture.platform.advance(10_000);
  expect(await failure(fixture, fixture.groups.join(joinRequest()))).toBe("member_id_required");
});

test("join of a static member's next process fences the former, without a rebalance", async () => {
  const fixture = createGroupFixture();
  const first = { groupInstanceId: "i1" };
  const second = { groupInstanceId: "i2" };
  const [leader, follower] = await stabilize(fixture, [first, second]);
  const next = watch(fixture.groups.join(joinRequest(second)));
  await fixture.platform.advance(10);
  expect(next.value).toMatchObject({ generationId: 1, skipAssignment: false, members: [] });
  expect(next.value?.memberId).not.toBe(follower?.memberId);
  const former = memberOf(follower ?? fail(), "i2");
  expect(await failure(fixture, fixture.groups.heartbeat(former))).toBe("instance_fenced");
  await fixture.groups.heartbeat(memberOf(next.value ?? fail(), "i2"));
  await fixture.groups.heartbeat(memberOf(leader ?? fail(), "i1"));
  const stored = fixture.metadata.row("g").snapshot?.text ?? "";
  expect(stored).toContain(next.value?.memberId ?? "-");
});

test("join of a static leader's next process is told to skip assigning (KIP-814)", async () => {
  const fixture = createGroupFixture();
  const [leader] = await stabilize(fixture, [{ groupInstanceId: "i1" }, { groupInstanceId: "i2" }]);
  const next = watch(fixture.groups.join(joinRequest({ groupInstanceId: "i1" })));
  await fixture.platform.advance(10);
  expect(next.value).toMatchObject({ skipAssignment: true, leaderId: next.value?.memberId });
  expect(next.value?.members).toHaveLength(2);
  const old = watch(
    fixture.groups.join(joinRequest({ groupInstanceId: "i1", supportSkippingAssignment: false })),
  );
  await fixture.platform.advance(10);
  expect(old.value).toMatchObject({ leaderId: next.value?.memberId, members: [] });
  expect(old.value?.leaderId).not.toBe(old.value?.memberId);
  expect(leader?.generationId).toBe(1);
});

test("join of a static member with other topics rebalances", async () => {
  const fixture = createGroupFixture();
  await stabilize(fixture, [{ groupInstanceId: "i1" }, { groupInstanceId: "i2" }]);
  const protocols = [protocol("range", "clicks")];
  const next = watch(fixture.groups.join(joinRequest({ groupInstanceId: "i2", protocols })));
  await fixture.platform.advance(10);
  expect(next.value).toBeUndefined();
  const [described] = await fixture.groups.describeGroups(["g"]);
  expect(described?.state).toBe("PreparingRebalance");
});

test("join of a static member's next process fences a join that still waits", async () => {
  const fixture = createGroupFixture();
  const first = watch(fixture.groups.join(joinRequest({ groupInstanceId: "i1" })));
  await fixture.platform.settle();
  const second = watch(fixture.groups.join(joinRequest({ groupInstanceId: "i1" })));
  await fixture.platform.advance(1_000);
  expect(first.error?.code).toBe("instance_fenced");
  expect(second.value).toMatchObject({ generationId: 1, leaderId: second.value?.memberId });
  expect(second.value?.members).toHaveLength(1);
});

test("join of a static member while the group completes its rebalance starts over", async () => {
  const fixture = createGroupFixture();
  const one = watch(fixture.groups.join(joinRequest({ groupInstanceId: "i1" })));
  const two = watch(fixture.groups.join(joinRequest({ groupInstanceId: "i2" })));
  await fixture.platform.advance(1_000);
  expect([one.value?.generationId, two.value?.generationId]).toEqual([1, 1]);
  const next = watch(fixture.groups.join(joinRequest({ groupInstanceId: "i2" })));
  await fixture.platform.settle();
  const beat = fixture.groups.heartbeat(memberOf(one.value ?? fail(), "i1"));
  expect(await failure(fixture, beat)).toBe("rebalance_in_progress");
  const memberId = one.value?.memberId ?? "";
  const again = watch(fixture.groups.join(joinRequest({ groupInstanceId: "i1", memberId })));
  await fixture.platform.advance(10);
  expect([again.value?.generationId, next.value?.generationId]).toEqual([2, 2]);
});

test("join that is repeated lets the earlier request go", async () => {
  const fixture = createGroupFixture();
  const [leader, follower] = await stabilize(fixture, [{}, {}]);
  expect(follower?.generationId).toBe(1);
  const memberId = leader?.memberId ?? "";
  const first = watch(fixture.groups.join(joinRequest({ memberId })));
  await fixture.platform.settle();
  const second = watch(fixture.groups.join(joinRequest({ memberId })));
  await fixture.platform.settle();
  expect(first.error?.code).toBe("rebalance_in_progress");
  expect(second.error).toBeUndefined();
});

function fail(): never {
  throw new Error("an answer was expected");
}

import { expect, test } from "bun:test";
import {
  answer,
  createGroupFixture,
  failure,
  joinRequest,
  memberOf,
  stabilize,
  startJoin,
  watch,
} from "../../support/group-fixture.ts";

const reason = null;

test("heartbeat refuses strangers, stale generations and foreign instance ids", async () => {
  const fixture = createGroupFixture();
  const [dynamic] = await stabilize(fixture, [{}, { groupInstanceId: "i1" }]);
  if (dynamic === undefined) throw new Error("one joined");
  const good = memberOf(dynamic);
  const cases = [
    [{ ...good, groupId: "nobody" }, "member_unknown"],
    [{ ...good, memberId: "x" }, "member_unknown"],
    [{ ...good, generationId: 0 }, "generation_stale"],
    [{ ...good, generationId: 2 }, "generation_stale"],
    [{ ...good, groupInstanceId: "i1" }, "instance_fenced"],
    [{ ...good, groupInstanceId: "i2" }, "member_unknown"],
    [{ ...good, groupId: "" }, "invalid_group_id"],
  ] as const;
  for (const [request, code] of cases) {
    expect(await failure(fixture, fixture.groups.heartbeat(request))).toBe(code);
  }
  await fixture.groups.heartbeat(good);
});

test("heartbeat is welcome between join and sync", async () => {
  const fixture = createGroupFixture();
  const join = await startJoin(fixture);
  await fixture.platform.advance(1_000);
  if (join.value === undefined) throw new Error("one joined");
  await answer(fixture, fixture.groups.heartbeat(memberOf(join.value)));
});

test("leave answers each member and rebalances once", async () => {
  const fixture = createGroupFixture();
  const [a, b] = await stabilize(fixture, [{}, { groupInstanceId: "i1" }, {}]);
  const left = await answer(
    fixture,
    fixture.groups.leave({
      groupId: "g",
      members: [
        { memberId: a?.memberId ?? "", groupInstanceId: null, reason: "bye" },
        { memberId: "", groupInstanceId: "i1", reason },
        { memberId: "", groupInstanceId: "i2", reason },
        { memberId: "stranger", groupInstanceId: null, reason },
        { memberId: "", groupInstanceId: null, reason },
      ],
    }),
  );
  expect(left.map(({ error }) => error)).toEqual([
    null,
    null,
    "member_unknown",
    "member_unknown",
    "member_unknown",
  ]);
  expect(left[1]).toMatchObject({ memberId: "", groupInstanceId: "i1" });
  expect(b?.generationId).toBe(1);
  const [described] = await fixture.groups.describeGroups(["g"]);
  expect(described).toMatchObject({ state: "PreparingRebalance" });
  expect(described?.members).toHaveLength(1);
});

test("leave refuses a static member's former id", async () => {
  const fixture = createGroupFixture();
  const [former] = await stabilize(fixture, [{ groupInstanceId: "i1" }]);
  await answer(fixture, fixture.groups.join(joinRequest({ groupInstanceId: "i1" })));
  const memberId = former?.memberId ?? "";
  const members = [{ memberId, groupInstanceId: "i1", reason }];
  const left = await answer(fixture, fixture.groups.leave({ groupId: "g", members }));
  expect(left[0]?.error).toBe("instance_fenced");
});

test("leave of the last member empties the group and stores that", async () => {
  const fixture = createGroupFixture();
  const [member] = await stabilize(fixture, [{}]);
  expect(fixture.metadata.row("g").snapshot?.state).toBe("Stable");
  const members = [{ memberId: member?.memberId ?? "", groupInstanceId: null, reason }];
  await answer(fixture, fixture.groups.leave({ groupId: "g", members }));
  expect(fixture.metadata.row("g").snapshot).toMatchObject({
    state: "Empty",
    protocolType: "consumer",
  });
});

test("leave of an id that never joined disturbs nobody", async () => {
  const fixture = createGroupFixture();
  const [member] = await stabilize(fixture, [{}]);
  const pending = watch(fixture.groups.join(joinRequest()));
  await fixture.platform.settle();
  const { memberId } = pending.error?.details ?? {};
  const members = [{ memberId: String(memberId), groupInstanceId: null, reason }];
  const left = await answer(fixture, fixture.groups.leave({ groupId: "g", members }));
  expect(left[0]?.error).toBeNull();
  if (member === undefined) throw new Error("one joined");
  await answer(fixture, fixture.groups.heartbeat(memberOf(member)));
});

test("leave completes a rebalance that waited for the one who left", async () => {
  const fixture = createGroupFixture();
  const [leader, follower] = await stabilize(fixture, [{}, {}]);
  const again = watch(fixture.groups.join(joinRequest({ memberId: leader?.memberId ?? "" })));
  await fixture.platform.settle();
  expect(again.value).toBeUndefined();
  const members = [{ memberId: follower?.memberId ?? "", groupInstanceId: null, reason }];
  await answer(fixture, fixture.groups.leave({ groupId: "g", members }));
  expect(again.value?.members).toHaveLength(1);
});

test("leave fails a join of the same member that still waits", async () => {
  const fixture = createGroupFixture();
  const parked = watch(fixture.groups.join(joinRequest({ groupInstanceId: "i1" })));
  await fixture.platform.settle();
  const members = [{ memberId: "", groupInstanceId: "i1", reason }];
  await answer(fixture, fixture.groups.leave({ groupId: "g", members }));
  expect(parked.error?.code).toBe("member_unknown");
  await fixture.platform.runUntilIdle();
});

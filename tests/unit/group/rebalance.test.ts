import { expect, test } from "bun:test";
import {
  createGroupFixture,
  type GroupFixture,
  joinRequest,
  memberOf,
  stabilize,
  startJoin,
  syncAll,
  syncRequest,
  watch,
} from "../../support/group-fixture.ts";

test("initial rebalance waits its delay, and again for who comes meanwhile", async () => {
  const fixture = createGroupFixture({ settings: { initialRebalanceDelayMs: 300 } });
  const one = await startJoin(fixture);
  await fixture.platform.advance(200);
  const two = await startJoin(fixture);
  await fixture.platform.advance(200);
  expect(one.value).toBeUndefined();
  const three = await startJoin(fixture);
  await fixture.platform.advance(499);
  expect(one.value).toBeUndefined();
  await fixture.platform.advance(1);
  for (const join of [one, two, three]) expect(join.value?.generationId).toBe(1);
});

test("initial rebalance never waits beyond the rebalance timeout", async () => {
  const fixture = createGroupFixture({ settings: { initialRebalanceDelayMs: 300 } });
  const rebalanceTimeoutMs = 700;
  const one = await startJoin(fixture, { rebalanceTimeoutMs });
  for (let elapsedMs = 0; elapsedMs < 700; elapsedMs += 100) {
    expect(one.value).toBeUndefined();
    await startJoin(fixture, { rebalanceTimeoutMs });
    await fixture.platform.advance(100);
  }
  expect(one.value?.members).toHaveLength(8);
});

test("rebalance drops dynamic members that do not come back in time", async () => {
  const fixture = createGroupFixture();
  const short = { rebalanceTimeoutMs: 5_000 };
  const [leader, follower] = await stabilize(fixture, [short, short]);
  const newcomer = await startJoin(fixture, short);
  expect(await beat(fixture, leader)).toBe("rebalance_in_progress");
  await fixture.platform.advance(4_000);
  // A heartbeat keeps the session, not the place.
  expect(await beat(fixture, follower)).toBe("rebalance_in_progress");
  await fixture.platform.advance(1_000);
  expect(newcomer.value).toMatchObject({ generationId: 2, leaderId: newcomer.value?.memberId });
  expect(newcomer.value?.members).toHaveLength(1);
  for (const gone of [leader, follower]) expect(await beat(fixture, gone)).toBe("member_unknown");
});

test("rebalance keeps static members that do not come back until their session ends", async () => {
  const fixture = createGroupFixture();
  const change = { rebalanceTimeoutMs: 5_000, sessionTimeoutMs: 20_000 };
  await stabilize(fixture, [{ ...change, groupInstanceId: "i1" }]);
  const newcomer = await startJoin(fixture, change);
  await fixture.platform.advance(5_000);
  expect(newcomer.value?.leaderId).toBe(newcomer.value?.memberId);
  expect(newcomer.value?.members.map(({ groupInstanceId }) => groupInstanceId)).toEqual([
    "i1",
    null,
  ]);
});

test("rebalance of absent static members waits for their sessions, then empties", async () => {
  const fixture = createGroupFixture();
  const change = { rebalanceTimeoutMs: 3_000, sessionTimeoutMs: 20_000 };
  const [one] = await stabilize(fixture, [
    { ...change, groupInstanceId: "i1" },
    { ...change, groupInstanceId: "i2" },
  ]);
  await fixture.groups.leave({
    groupId: "g",
    members: [{ memberId: one?.memberId ?? "", groupInstanceId: "i1", reason: null }],
  });
  await fixture.platform.advance(10_000);
  expect(await state(fixture)).toBe("PreparingRebalance");
  await fixture.platform.advance(20_000);
  expect(await state(fixture)).toBe("Empty");
  expect(fixture.metadata.row("g").snapshot?.state).toBe("Empty");
});

test("rebalance waits for members that were given an id, at most their session", async () => {
  const fixture = createGroupFixture();
  const [leader] = await stabilize(fixture, [{}]);
  watch(fixture.groups.join(joinRequest({ sessionTimeoutMs: 8_000 })));
  await fixture.platform.settle();
  const again = watch(fixture.groups.join(joinRequest({ memberId: leader?.memberId ?? "" })));
  await fixture.platform.advance(7_000);
  expect(again.value).toBeUndefined();
  await fixture.platform.advance(1_000);
  expect(again.value?.generationId).toBe(2);
});

test("a member silent beyond its session is expelled and the others rebalance", async () => {
  const fixture = createGroupFixture();
  const [leader, follower] = await stabilize(fixture, [{}, {}]);
  for (let elapsedMs = 0; elapsedMs < 9_000; elapsedMs += 3_000) {
    await fixture.platform.advance(3_000);
    expect(await beat(fixture, follower)).toBeUndefined();
  }
  await fixture.platform.advance(1_000);
  expect(await beat(fixture, follower)).toBe("rebalance_in_progress");
  const next = watch(fixture.groups.join(joinRequest({ memberId: follower?.memberId ?? "" })));
  await fixture.platform.settle();
  expect(next.value).toMatchObject({ generationId: 2, leaderId: follower?.memberId });
  expect(await beat(fixture, leader)).toBe("member_unknown");
});

test("a commit keeps the session as a heartbeat does", async () => {
  const fixture = createGroupFixture();
  const [member] = await stabilize(fixture, [{}]);
  for (let elapsedMs = 0; elapsedMs < 30_000; elapsedMs += 6_000) {
    await fixture.platform.advance(6_000);
    const committed = watch(
      fixture.groups.commitOffsets({
        ...memberOf(member ?? missing()),
        retentionMs: null,
        offsets: [],
      }),
    );
    await fixture.platform.settle();
    expect(committed.error).toBeUndefined();
  }
});

test("a new member that waits for a rebalance is let go after its own timeout", async () => {
  const fixture = createGroupFixture({ settings: { newMemberTimeoutMs: 4_000 } });
  const [leader] = await stabilize(fixture, [{ sessionTimeoutMs: 30_000 }]);
  const newcomer = await startJoin(fixture);
  await fixture.platform.advance(4_000);
  expect(newcomer.error?.code).toBe("member_unknown");
  const again = watch(fixture.groups.join(joinRequest({ memberId: leader?.memberId ?? "" })));
  await fixture.platform.settle();
  expect(again.value?.members).toHaveLength(1);
});

test("members that join but never sync are expelled after the rebalance timeout", async () => {
  const fixture = createGroupFixture();
  const change = { rebalanceTimeoutMs: 5_000, sessionTimeoutMs: 30_000 };
  const joins = [await startJoin(fixture, change), await startJoin(fixture, change)];
  await fixture.platform.advance(1_000);
  const [leader, follower] = joins.map((join) => join.value ?? missing());
  const sync = watch(fixture.groups.sync(syncRequest(leader ?? missing(), { x: "1" })));
  await fixture.platform.advance(1_000);
  expect(sync.value).toBeDefined();
  await fixture.platform.advance(5_000);
  expect(await beat(fixture, follower)).toBe("member_unknown");
  expect(await beat(fixture, leader)).toBe("rebalance_in_progress");
});

test("a worker that stood still gives its members a fresh session", async () => {
  const fixture = createGroupFixture();
  const [leader, follower] = await stabilize(fixture, [{}, {}]);
  fixture.platform.stall(60_000);
  await fixture.platform.settle();
  for (const member of [leader, follower]) expect(await beat(fixture, member)).toBeUndefined();
  await fixture.platform.advance(20_000);
  expect(await state(fixture)).toBe("Empty");
});

test("sessions and rebalances take no notice of jumps of the wall clock", async () => {
  const fixture = createGroupFixture();
  const [member] = await stabilize(fixture, [{}]);
  fixture.platform.skewWallClock(86_400_000);
  await fixture.platform.advance(5_000);
  expect(await beat(fixture, member)).toBeUndefined();
  fixture.platform.skewWallClock(-2 * 86_400_000);
  await fixture.platform.advance(5_000);
  expect(await beat(fixture, member)).toBeUndefined();
});

test("a group is set to rest with one timer for all its members, and none when empty", async () => {
  const fixture = createGroupFixture();
  const joined = await stabilize(
    fixture,
    Array.from({ length: 20 }, () => ({})),
  );
  expect(joined).toHaveLength(20);
  expect(fixture.platform.timerCount).toBe(1);
  await fixture.platform.runUntilIdle();
  expect(await state(fixture)).toBe("Empty");
});

test("a rebalance after another keeps the leader and raises the generation by one", async () => {
  const fixture = createGroupFixture();
  const [leader] = await stabilize(fixture, [{}]);
  const newcomer = await startJoin(fixture);
  const again = watch(fixture.groups.join(joinRequest({ memberId: leader?.memberId ?? "" })));
  await fixture.platform.settle();
  const joined = [again.value ?? missing(), newcomer.value ?? missing()];
  expect(joined.map(({ generationId }) => generationId)).toEqual([2, 2]);
  expect(joined.map(({ leaderId }) => leaderId)).toEqual([
    leader?.memberId ?? "",
    leader?.memberId ?? "",
  ]);
  const synced = await syncAll(fixture, joined);
  expect(synced).toHaveLength(2);
});

async function beat(fixture: GroupFixture, member: Parameters<typeof memberOf>[0] | undefined) {
  const beating = watch(fixture.groups.heartbeat(memberOf(member ?? missing())));
  await fixture.platform.settle();
  return beating.error?.code;
}

async function state(fixture: GroupFixture) {
  const described = watch(fixture.groups.describeGroups(["g"]));
  await fixture.platform.settle();
  return described.value?.[0]?.state;
}

function missing(): never {
  throw new Error("an answer was expected");
}

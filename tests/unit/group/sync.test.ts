import { expect, test } from "bun:test";
import type { JoinResult } from "../../../src/group/types.ts";
import {
  createGroupFixture,
  failure,
  type GroupFixture,
  memberOf,
  stabilize,
  startJoin,
  syncRequest,
  textOf,
  watch,
} from "../../support/group-fixture.ts";
import type { GroupStoreFault } from "../../support/memory-group-store.ts";

/** Two members that joined and have not synced. */
async function joinTwo(fixture: GroupFixture): Promise<readonly [JoinResult, JoinResult]> {
  const joins = [await startJoin(fixture), await startJoin(fixture)];
  await fixture.platform.advance(2_000);
  const [leader, follower] = joins.map((join) => join.value);
  if (leader === undefined || follower === undefined) throw new Error("both join");
  return [leader, follower];
}

test("sync gives each member its own part once the leader has assigned", async () => {
  const fixture = createGroupFixture();
  const [leader, follower] = await joinTwo(fixture);
  const waiting = watch(fixture.groups.sync(syncRequest(follower)));
  await fixture.platform.advance(1_000);
  expect(waiting.value).toBeUndefined();
  const parts = { [leader.memberId]: "one", [follower.memberId]: "two", stranger: "three" };
  const assigned = watch(fixture.groups.sync(syncRequest(leader, parts)));
  await fixture.platform.settle();
  expect(textOf(assigned.value?.assignment)).toBe("one");
  expect(waiting.value).toMatchObject({ protocolType: "consumer", protocolName: "range" });
  expect(textOf(waiting.value?.assignment)).toBe("two");
  const late = watch(fixture.groups.sync(syncRequest(follower)));
  await fixture.platform.settle();
  expect(textOf(late.value?.assignment)).toBe("two");
});

test("sync gives an empty assignment to members that the leader left out", async () => {
  const fixture = createGroupFixture();
  const [leader, follower] = await joinTwo(fixture);
  watch(fixture.groups.sync(syncRequest(leader, { [leader.memberId]: "all" })));
  const left = watch(fixture.groups.sync(syncRequest(follower)));
  await fixture.platform.settle();
  expect(left.value?.assignment).toHaveLength(0);
});

test("sync gives nothing away before the assignment is stored", async () => {
  const fixture = createGroupFixture({ delayMs: () => 200 });
  const joining = watch(startJoinSlowly(fixture));
  await fixture.platform.advance(5_000);
  const leader = joining.value;
  if (leader === undefined) throw new Error("the member joins");
  const sync = watch(fixture.groups.sync(syncRequest(leader, { [leader.memberId]: "all" })));
  await fixture.platform.advance(199);
  expect(sync.value).toBeUndefined();
  await fixture.platform.advance(1);
  expect(textOf(sync.value?.assignment)).toBe("all");
});

test("sync refuses strangers, stale generations and other protocols", async () => {
  const fixture = createGroupFixture();
  const [leader] = await joinTwo(fixture);
  const good = syncRequest(leader);
  const { groups } = fixture;
  const cases = [
    [{ ...good, memberId: "x" }, "member_unknown"],
    [{ ...good, generationId: 0 }, "generation_stale"],
    [{ ...good, generationId: 2 }, "generation_stale"],
    [{ ...good, protocolType: "connect" }, "inconsistent_group_protocol"],
    [{ ...good, protocolName: "sticky" }, "inconsistent_group_protocol"],
    [{ ...good, groupInstanceId: "i" }, "member_unknown"],
    [{ ...good, groupId: "" }, "invalid_group_id"],
    [{ ...good, groupId: "other" }, "member_unknown"],
  ] as const;
  for (const [request, code] of cases) {
    expect(await failure(fixture, groups.sync(request))).toBe(code);
  }
});

test("sync of a member is sent back when another joins before the leader assigned", async () => {
  const fixture = createGroupFixture();
  const [, follower] = await joinTwo(fixture);
  const waiting = watch(fixture.groups.sync(syncRequest(follower)));
  await fixture.platform.settle();
  await startJoin(fixture);
  expect(waiting.error?.code).toBe("rebalance_in_progress");
  const again = fixture.groups.sync(syncRequest(follower));
  expect(await failure(fixture, again)).toBe("rebalance_in_progress");
});

test("sync drops an assignment that was stored after another rebalance had begun", async () => {
  const fixture = createGroupFixture({ delayMs: () => 100 });
  const joining = watch(startJoinSlowly(fixture));
  await fixture.platform.advance(5_000);
  const leader = joining.value;
  if (leader === undefined) throw new Error("the member joins");
  const sync = watch(fixture.groups.sync(syncRequest(leader, { [leader.memberId]: "old" })));
  await fixture.platform.advance(10);
  await startJoin(fixture);
  await fixture.platform.advance(500);
  expect(sync.error?.code).toBe("rebalance_in_progress");
  const [described] = await fixture.groups.describeGroups(["g"]);
  expect(described?.state).toBe("PreparingRebalance");
});

test("sync fails for all and rebalances when the assignment cannot be stored", async () => {
  let fault: GroupStoreFault = "none";
  const fixture = createGroupFixture({
    fault: (method) => (method === "saveSnapshot" ? fault : "none"),
  });
  for (fault of ["refused", "lost"] as const) {
    const joined = await joinTwo(fixture);
    const syncs = joined.map((join) => watch(fixture.groups.sync(syncRequest(join, { a: "b" }))));
    await fixture.platform.settle();
    expect(syncs.map(({ error }) => error?.code)).toEqual([
      "metadata_unavailable",
      "metadata_unavailable",
    ]);
    const beats = joined.map((join) => failure(fixture, fixture.groups.heartbeat(memberOf(join))));
    expect(await Promise.all(beats)).toEqual(["rebalance_in_progress", "rebalance_in_progress"]);
    await fixture.platform.runUntilIdle();
  }
});

test("sync elects another leader when the leader falls silent before assigning", async () => {
  const fixture = createGroupFixture();
  const [leader, follower] = await joinTwo(fixture);
  const waiting = watch(fixture.groups.sync(syncRequest(follower)));
  await fixture.platform.advance(10_000);
  expect(waiting.error?.code).toBe("rebalance_in_progress");
  const again = await startJoin(fixture, { memberId: follower.memberId });
  expect(again.value).toMatchObject({ generationId: 2, leaderId: follower.memberId });
  const gone = fixture.groups.heartbeat(memberOf(leader));
  expect(await failure(fixture, gone)).toBe("member_unknown");
});

test("sync of a stable group needs no leader", async () => {
  const fixture = createGroupFixture();
  const [leader, follower] = await stabilize(fixture, [{}, {}]);
  for (const member of [leader, follower]) {
    if (member === undefined) throw new Error("both are members");
    const sync = watch(fixture.groups.sync(syncRequest(member)));
    await fixture.platform.settle();
    expect(textOf(sync.value?.assignment)).toBe(member.memberId);
  }
});

/** Joins on a store that answers late, where settling is not enough. */
async function startJoinSlowly(fixture: GroupFixture): Promise<JoinResult> {
  const first = await fixture.groups
    .join({ ...joinBase(), memberId: "" })
    .catch((error: { details: { memberId: string } }) => error.details.memberId);
  return await fixture.groups.join({ ...joinBase(), memberId: String(first) });
}

function joinBase() {
  return {
    groupId: "g",
    groupInstanceId: null,
    clientId: "client",
    clientHost: "/127.0.0.1",
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: new Uint8Array(6) }],
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    requireKnownMemberId: true,
    supportSkippingAssignment: true,
    reason: null,
  };
}

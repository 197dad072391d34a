import { expect, test } from "bun:test";
import type { CommitRequest } from "../../../src/group/types.ts";
import {
  answer,
  createGroupFixture,
  failure,
  joinRequest,
  memberOf,
  offsetOf,
  protocol,
  stabilize,
  startJoin,
  syncRequest,
  textOf,
  watch,
} from "../../support/group-fixture.ts";
import type { GroupStoreFault } from "../../support/memory-group-store.ts";

function commitTo(groupId: string, change: Partial<CommitRequest> = {}): CommitRequest {
  return {
    groupId,
    memberId: "",
    groupInstanceId: null,
    generationId: -1,
    retentionMs: null,
    offsets: [offsetOf("orders", 0, 1)],
    ...change,
  };
}

const everything = { states: [], types: [] };

test("describe shows metadata and assignments of a stable group only", async () => {
  const fixture = createGroupFixture();
  const [member] = await stabilize(fixture, [{ clientId: "app", groupInstanceId: "i1" }]);
  const [stable] = await fixture.groups.describeGroups(["g"]);
  expect(stable).toMatchObject({
    state: "Stable",
    protocolType: "consumer",
    protocolName: "range",
    error: null,
  });
  expect(stable?.members).toEqual([
    {
      memberId: member?.memberId ?? "",
      groupInstanceId: "i1",
      clientId: "app",
      clientHost: "/127.0.0.1",
      metadata: protocol("range", "orders").metadata,
      assignment: new TextEncoder().encode(member?.memberId),
    },
  ]);
  await startJoin(fixture);
  const [moving] = await fixture.groups.describeGroups(["g"]);
  expect(moving).toMatchObject({ state: "PreparingRebalance", protocolName: "" });
  expect(moving?.members.map(({ metadata }) => metadata.length)).toEqual([0, 0]);
});

test("describe answers unknown groups as dead, in the order asked", async () => {
  const fixture = createGroupFixture();
  await answer(fixture, fixture.groups.commitOffsets(commitTo("b")));
  const described = await answer(fixture, fixture.groups.describeGroups(["a", "b", "a"]));
  expect(described.map(({ groupId, state, error }) => [groupId, state, error])).toEqual([
    ["a", "Dead", "group_unknown"],
    ["b", "Empty", null],
    ["a", "Dead", "group_unknown"],
  ]);
});

test("list filters without case, and shows groups that nobody leads", async () => {
  const fixture = createGroupFixture();
  await stabilize(fixture, [{}]);
  await answer(fixture, fixture.groups.commitOffsets(commitTo("simple")));
  const list = async (states: string[], types: string[] = []) =>
    (await answer(fixture, fixture.groups.listGroups({ states, types }))).map(
      ({ groupId }) => groupId,
    );
  expect(await list([])).toEqual(["g", "simple"]);
  expect(await list(["stable"])).toEqual(["g"]);
  expect(await list(["Empty", "Dead"])).toEqual(["simple"]);
  expect(await list([], ["CLASSIC"])).toEqual(["g", "simple"]);
  expect(await list([], ["consumer"])).toEqual([]);
  const other = fixture.another(2);
  expect(await answer(fixture, other.listGroups(everything))).toEqual([]);
  fixture.metadata.closeWorker(1);
  expect(await answer(fixture, other.listGroups(everything))).toEqual([
    { groupId: "g", protocolType: "consumer", state: "Stable", type: "Classic" },
    { groupId: "simple", protocolType: "", state: "Empty", type: "Classic" },
  ]);
});

test("list does not show groups that were only asked about", async () => {
  const fixture = createGroupFixture();
  await answer(fixture, fixture.groups.describeGroups(["ghost"]));
  expect(await answer(fixture, fixture.groups.listGroups(everything))).toEqual([]);
});

test("delete takes empty groups with their offsets and starts generations anew", async () => {
  const fixture = createGroupFixture();
  const [member] = await stabilize(fixture, [{}]);
  await answer(fixture, fixture.groups.commitOffsets(commitTo("simple")));
  const asked = ["g", "simple", "nobody"];
  expect(await answer(fixture, fixture.groups.deleteGroups(asked))).toEqual([
    { groupId: "g", error: "group_not_empty" },
    { groupId: "simple", error: null },
    { groupId: "nobody", error: "group_unknown" },
  ]);
  const members = [{ memberId: member?.memberId ?? "", groupInstanceId: null, reason: null }];
  await answer(fixture, fixture.groups.leave({ groupId: "g", members }));
  expect(await answer(fixture, fixture.groups.deleteGroups(["g"]))).toEqual([
    { groupId: "g", error: null },
  ]);
  expect(fixture.metadata.row("g")).toMatchObject({ snapshot: null });
  expect(await answer(fixture, fixture.groups.listGroups(everything))).toEqual([]);
  const [again] = await stabilize(fixture, [{}]);
  expect(again?.generationId).toBe(1);
});

test("a delete whose reply is lost leaves it to the store what the group has", async () => {
  let fault: GroupStoreFault = "lost";
  const fixture = createGroupFixture({
    fault: (method) => (method === "deleteGroup" ? fault : "none"),
  });
  for (fault of ["lost", "refused"] as const) {
    await answer(fixture, fixture.groups.commitOffsets(commitTo("g")));
    const deleted = await answer(fixture, fixture.groups.deleteGroups(["g"]));
    expect(deleted[0]?.error).toBe("metadata_unavailable");
    const described = await answer(fixture, fixture.groups.describeGroups(["g"]));
    expect(described[0]?.error).toBe(fault === "lost" ? "group_unknown" : null);
  }
});

test("members carry on with a fresh session when another worker takes over", async () => {
  const fixture = createGroupFixture();
  const joined = await stabilize(fixture, [{}, { groupInstanceId: "i1" }]);
  await fixture.platform.advance(9_000);
  const other = fixture.another(2);
  fixture.metadata.closeWorker(1);
  await answer(fixture, other.describeGroups(["g"]));
  await fixture.platform.advance(9_000);
  for (const [index, join] of joined.entries()) {
    const instanceId = index === 1 ? "i1" : null;
    await answer(fixture, other.heartbeat(memberOf(join, instanceId)));
    const sync = await answer(fixture, other.sync(syncRequest(join, {}, instanceId)));
    expect(textOf(sync.assignment)).toBe(join.memberId);
    const commit = commitTo("g", memberOf(join, instanceId));
    expect(await answer(fixture, other.commitOffsets(commit))).toEqual([null]);
  }
  const described = await answer(fixture, other.describeGroups(["g"]));
  expect(described[0]).toMatchObject({ state: "Stable", protocolName: "range" });
  await fixture.platform.advance(10_000);
  expect((await answer(fixture, other.describeGroups(["g"])))[0]?.state).toBe("Empty");
});

test("a follower that joins again after a take-over does not rebalance", async () => {
  const fixture = createGroupFixture();
  const protocols = [protocol("range", "orders"), protocol("sticky", "orders")];
  const [, follower] = await stabilize(fixture, [{ protocols }, { protocols }]);
  const groups = fixture.another(2);
  fixture.metadata.closeWorker(1);
  const again = groups.join(joinRequest({ memberId: follower?.memberId ?? "", protocols }));
  expect((await answer(fixture, again)).generationId).toBe(1);
});

test("a worker that lost its lease cannot commit, and sends who waits elsewhere", async () => {
  const fixture = createGroupFixture();
  const [member] = await stabilize(fixture, [{}]);
  if (member === undefined) throw new Error("one joined");
  const parked = await startJoin(fixture);
  const other = fixture.another(2);
  fixture.metadata.closeWorker(1);
  await answer(fixture, other.describeGroups(["g"]));
  const commit = commitTo("g", memberOf(member));
  const refused = fixture.groups.commitOffsets(commit);
  expect(await failure(fixture, refused)).toBe("coordinator_elsewhere");
  expect(parked.error?.code).toBe("coordinator_elsewhere");
  expect(fixture.metadata.commits).toEqual([]);
  expect(fixture.groups.stats().members).toBe(0);
});

test("a worker that lost its lease does not answer offsets", async () => {
  const fixture = createGroupFixture();
  await answer(fixture, fixture.groups.commitOffsets(commitTo("g")));
  const other = fixture.another(2);
  fixture.metadata.closeWorker(1);
  await answer(
    fixture,
    other.commitOffsets(commitTo("g", { offsets: [offsetOf("orders", 0, 2)] })),
  );
  const stale = fixture.groups.fetchOffsets({
    groupId: "g",
    partitions: null,
    requireStable: false,
  });
  expect(await failure(fixture, stale)).toBe("coordinator_elsewhere");
});

test("a group led by a live worker is refused by the others, and located there", async () => {
  const fixture = createGroupFixture();
  await stabilize(fixture, [{}]);
  const other = fixture.another(2);
  const refused = other.join(joinRequest());
  expect(await failure(fixture, refused)).toBe("coordinator_elsewhere");
  expect(await answer(fixture, other.locate("g"))).toEqual({
    kind: "elsewhere",
    worker: { nodeId: 1, host: "127.0.0.1", port: 9_093 },
  });
  expect(await answer(fixture, fixture.groups.locate("g"))).toEqual({ kind: "self" });
});

test("fence drops all groups at once, and they open again under a new lease", async () => {
  const fixture = createGroupFixture();
  const [member] = await stabilize(fixture, [{}]);
  const parked = await startJoin(fixture);
  fixture.metadata.closeWorker(1);
  fixture.groups.fence();
  await fixture.platform.settle();
  expect(parked.error?.code).toBe("coordinator_elsewhere");
  expect(fixture.platform.timerCount).toBe(0);
  fixture.metadata.worker(1);
  await answer(fixture, fixture.groups.heartbeat(memberOf(member ?? missing())));
  expect(fixture.metadata.row("g").leaseEpoch).toBe(2);
});

test("close writes what is under way, gives leases back and refuses what comes", async () => {
  const fixture = createGroupFixture({ delayMs: () => 20 });
  const commit = watch(fixture.groups.commitOffsets(commitTo("g")));
  await fixture.platform.advance(50);
  const closing = watch(fixture.groups.close());
  await fixture.platform.advance(500);
  await closing.promise;
  expect(commit.value).toEqual([null]);
  expect(fixture.metadata.row("g").holder).toBeNull();
  const late = fixture.groups.commitOffsets(commitTo("g"));
  expect(await failure(fixture, late)).toBe("shutting_down");
});

test("idle groups are let go where room is needed, busy ones are not", async () => {
  const fixture = createGroupFixture({ loadedMax: 2 });
  await stabilize(fixture, [{}]);
  for (const groupId of ["a", "b", "c"]) {
    await answer(fixture, fixture.groups.commitOffsets(commitTo(groupId)));
  }
  expect(fixture.metadata.row("g").holder).toBe(1);
  expect(["a", "b", "c"].map((groupId) => fixture.metadata.row(groupId).holder)).toEqual([
    null,
    null,
    1,
  ]);
  expect(await answer(fixture, fixture.groups.listGroups(everything))).toHaveLength(4);
  const join = watch(fixture.groups.join(joinRequest({ groupId: "c" })));
  await fixture.platform.settle();
  expect(join.error?.code).toBe("member_id_required");
  const refused = fixture.groups.commitOffsets(commitTo("d"));
  expect(await failure(fixture, refused)).toBe("coordinator_unavailable");
});

test("sweep lets groups go that nobody asked for, with their lease", async () => {
  const fixture = createGroupFixture();
  await answer(fixture, fixture.groups.commitOffsets(commitTo("g")));
  await fixture.platform.advance(299_000);
  await answer(fixture, fixture.groups.sweep());
  expect(fixture.metadata.row("g").holder).toBe(1);
  await fixture.platform.advance(2_000);
  await answer(fixture, fixture.groups.sweep());
  expect(fixture.metadata.row("g").holder).toBeNull();
  const epoch = fixture.metadata.row("g").leaseEpoch;
  await answer(fixture, fixture.groups.commitOffsets(commitTo("g")));
  expect(fixture.metadata.row("g").leaseEpoch).toBe(epoch + 1);
});

test("a group whose snapshot is corrupt is refused with the reason", async () => {
  const fixture = createGroupFixture();
  fixture.metadata.row("g").snapshot = { text: "{}", state: "Stable", protocolType: "consumer" };
  const refused = watch(fixture.groups.join(joinRequest()));
  await fixture.platform.advance(10);
  expect(refused.error?.code).toBe("corrupt_metadata");
  expect(refused.error?.message).toContain('state of group "g"');
});

test("stats count groups by state and members", async () => {
  const fixture = createGroupFixture();
  await stabilize(fixture, [{}, {}]);
  await answer(fixture, fixture.groups.commitOffsets(commitTo("simple")));
  expect(fixture.groups.stats()).toEqual({
    groups: { Empty: 1, PreparingRebalance: 0, CompletingRebalance: 0, Stable: 1, Dead: 0 },
    members: 2,
  });
});

function missing(): never {
  throw new Error("an answer was expected");
}

import { expect, test } from "bun:test";
import { isStreamError } from "../../../../src/base/stream-error.ts";
import { GroupCoordinator } from "../../../../src/group/coordinator.ts";
import type { GroupService } from "../../../../src/group/group-service.ts";
import type { JoinRequest } from "../../../../src/group/types.ts";
import type { TopicId, TopicName } from "../../../../src/record/types.ts";
import { createHttpSurface } from "../../../../src/server/http/app.ts";
import type { HttpContext } from "../../../../src/server/http/context.ts";
import { mountGroupCalls } from "../../../../src/server/http/group-calls.ts";
import { peerGroups } from "../../../../src/server/http/peer-groups.ts";
import { createHttpFixture } from "../../../support/http-fixture.ts";
import { MemoryGroups } from "../../../support/memory-group-store.ts";

const token = "secret";
const node = (nodeId: number) => ({
  nodeId,
  kafkaHost: "one.address",
  kafkaPort: 9092,
  httpUrl: `http://worker-${nodeId}.localhost`,
});

interface TwoWorkers {
  /** The groups of all workers, as a client of the worker sees them. */
  readonly through: (nodeId: number) => GroupService;
  /** Those that the worker coordinates. */
  readonly own: (nodeId: number) => GroupService;
  /** `worker method` of each call that went from one to the other. */
  readonly calls: string[];
  /** From now on nobody reaches it. */
  readonly lose: (nodeId: number) => void;
  /** It is known to be gone: its leases fall, and the list of workers is without it. */
  readonly close: (nodeId: number) => void;
  /** It takes connections from now on, and never answers. */
  readonly silence: (nodeId: number) => void;
  /** Called in every pause between attempts, of which each takes as long as it says and no time. */
  onPause: () => void;
  readonly stop: () => void;
}

/** Two workers on one group metadata, each reaching the other by its URL. */
function twoWorkers(options: { readonly shownToken?: string; readonly passes?: boolean } = {}) {
  const { shownToken = token, passes = true } = options;
  const { context, log, stop } = createHttpFixture({ settings: { token } });
  const metadata = new MemoryGroups({ platform: context.platform });
  const surfaces = new Map<string, ReturnType<typeof createHttpSurface>>();
  const groups = new Map<number, { own: GroupService; all: GroupService }>();
  const calls: string[] = [];
  const nodes = [node(1), node(2)];
  const silent = new Set<string>();
  const { clock, timers } = context.platform;
  let pausedMs = 0;
  const platform = {
    clock: { ...clock, monotonic: () => clock.monotonic() + pausedMs },
    timers: {
      after: timers.after,
      sleep: async (delayMs: number) => {
        pausedMs += delayMs;
        workers.onPause();
      },
    },
  };
  for (const nodeId of [1, 2]) {
    const own = new GroupCoordinator({ platform: context.platform, ...metadata.worker(nodeId) });
    const cluster = () => ({ clusterId: "c", selfNodeId: nodeId, nodes });
    const asked: HttpContext = { ...context, groups: own };
    const surface = createHttpSurface(asked);
    mountGroupCalls(surface, asked);
    surfaces.set(new URL(node(nodeId).httpUrl).hostname, surface);
    const all = peerGroups({
      ...{ local: own, log: Object.assign(Object.create(log), { cluster }) },
      ...{ platform, token: shownToken, shutdown: context.shutdown },
      passesTo: () => passes,
      fetch: async (url, init) => {
        const { hostname, pathname } = new URL(url);
        const surface = surfaces.get(hostname);
        if (silent.has(hostname)) return await untilAborted(init.signal);
        if (surface === undefined) throw new TypeError("connection refused");
        calls.push(`${hostname.slice(0, 8)} ${pathname.split("/").at(-1)}`);
        return surface.app.fetch(new Request(url, init));
      },
    });
    groups.set(nodeId, { own, all });
  }
  const of = (nodeId: number) => {
    const found = groups.get(nodeId);
    if (found === undefined) throw new Error(`no worker ${nodeId}`);
    return found;
  };
  const workers: TwoWorkers = {
    through: (nodeId) => of(nodeId).all,
    own: (nodeId) => of(nodeId).own,
    calls,
    lose: (nodeId) => void surfaces.delete(`worker-${nodeId}.localhost`),
    close: (nodeId) => {
      metadata.closeWorker(nodeId);
      nodes.splice(0, nodes.length, ...nodes.filter((each) => each.nodeId !== nodeId));
    },
    silence: (nodeId) => void silent.add(`worker-${nodeId}.localhost`),
    onPause: () => {},
    stop,
  };
  return workers;
}

function untilAborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(new TypeError("aborted")), { once: true });
  });
}

const bytes = (text: string) => new TextEncoder().encode(text);

const joinRequest: JoinRequest = {
  ...{ groupId: "g", memberId: "", groupInstanceId: null, clientId: "c", clientHost: "/host" },
  protocolType: "consumer",
  protocols: [{ name: "range", metadata: bytes("subscription") }],
  ...{ sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000 },
  ...{ requireKnownMemberId: false, supportSkippingAssignment: true, reason: null },
};
const key = { topicId: "t-id" as TopicId, topicName: "t" as TopicName, partition: 0 };

/** Has worker 1 coordinate the group `g`. */
async function ledByOne(workers: TwoWorkers): Promise<void> {
  await workers.own(1).fetchOffsets({ groupId: "g", partitions: null, requireStable: false });
}

async function codeOf(refused: Promise<unknown>): Promise<string | undefined> {
  const error = await refused.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return isStreamError(error) ? error.code : undefined;
}

test("every call about a group goes to its coordinator, and its answer comes back", async () => {
  const workers = twoWorkers();
  await ledByOne(workers);
  const groups = workers.through(2);
  expect(await groups.locate("g")).toMatchObject({ kind: "elsewhere", worker: { nodeId: 1 } });
  const refused = groups.join({ ...joinRequest, requireKnownMemberId: true });
  const error = await refused.catch((reason: unknown) => reason);
  if (!isStreamError(error, "member_id_required")) throw error;
  const memberId = String(error.details["memberId"]);
  const joined = await groups.join({ ...joinRequest, memberId });
  const metadata = bytes("subscription");
  expect(joined).toEqual({
    ...{ memberId, generationId: 1, protocolType: "consumer", protocolName: "range" },
    ...{ leaderId: memberId, skipAssignment: false },
    members: [{ memberId, groupInstanceId: null, metadata }],
  });
  const member = { groupId: "g", memberId, groupInstanceId: null, generationId: 1 };
  const assignment = bytes("all of it");
  const protocol = { protocolType: "consumer", protocolName: "range" };
  const assignments = [{ memberId, assignment }];
  expect(await groups.sync({ ...member, ...protocol, assignments })).toEqual({
    ...protocol,
    assignment,
  });
  expect(await groups.heartbeat(member)).toBeUndefined();
  const offsets = [{ ...key, offset: 7, leaderEpoch: 1, metadata: "note" }];
  expect(await groups.commitOffsets({ ...member, retentionMs: null, offsets })).toEqual([null]);
  const asked = { groupId: "g", partitions: [key], requireStable: true };
  expect(await groups.fetchOffsets(asked)).toMatchObject([{ ...offsets[0], error: null }]);
  const [described] = await groups.describeGroups(["g"]);
  expect(described).toMatchObject({
    state: "Stable",
    members: [{ memberId, clientHost: "/host" }],
  });
  expect(described?.members[0]?.assignment).toEqual(assignment);
  const filter = { states: [], types: [] };
  expect(await groups.listGroups(filter)).toMatchObject([{ groupId: "g", state: "Stable" }]);
  expect(await groups.deleteGroups(["g"])).toEqual([{ groupId: "g", error: "group_not_empty" }]);
  const leaving = { groupId: "g", members: [{ memberId, groupInstanceId: null, reason: null }] };
  const left = { memberId, groupInstanceId: null, error: null };
  expect(await groups.leave(leaving)).toEqual([left]);
  expect(await groups.deleteOffsets({ groupId: "g", partitions: [key] })).toEqual([null]);
  expect(await codeOf(groups.heartbeat(member))).toBe("member_unknown");
  const asked1 = "join join sync heartbeat commitOffsets fetchOffsets describeGroups listGroups";
  const asked2 = "deleteGroups leave deleteOffsets heartbeat";
  const methods = `${asked1} ${asked2}`.split(" ");
  expect(workers.calls).toEqual(methods.map((method) => `worker-1 ${method}`));
});

test("a worker that coordinates a group asks nobody about it", async () => {
  const workers = twoWorkers();
  await ledByOne(workers);
  expect((await workers.through(1).join(joinRequest)).generationId).toBe(1);
  expect(workers.calls).toEqual([]);
});

test("a coordinator that is remembered and is none any more is asked once, then the new one", async () => {
  const workers = twoWorkers();
  await ledByOne(workers);
  const groups = workers.through(2);
  const asked = { groupId: "g", partitions: null, requireStable: false };
  await groups.fetchOffsets(asked);
  // It stops, and gives the lease back, which the next one takes.
  await (workers.own(1) as GroupCoordinator).close();
  await workers.own(2).fetchOffsets(asked);
  expect(await groups.fetchOffsets(asked)).toEqual([]);
  expect(workers.calls).toEqual(["worker-1 fetchOffsets", "worker-1 fetchOffsets"]);
});

test("a call waits until the group of a dead worker has a coordinator again", async () => {
  const workers = twoWorkers();
  await ledByOne(workers);
  const groups = workers.through(2);
  const joined = await groups.join(joinRequest);
  const member = { groupId: "g", memberId: joined.memberId, groupInstanceId: null };
  await groups.sync({
    ...{ ...member, generationId: 1, protocolType: "consumer", protocolName: "range" },
    assignments: [{ memberId: joined.memberId, assignment: bytes("all of it") }],
  });
  workers.lose(1);
  let pauses = 0;
  workers.onPause = () => {
    if (++pauses === 10) workers.close(1);
  };
  const offsets = [{ ...key, offset: 7, leaderEpoch: 1, metadata: "" }];
  const commit = { ...member, generationId: 1, retentionMs: null, offsets };
  expect(await groups.commitOffsets(commit)).toEqual([null]);
  expect(pauses).toBe(10);
  expect(await groups.heartbeat({ ...member, generationId: 1 })).toBeUndefined();
});

test("an answer is not waited for when its worker is known to be gone", async () => {
  const workers = twoWorkers();
  await ledByOne(workers);
  const groups = workers.through(2);
  await groups.join(joinRequest);
  workers.silence(1);
  const asked = groups.fetchOffsets({ groupId: "g", partitions: null, requireStable: false });
  workers.close(1);
  expect(await asked).toEqual([]);
});

test("who is not there for long, or takes another token, is no coordinator for now", async () => {
  const lost = twoWorkers();
  await ledByOne(lost);
  lost.lose(1);
  let pauses = 0;
  lost.onPause = () => void pauses++;
  expect(await codeOf(lost.through(2).join(joinRequest))).toBe("coordinator_unavailable");
  expect(pauses).toBeGreaterThanOrEqual(19);
  const denied = twoWorkers({ shownToken: "another" });
  await ledByOne(denied);
  expect(await codeOf(denied.through(2).join(joinRequest))).toBe("coordinator_unavailable");
});

test("a client that reaches the coordinator by itself is told to", async () => {
  const workers = twoWorkers({ passes: false });
  await ledByOne(workers);
  expect(await codeOf(workers.through(2).join(joinRequest))).toBe("coordinator_elsewhere");
  expect(await workers.through(2).listGroups({ states: [], types: [] })).toEqual([]);
  expect(workers.calls).toEqual([]);
});

test("a join that waits ends when either worker stops", async () => {
  const workers = twoWorkers();
  await ledByOne(workers);
  const groups = workers.through(2);
  const first = await groups.join(joinRequest);
  const waiting = groups.join(joinRequest);
  // The first member does not come back to the rebalance that the second has begun.
  while (workers.calls.length < 2) await Bun.sleep(1);
  expect(first.generationId).toBe(1);
  workers.stop();
  expect(await codeOf(waiting)).toBe("shutting_down");
});

/** `/v1/groups`: consumer groups and their committed offsets. */
import { type Context, Hono } from "hono";
import { present } from "../../base/assert.ts";
import { type ErrorCode, isStreamError, StreamError } from "../../base/stream-error.ts";
import type { DescribedGroup, FetchedOffset, OffsetToCommit } from "../../group/types.ts";
import { emptyQuery, readWaitMsMax } from "../../wire/http/queries.ts";
import {
  type CommitOffsetsRequest,
  commitOffsetsRequest,
  type GroupDetails,
  type GroupSummary,
  groupList,
} from "../../wire/http/shapes.ts";
import { consumerAssignment, decodeConsumerProtocol } from "../../wire/kafka/consumer-protocol.ts";
import { unknownPartition } from "./batch-build.ts";
import { checkQuery } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import type { Endpoints } from "./endpoint.ts";
import { commitByNobody } from "./group-commit.ts";
import { GroupPoll } from "./group-poll.ts";
import { jsonAnswer } from "./json-answer.ts";
import { Peers } from "./peers.ts";
import { receiveJson } from "./request-json.ts";
import { requireTopic } from "./topic-lookup.ts";

export function groupsApp(context: HttpContext, endpoints: Endpoints): Hono {
  const app = new Hono();
  const { groups } = context;
  const peers = new Peers(context);
  /** Answers here when this worker coordinates the group, else has its coordinator answer. */
  const coordinated =
    (handler: (c: Context, groupId: string) => Promise<Response>, waitMsMax = 0) =>
    async (c: Context) => {
      const groupId = c.req.param("group") ?? "";
      const location = await groups.locate(groupId);
      if (location.kind === "self") return handler(c, groupId);
      return peers.pass(c.req.raw, location.worker.nodeId, waitMsMax);
    };
  endpoints.mount(app, "listGroups", async (c) => {
    checkQuery(emptyQuery, c.req.url);
    return jsonAnswer(c, { groups: await listGroups(c.req.raw, context, peers) });
  });
  endpoints.mount(
    app,
    "describeGroup",
    coordinated(async (c, groupId) => jsonAnswer(c, await describe(context, groupId))),
  );
  endpoints.mount(
    app,
    "commitOffsets",
    coordinated(async (c, groupId) => {
      const request = await receiveJson(commitOffsetsRequest, c, context);
      return jsonAnswer(c, { offsets: await commit(context, groupId, request) });
    }),
  );
  const poll = new GroupPoll(context);
  endpoints.mount(
    app,
    "pollGroup",
    coordinated((c, groupId) => poll.handle(c, groupId), readWaitMsMax),
  );
  endpoints.mount(
    app,
    "deleteGroup",
    coordinated(async (c, groupId) => {
      const [deleted] = await groups.deleteGroups([groupId]);
      refuse(deleted?.error ?? null, `Cannot delete group "${groupId}"`);
      return c.body(null, 204);
    }),
  );
  return app;
}

/** The groups of all workers: each knows those that it coordinates, and those of nobody. */
async function listGroups(
  request: Request,
  { groups }: HttpContext,
  peers: Peers,
): Promise<GroupSummary[]> {
  const here = await groups.listGroups({ states: [], types: [] });
  const byId = new Map<string, GroupSummary>();
  const there = await Promise.all(
    peers.othersThan(request).map(async (node) => {
      const response = await peers.send(request, node);
      if (response.ok) return groupList.parse(await response.json()).groups;
      throw new StreamError(
        "coordinator_unavailable",
        `Cannot list groups: worker ${node.nodeId} answered ${response.status}`,
      );
    }),
  );
  for (const { groupId, state, protocolType } of [...there.flat(), ...here]) {
    byId.set(groupId, { groupId, state, protocolType });
  }
  return [...byId.values()].sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
}

async function describe(context: HttpContext, groupId: string): Promise<GroupDetails> {
  const [found] = await context.groups.describeGroups([groupId]);
  const group = present(found, "answer for the group asked");
  refuse(group.error, `Cannot find group "${groupId}"`);
  const committed = await context.groups.fetchOffsets({
    groupId,
    partitions: null,
    requireStable: false,
  });
  const { state, protocolType, protocolName } = group;
  return {
    groupId,
    state,
    protocolType,
    protocolName,
    members: membersOf(group),
    offsets: await offsetsOf(context, committed),
  };
}

function membersOf(group: DescribedGroup): GroupDetails["members"] {
  return group.members.map(({ memberId, groupInstanceId, clientId, clientHost, assignment }) => ({
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    assignments: group.protocolType === "consumer" ? assignedTopics(assignment) : [],
  }));
}

/** The partitions that a consumer was given; none for bytes that are no such assignment. */
function assignedTopics(assignment: Uint8Array): { topic: string; partitions: number[] }[] {
  if (assignment.length === 0) return [];
  try {
    const { assignedPartitions } = decodeConsumerProtocol(consumerAssignment, assignment);
    return assignedPartitions.map(({ topic, partitions }) => ({
      topic,
      partitions: [...partitions],
    }));
  } catch (error) {
    if (isStreamError(error, "invalid_request")) return [];
    throw error;
  }
}

async function offsetsOf(
  { topics, log }: HttpContext,
  committed: readonly FetchedOffset[],
): Promise<GroupDetails["offsets"]> {
  const infos = await Promise.all(committed.map(({ topicId }) => topics.byId(topicId)));
  const live = committed.flatMap(({ partition }, index) => {
    const topic = infos[index];
    return topic === undefined ? [] : [{ index, topic, partition }];
  });
  const status = await log.status(live);
  const statusByIndex = new Map(live.map(({ index }, position) => [index, status[position]]));
  return committed
    .map(({ topicName, partition, offset, metadata }, index) => {
      const ends = statusByIndex.get(index);
      const high = ends?.highOffset ?? null;
      const logStartOffset = ends?.logStartOffset ?? null;
      // What was deleted before the group read it is nothing that it can still catch up on.
      const from = Math.max(offset, logStartOffset ?? 0);
      const lag = high === null ? null : Math.max(0, high - from);
      return {
        topic: topicName,
        partition,
        offset,
        metadata,
        logStartOffset,
        highOffset: high,
        lag,
      };
    })
    .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
}

async function commit(
  context: HttpContext,
  groupId: string,
  request: CommitOffsetsRequest,
): Promise<{ topic: string; partition: number; offset: number }[]> {
  const offsets: OffsetToCommit[] = [];
  for (const { topic: name, partition, offset, metadata = "" } of request.offsets) {
    const known = await requireTopic(context.topics, name);
    const topic = await context.topics.withPartition(known, partition);
    if (partition >= topic.partitionCount) throw unknownPartition(topic, partition);
    const key = { topicId: topic.topicId, topicName: topic.name, partition };
    offsets.push({ ...key, offset, leaderEpoch: -1, metadata });
  }
  const codes = await commitByNobody(context.groups, groupId, offsets);
  offsets.forEach(({ topicName, partition }, index) => {
    refuse(codes[index] ?? null, `Cannot commit an offset of "${topicName}"/${partition}`);
  });
  return offsets.map(({ topicName, partition, offset }) => ({
    topic: topicName,
    partition,
    offset,
  }));
}

const reasons: Partial<Record<ErrorCode, string>> = {
  group_unknown: "there is none",
  group_not_empty: "it has members",
};

function refuse(code: ErrorCode | null, what: string): void {
  if (code === null) return;
  throw new StreamError(code, `${what}: ${reasons[code] ?? code.replaceAll("_", " ")}`);
}

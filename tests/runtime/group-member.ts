/** A consumer that is alone in its group, over the Kafka protocol. */
import { findCoordinatorApi } from "../../src/wire/kafka/api/find-coordinator.ts";
import { heartbeatApi } from "../../src/wire/kafka/api/heartbeat.ts";
import { joinGroupApi } from "../../src/wire/kafka/api/join-group.ts";
import { leaveGroupApi } from "../../src/wire/kafka/api/leave-group.ts";
import { offsetCommitApi } from "../../src/wire/kafka/api/offset-commit.ts";
import { offsetFetchApi } from "../../src/wire/kafka/api/offset-fetch.ts";
import { syncGroupApi } from "../../src/wire/kafka/api/sync-group.ts";
import {
  consumerAssignment,
  consumerSubscription,
  decodeConsumerProtocol,
  encodeConsumerProtocol,
} from "../../src/wire/kafka/consumer-protocol.ts";
import type { TcpKafkaClient } from "../support/tcp-kafka-client.ts";

interface Place {
  readonly groupId: string;
  readonly topic: string;
}

export interface LoneMember {
  /** What the group gave it. */
  readonly assigned: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
  /** Commits for partition 0; resolves to Kafka's error code. */
  commit(offset: number): Promise<number | undefined>;
  /** Resolves to Kafka's error code. */
  leave(): Promise<number>;
}

/** Finds the coordinator, joins with an assignment of partition 0, syncs and beats once. */
export async function joinAlone(kafka: TcpKafkaClient, place: Place): Promise<LoneMember> {
  const { groupId, topic } = place;
  await findCoordinator(kafka, groupId);
  const { memberId, generationId } = await join(kafka, place);
  const assignedPartitions = [{ topic, partitions: [0] }];
  const assignment = encodeConsumerProtocol(consumerAssignment, 0, { assignedPartitions });
  const member = { groupId, memberId, generationId };
  const protocol = { protocolType: "consumer", protocolName: "range" };
  const assignments = [{ memberId, assignment }];
  const synced = await kafka.ask(syncGroupApi, 5, { ...member, ...protocol, assignments });
  requireNone("SyncGroup", synced.errorCode);
  const beat = await kafka.ask(heartbeatApi, 4, member);
  requireNone("Heartbeat", beat.errorCode);
  const given = decodeConsumerProtocol(consumerAssignment, synced.assignment);
  return {
    assigned: given.assignedPartitions.map(({ topic: name, partitions }) => {
      return { topic: name, partitions: [...partitions] };
    }),
    async commit(committedOffset) {
      const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: "" }];
      const answer = await kafka.ask(offsetCommitApi, 8, {
        groupId,
        memberId,
        generationIdOrMemberEpoch: generationId,
        topics: [{ name: topic, partitions }],
      });
      return answer.topics[0]?.partitions[0]?.errorCode;
    },
    async leave() {
      const answer = await kafka.ask(leaveGroupApi, 5, { groupId, members: [{ memberId }] });
      return answer.errorCode;
    },
  };
}

/** The group's committed offset of partition 0; undefined when the answer is an error. */
export async function committedOffset(
  kafka: TcpKafkaClient,
  { groupId, topic }: Place,
): Promise<number | undefined> {
  await findCoordinator(kafka, groupId);
  const topics = [{ name: topic, partitionIndexes: [0] }];
  const answer = await kafka.ask(offsetFetchApi, 9, { groups: [{ groupId, topics }] });
  const group = answer.groups[0];
  return group?.errorCode === 0 ? group.topics[0]?.partitions[0]?.committedOffset : undefined;
}

async function findCoordinator(kafka: TcpKafkaClient, groupId: string): Promise<void> {
  const answer = await kafka.ask(findCoordinatorApi, 4, { keyType: 0, coordinatorKeys: [groupId] });
  requireNone("FindCoordinator", answer.coordinators[0]?.errorCode);
}

/** Joins as clients do: the first answer gives the member id to join with (KIP-394). */
async function join(
  kafka: TcpKafkaClient,
  { groupId, topic }: Place,
): Promise<{ readonly memberId: string; readonly generationId: number }> {
  const metadata = encodeConsumerProtocol(consumerSubscription, 0, { topics: [topic] });
  const request = {
    groupId,
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 30_000,
    protocolType: "consumer",
    protocols: [{ name: "range", metadata }],
  };
  const { memberId } = await kafka.ask(joinGroupApi, 9, { ...request, memberId: "" });
  const joined = await kafka.ask(joinGroupApi, 9, { ...request, memberId });
  requireNone("JoinGroup", joined.errorCode);
  return { memberId, generationId: joined.generationId };
}

function requireNone(api: string, errorCode: number | undefined): void {
  if (errorCode !== 0) throw new Error(`${api} was answered with error ${errorCode}`);
}

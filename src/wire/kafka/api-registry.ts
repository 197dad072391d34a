/** Every Kafka API that has a table, in the order of Kafka's keys. */
import { alterConfigsApi } from "./api/alter-configs.ts";
import { apiVersionsApi } from "./api/api-versions.ts";
import { createPartitionsApi } from "./api/create-partitions.ts";
import { createTopicsApi } from "./api/create-topics.ts";
import { deleteGroupsApi } from "./api/delete-groups.ts";
import { deleteRecordsApi } from "./api/delete-records.ts";
import { deleteTopicsApi } from "./api/delete-topics.ts";
import { describeClusterApi } from "./api/describe-cluster.ts";
import { describeConfigsApi } from "./api/describe-configs.ts";
import { describeGroupsApi } from "./api/describe-groups.ts";
import { describeTopicPartitionsApi } from "./api/describe-topic-partitions.ts";
import { fetchApi } from "./api/fetch.ts";
import { findCoordinatorApi } from "./api/find-coordinator.ts";
import { heartbeatApi } from "./api/heartbeat.ts";
import { incrementalAlterConfigsApi } from "./api/incremental-alter-configs.ts";
import { initProducerIdApi } from "./api/init-producer-id.ts";
import { joinGroupApi } from "./api/join-group.ts";
import { leaveGroupApi } from "./api/leave-group.ts";
import { listGroupsApi } from "./api/list-groups.ts";
import { listOffsetsApi } from "./api/list-offsets.ts";
import { metadataApi } from "./api/metadata.ts";
import { offsetCommitApi } from "./api/offset-commit.ts";
import { offsetDeleteApi } from "./api/offset-delete.ts";
import { offsetFetchApi } from "./api/offset-fetch.ts";
import { offsetForLeaderEpochApi } from "./api/offset-for-leader-epoch.ts";
import { produceApi } from "./api/produce.ts";
import { saslAuthenticateApi } from "./api/sasl-authenticate.ts";
import { saslHandshakeApi } from "./api/sasl-handshake.ts";
import { syncGroupApi } from "./api/sync-group.ts";
import type { ApiShape } from "./api-table.ts";

/** Iterate this for listings; a server announces those that it has handlers for. */
export const kafkaApis: readonly ApiShape[] = [
  produceApi,
  fetchApi,
  listOffsetsApi,
  metadataApi,
  offsetCommitApi,
  offsetFetchApi,
  findCoordinatorApi,
  joinGroupApi,
  heartbeatApi,
  leaveGroupApi,
  syncGroupApi,
  describeGroupsApi,
  listGroupsApi,
  saslHandshakeApi,
  apiVersionsApi,
  createTopicsApi,
  deleteTopicsApi,
  deleteRecordsApi,
  initProducerIdApi,
  offsetForLeaderEpochApi,
  describeConfigsApi,
  alterConfigsApi,
  saslAuthenticateApi,
  createPartitionsApi,
  deleteGroupsApi,
  incrementalAlterConfigsApi,
  offsetDeleteApi,
  describeClusterApi,
  describeTopicPartitionsApi,
];

/** API by Kafka's API key. */
export const kafkaApiByKey: ReadonlyMap<number, ApiShape> = new Map(
  kafkaApis.map((api) => [api.key, api]),
);

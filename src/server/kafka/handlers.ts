/** Every API that is served, by Kafka's key. */
import { alterConfigsHandler } from "./alter-configs.ts";
import { apiVersionsHandler } from "./api-versions.ts";
import { createPartitionsHandler } from "./create-partitions.ts";
import { createTopicsHandler } from "./create-topics.ts";
import { deleteGroupsHandler } from "./delete-groups.ts";
import { deleteRecordsHandler } from "./delete-records.ts";
import { deleteTopicsHandler } from "./delete-topics.ts";
import { describeClusterHandler } from "./describe-cluster.ts";
import { describeConfigsHandler } from "./describe-configs.ts";
import { describeGroupsHandler } from "./describe-groups.ts";
import { describeTopicPartitionsHandler } from "./describe-topic-partitions.ts";
import { fetchHandler } from "./fetch.ts";
import { findCoordinatorHandler } from "./find-coordinator.ts";
import { type ServedApi, servedApi } from "./handler.ts";
import { heartbeatHandler } from "./heartbeat.ts";
import { incrementalAlterConfigsHandler } from "./incremental-alter-configs.ts";
import { initProducerIdHandler } from "./init-producer-id.ts";
import { joinGroupHandler } from "./join-group.ts";
import { leaveGroupHandler } from "./leave-group.ts";
import { listGroupsHandler } from "./list-groups.ts";
import { listOffsetsHandler } from "./list-offsets.ts";
import { metadataHandler } from "./metadata.ts";
import { offsetCommitHandler } from "./offset-commit.ts";
import { offsetDeleteHandler } from "./offset-delete.ts";
import { offsetFetchHandler } from "./offset-fetch.ts";
import { offsetForLeaderEpochHandler } from "./offset-for-leader-epoch.ts";
import { produceHandler } from "./produce.ts";
import { saslAuthenticateHandler } from "./sasl-authenticate.ts";
import { saslHandshakeHandler } from "./sasl-handshake.ts";
import { syncGroupHandler } from "./sync-group.ts";

const served: readonly ServedApi[] = [
  servedApi(produceHandler),
  servedApi(fetchHandler),
  servedApi(listOffsetsHandler),
  servedApi(metadataHandler),
  servedApi(offsetCommitHandler),
  servedApi(offsetFetchHandler),
  servedApi(findCoordinatorHandler),
  servedApi(joinGroupHandler),
  servedApi(heartbeatHandler),
  servedApi(leaveGroupHandler),
  servedApi(syncGroupHandler),
  servedApi(describeGroupsHandler),
  servedApi(listGroupsHandler),
  servedApi(saslHandshakeHandler),
  servedApi(apiVersionsHandler),
  servedApi(createTopicsHandler),
  servedApi(deleteTopicsHandler),
  servedApi(deleteRecordsHandler),
  servedApi(initProducerIdHandler),
  servedApi(offsetForLeaderEpochHandler),
  servedApi(describeConfigsHandler),
  servedApi(alterConfigsHandler),
  servedApi(saslAuthenticateHandler),
  servedApi(createPartitionsHandler),
  servedApi(deleteGroupsHandler),
  servedApi(incrementalAlterConfigsHandler),
  servedApi(offsetDeleteHandler),
  servedApi(describeClusterHandler),
  servedApi(describeTopicPartitionsHandler),
];

export const kafkaHandlers: ReadonlyMap<number, ServedApi> = new Map(
  served.map((each) => [each.api.key, each]),
);

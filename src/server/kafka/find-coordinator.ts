import type { WorkerAddress } from "../../group/group-store.ts";
import {
  type Coordinator,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
  findCoordinatorApi,
} from "../../wire/kafka/api/find-coordinator.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import type { ClusterView } from "./cluster-view.ts";
import { groupFailureCode } from "./group-errors.ts";
import type { KafkaCall, KafkaHandler } from "./handler.ts";

const batchedSince = 4;
const groupKey = 0;
const transactionKey = 1;

/** FindCoordinator: which worker a group's requests go to. */
export const findCoordinatorHandler: KafkaHandler<FindCoordinatorRequest, FindCoordinatorResponse> =
  {
    api: findCoordinatorApi,
    async handle({ key, keyType, coordinatorKeys }, call) {
      if (call.version < batchedSince) return findOne(key, keyType, call);
      const found = coordinatorKeys.map((each) => findOne(each, keyType, call));
      return { coordinators: await Promise.all(found) };
    },
  };

async function findOne(key: string, keyType: number, call: KafkaCall): Promise<Coordinator> {
  if (keyType === transactionKey) {
    // The one code on which every transactional producer gives up instead of asking again.
    const { code } = kafkaErrors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    return nobody(key, code, "Transactions are not served");
  }
  if (keyType !== groupKey) {
    const message = `Coordinators of type ${keyType} are not served`;
    return nobody(key, kafkaErrors.INVALID_REQUEST.code, message);
  }
  try {
    const located = await call.context.groups.locate(key);
    const { cluster } = call.context;
    const place = located.kind === "self" ? selfOf(cluster) : cluster.placeOf(located.worker);
    if (place === undefined || place.host === "") {
      return nobody(key, kafkaErrors.COORDINATOR_NOT_AVAILABLE.code, "This worker is leaving");
    }
    const { nodeId, host, port } = place;
    return { key, nodeId, host, port, errorCode: 0, errorMessage: null };
  } catch (error) {
    return nobody(key, groupFailureCode(error, call), error instanceof Error ? error.message : "");
  }
}

function selfOf(view: ClusterView): WorkerAddress | undefined {
  const { nodes, selfNodeId } = view.cluster();
  const self = nodes.find(({ nodeId }) => nodeId === selfNodeId);
  return self && { nodeId: self.nodeId, host: self.kafkaHost, port: self.kafkaPort };
}

function nobody(key: string, errorCode: number, errorMessage: string): Coordinator {
  return { key, nodeId: -1, host: "", port: -1, errorCode, errorMessage };
}

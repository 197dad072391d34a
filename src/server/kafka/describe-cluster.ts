import {
  type DescribeClusterRequest,
  type DescribeClusterResponse,
  describeClusterApi,
} from "../../wire/kafka/api/describe-cluster.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import { clusterOperations, operationsNotAsked } from "./authorized-operations.ts";
import { controllerIdOf } from "./controller-id.ts";
import type { KafkaHandler } from "./handler.ts";

const brokerEndpoint = 1;

export const describeClusterHandler: KafkaHandler<DescribeClusterRequest, DescribeClusterResponse> =
  {
    api: describeClusterApi,
    async handle({ includeClusterAuthorizedOperations, endpointType }, { context }) {
      if (endpointType !== brokerEndpoint) {
        return {
          errorCode: kafkaErrors.MISMATCHED_ENDPOINT_TYPE.code,
          errorMessage: "This endpoint is one of brokers: there are no controllers to talk to",
          endpointType: brokerEndpoint,
          clusterId: "",
          controllerId: -1,
          brokers: [],
        };
      }
      const cluster = context.cluster.cluster();
      const { clusterId, nodes } = cluster;
      const brokers = nodes.map(({ nodeId, kafkaHost, kafkaPort }) => ({
        brokerId: nodeId,
        host: kafkaHost,
        port: kafkaPort,
        isFenced: false,
      }));
      return {
        errorCode: 0,
        endpointType: brokerEndpoint,
        clusterId,
        controllerId: controllerIdOf(cluster),
        brokers,
        clusterAuthorizedOperations: includeClusterAuthorizedOperations
          ? clusterOperations
          : operationsNotAsked,
      };
    },
  };

/**
 * DescribeCluster: the brokers and the cluster's id (KIP-700). 1: brokers (1) or controllers (2).
 * 2: fenced brokers as well.
 */
import { defineApi } from "../api-table.ts";
import {
  bool,
  defineMessage,
  type FieldTable,
  int8,
  int16,
  int32,
  string,
  structs,
} from "../field-table.ts";

export interface DescribeClusterRequest {
  readonly includeClusterAuthorizedOperations: boolean;
  readonly endpointType?: number;
  readonly includeFencedBrokers: boolean;
}

export const describeClusterRequest = defineMessage<DescribeClusterRequest>({
  name: "DescribeClusterRequest",
  versions: { min: 0, max: 2 },
  flexibleSince: 0,
  fields: {
    includeClusterAuthorizedOperations: bool(),
    endpointType: int8({ since: 1, default: 1 }),
    includeFencedBrokers: bool({ since: 2 }),
  },
});

export interface DescribeClusterResponse {
  readonly throttleTimeMs?: number;
  readonly errorCode: number;
  readonly errorMessage?: string | null;
  readonly endpointType?: number;
  readonly clusterId: string;
  readonly controllerId?: number;
  readonly brokers: readonly DescribeClusterBroker[];
  readonly clusterAuthorizedOperations?: number;
}

export interface DescribeClusterBroker {
  readonly brokerId: number;
  readonly host: string;
  readonly port: number;
  readonly rack?: string | null;
  readonly isFenced: boolean;
}

const describeClusterBroker: FieldTable<DescribeClusterBroker> = {
  brokerId: int32(),
  host: string(),
  port: int32(),
  rack: string({ nullableSince: 0, default: null }),
  isFenced: bool({ since: 2 }),
};

export const describeClusterResponse = defineMessage<DescribeClusterResponse>({
  name: "DescribeClusterResponse",
  versions: { min: 0, max: 2 },
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullableSince: 0, default: null }),
    endpointType: int8({ since: 1, default: 1 }),
    clusterId: string(),
    controllerId: int32({ default: -1 }),
    brokers: structs(describeClusterBroker),
    clusterAuthorizedOperations: int32({ default: -0x80000000 }),
  },
});

export const describeClusterApi = defineApi({
  name: "DescribeCluster",
  key: 60,
  request: describeClusterRequest,
  response: describeClusterResponse,
});

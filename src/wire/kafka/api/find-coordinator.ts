/**
 * FindCoordinator: which broker serves a group (key type 0) or a transactional id (1).
 *
 * 4: several keys at once (KIP-699). 6: share groups (2).
 */
import { defineApi } from "../api-table.ts";
import {
  arrayOf,
  defineMessage,
  type FieldTable,
  int8,
  int16,
  int32,
  string,
  structs,
} from "../field-table.ts";

export interface FindCoordinatorRequest {
  readonly key?: string;
  readonly keyType?: number;
  readonly coordinatorKeys?: readonly string[];
}

export const findCoordinatorRequest = defineMessage<FindCoordinatorRequest>({
  name: "FindCoordinatorRequest",
  versions: { min: 0, max: 6 },
  flexibleSince: 3,
  fields: {
    key: string({ until: 3 }),
    keyType: int8({ since: 1 }),
    coordinatorKeys: arrayOf(string(), { since: 4 }),
  },
});

export interface FindCoordinatorResponse {
  readonly throttleTimeMs?: number;
  readonly errorCode?: number;
  readonly errorMessage?: string | null;
  readonly nodeId?: number;
  readonly host?: string;
  readonly port?: number;
  readonly coordinators?: readonly Coordinator[];
}

export interface Coordinator {
  readonly key: string;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly errorCode: number;
  readonly errorMessage?: string | null;
}

const coordinator: FieldTable<Coordinator> = {
  key: string(),
  nodeId: int32(),
  host: string(),
  port: int32(),
  errorCode: int16(),
  errorMessage: string({ nullableSince: 0, ignorable: true }),
};

export const findCoordinatorResponse = defineMessage<FindCoordinatorResponse>({
  name: "FindCoordinatorResponse",
  versions: { min: 0, max: 6 },
  flexibleSince: 3,
  fields: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    errorCode: int16({ until: 3 }),
    errorMessage: string({ since: 1, until: 3, nullableSince: 1, ignorable: true }),
    nodeId: int32({ until: 3 }),
    host: string({ until: 3 }),
    port: int32({ until: 3 }),
    coordinators: structs(coordinator, { since: 4 }),
  },
});

export const findCoordinatorApi = defineApi({
  name: "FindCoordinator",
  key: 10,
  request: findCoordinatorRequest,
  response: findCoordinatorResponse,
});

/**
 * IncrementalAlterConfigs: sets (0), deletes (1), appends to (2) or subtracts from (3) single
 * settings (KIP-339).
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

export interface IncrementalAlterConfigsRequest {
  readonly resources: readonly AlterConfigsResource[];
  readonly validateOnly: boolean;
}

export interface AlterConfigsResource {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configs: readonly AlterableConfig[];
}

export interface AlterableConfig {
  readonly name: string;
  readonly configOperation: number;
  readonly value: string | null;
}

const alterableConfig: FieldTable<AlterableConfig> = {
  name: string(),
  configOperation: int8(),
  value: string({ nullableSince: 0 }),
};

const alterConfigsResource: FieldTable<AlterConfigsResource> = {
  resourceType: int8(),
  resourceName: string(),
  configs: structs(alterableConfig),
};

export const incrementalAlterConfigsRequest = defineMessage<IncrementalAlterConfigsRequest>({
  name: "IncrementalAlterConfigsRequest",
  versions: { min: 0, max: 1 },
  flexibleSince: 1,
  fields: {
    resources: structs(alterConfigsResource),
    validateOnly: bool(),
  },
});

export interface IncrementalAlterConfigsResponse {
  readonly throttleTimeMs?: number;
  readonly responses: readonly AlterConfigsResourceResponse[];
}

export interface AlterConfigsResourceResponse {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly resourceType: number;
  readonly resourceName: string;
}

const alterConfigsResourceResponse: FieldTable<AlterConfigsResourceResponse> = {
  errorCode: int16(),
  errorMessage: string({ nullableSince: 0 }),
  resourceType: int8(),
  resourceName: string(),
};

export const incrementalAlterConfigsResponse = defineMessage<IncrementalAlterConfigsResponse>({
  name: "IncrementalAlterConfigsResponse",
  versions: { min: 0, max: 1 },
  flexibleSince: 1,
  fields: {
    throttleTimeMs: int32(),
    responses: structs(alterConfigsResourceResponse),
  },
});

export const incrementalAlterConfigsApi = defineApi({
  name: "IncrementalAlterConfigs",
  key: 44,
  request: incrementalAlterConfigsRequest,
  response: incrementalAlterConfigsResponse,
});

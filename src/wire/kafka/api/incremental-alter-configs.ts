/**
 * IncrementalAlterConfigs: sets (0), deletes (1), appends to (2) or subtracts from (3) single
 * settings (KIP-339).
 */
import { type AlteredConfigs, alteredConfigs } from "../altered-configs.ts";
import { defineApi } from "../api-table.ts";
import { bool, defineMessage, type FieldTable, int8, string, structs } from "../field-table.ts";

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

export const incrementalAlterConfigsResponse = defineMessage<AlteredConfigs>({
  name: "IncrementalAlterConfigsResponse",
  versions: { min: 0, max: 1 },
  flexibleSince: 1,
  fields: alteredConfigs,
});

export const incrementalAlterConfigsApi = defineApi({
  name: "IncrementalAlterConfigs",
  key: 44,
  request: incrementalAlterConfigsRequest,
  response: incrementalAlterConfigsResponse,
});

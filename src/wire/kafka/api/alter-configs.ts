/**
 * AlterConfigs: replaces all settings of a resource. Deprecated in favour of
 * IncrementalAlterConfigs, but served.
 */
import { type AlteredConfigs, alteredConfigs } from "../altered-configs.ts";
import { defineApi } from "../api-table.ts";
import { bool, defineMessage, type FieldTable, int8, string, structs } from "../field-table.ts";

export interface AlterConfigsRequest {
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
  readonly value: string | null;
}

const alterableConfig: FieldTable<AlterableConfig> = {
  name: string(),
  value: string({ nullableSince: 0 }),
};

const alterConfigsResource: FieldTable<AlterConfigsResource> = {
  resourceType: int8(),
  resourceName: string(),
  configs: structs(alterableConfig),
};

export const alterConfigsRequest = defineMessage<AlterConfigsRequest>({
  name: "AlterConfigsRequest",
  versions: { min: 0, max: 2 },
  flexibleSince: 2,
  fields: {
    resources: structs(alterConfigsResource),
    validateOnly: bool(),
  },
});

export const alterConfigsResponse = defineMessage<AlteredConfigs>({
  name: "AlterConfigsResponse",
  versions: { min: 0, max: 2 },
  flexibleSince: 2,
  fields: alteredConfigs,
});

export const alterConfigsApi = defineApi({
  name: "AlterConfigs",
  key: 33,
  request: alterConfigsRequest,
  response: alterConfigsResponse,
});

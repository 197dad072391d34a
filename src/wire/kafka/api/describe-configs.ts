/**
 * DescribeConfigs: the settings of topics (resource type 2) and brokers (4). 3: types and
 * documentation.
 */
import { defineApi } from "../api-table.ts";
import {
  arrayOf,
  bool,
  defineMessage,
  type FieldTable,
  int8,
  int16,
  int32,
  string,
  structs,
} from "../field-table.ts";

export interface DescribeConfigsRequest {
  readonly resources: readonly DescribeConfigsResource[];
  readonly includeSynonyms?: boolean;
  readonly includeDocumentation?: boolean;
}

export interface DescribeConfigsResource {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configurationKeys: readonly string[] | null;
}

const describeConfigsResource: FieldTable<DescribeConfigsResource> = {
  resourceType: int8(),
  resourceName: string(),
  configurationKeys: arrayOf(string(), { nullableSince: 0 }),
};

export const describeConfigsRequest = defineMessage<DescribeConfigsRequest>({
  name: "DescribeConfigsRequest",
  versions: { min: 1, max: 4 },
  flexibleSince: 4,
  fields: {
    resources: structs(describeConfigsResource),
    includeSynonyms: bool(),
    includeDocumentation: bool({ since: 3 }),
  },
});

export interface DescribeConfigsResponse {
  readonly throttleTimeMs?: number;
  readonly results: readonly DescribeConfigsResult[];
}

export interface DescribeConfigsResult {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configs: readonly DescribeConfigsResourceResult[];
}

export interface DescribeConfigsResourceResult {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly configSource?: number;
  readonly isSensitive: boolean;
  readonly synonyms?: readonly DescribeConfigsSynonym[];
  readonly configType?: number;
  readonly documentation?: string | null;
}

export interface DescribeConfigsSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: number;
}

const describeConfigsSynonym: FieldTable<DescribeConfigsSynonym> = {
  name: string(),
  value: string({ nullableSince: 0 }),
  source: int8(),
};

const describeConfigsResourceResult: FieldTable<DescribeConfigsResourceResult> = {
  name: string(),
  value: string({ nullableSince: 0 }),
  readOnly: bool(),
  configSource: int8({ default: -1, ignorable: true }),
  isSensitive: bool(),
  synonyms: structs(describeConfigsSynonym, { ignorable: true }),
  configType: int8({ since: 3, ignorable: true }),
  documentation: string({ since: 3, nullableSince: 0, ignorable: true }),
};

const describeConfigsResult: FieldTable<DescribeConfigsResult> = {
  errorCode: int16(),
  errorMessage: string({ nullableSince: 0 }),
  resourceType: int8(),
  resourceName: string(),
  configs: structs(describeConfigsResourceResult),
};

export const describeConfigsResponse = defineMessage<DescribeConfigsResponse>({
  name: "DescribeConfigsResponse",
  versions: { min: 1, max: 4 },
  flexibleSince: 4,
  fields: {
    throttleTimeMs: int32(),
    results: structs(describeConfigsResult),
  },
});

export const describeConfigsApi = defineApi({
  name: "DescribeConfigs",
  key: 32,
  request: describeConfigsRequest,
  response: describeConfigsResponse,
});

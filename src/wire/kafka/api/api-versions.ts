/**
 * ApiVersions: the APIs and versions that the broker serves; the first request of nearly every
 * client.
 *
 * A version that is not served is answered in version 0 with UNSUPPORTED_VERSION and the versions
 * of this API (KIP-511), and the response header is version 0 in every version. 3: who the client
 * is, and feature levels. 4: a feature's lowest version may be 0 (KAFKA-17011).
 */
import { defineApi } from "../api-table.ts";
import {
  bool,
  defineMessage,
  type FieldTable,
  int16,
  int32,
  int64,
  string,
  structs,
} from "../field-table.ts";

export interface ApiVersionsRequest {
  readonly clientSoftwareName?: string;
  readonly clientSoftwareVersion?: string;
}

export const apiVersionsRequest = defineMessage<ApiVersionsRequest>({
  name: "ApiVersionsRequest",
  versions: { min: 0, max: 4 },
  flexibleSince: 3,
  fields: {
    clientSoftwareName: string({ since: 3, ignorable: true }),
    clientSoftwareVersion: string({ since: 3, ignorable: true }),
  },
});

export interface ApiVersionsResponse {
  readonly errorCode: number;
  readonly apiKeys: readonly ApiVersion[];
  readonly throttleTimeMs?: number;
  readonly supportedFeatures?: readonly SupportedFeatureKey[];
  readonly finalizedFeaturesEpoch?: number;
  readonly finalizedFeatures?: readonly FinalizedFeatureKey[];
  readonly zkMigrationReady?: boolean;
}

export interface FinalizedFeatureKey {
  readonly name: string;
  readonly maxVersionLevel: number;
  readonly minVersionLevel: number;
}

export interface SupportedFeatureKey {
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
}

export interface ApiVersion {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

const apiVersion: FieldTable<ApiVersion> = {
  apiKey: int16(),
  minVersion: int16(),
  maxVersion: int16(),
};

const supportedFeatureKey: FieldTable<SupportedFeatureKey> = {
  name: string(),
  minVersion: int16(),
  maxVersion: int16(),
};

const finalizedFeatureKey: FieldTable<FinalizedFeatureKey> = {
  name: string(),
  maxVersionLevel: int16(),
  minVersionLevel: int16(),
};

export const apiVersionsResponse = defineMessage<ApiVersionsResponse>({
  name: "ApiVersionsResponse",
  versions: { min: 0, max: 4 },
  flexibleSince: 3,
  fields: {
    errorCode: int16(),
    apiKeys: structs(apiVersion),
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    supportedFeatures: structs(supportedFeatureKey, { since: 3, tag: 0, ignorable: true }),
    finalizedFeaturesEpoch: int64({ since: 3, tag: 1, default: -1, ignorable: true }),
    finalizedFeatures: structs(finalizedFeatureKey, { since: 3, tag: 2, ignorable: true }),
    zkMigrationReady: bool({ since: 3, tag: 3, ignorable: true }),
  },
});

export const apiVersionsApi = defineApi({
  name: "ApiVersions",
  key: 18,
  request: apiVersionsRequest,
  response: apiVersionsResponse,
});

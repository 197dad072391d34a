/**
 * ApiVersions: what this server answers. A version that we do not know is answered in version 0
 * with UNSUPPORTED_VERSION and the versions of ApiVersions itself, from which the client starts
 * again.
 */
import {
  type ApiVersionsRequest,
  type ApiVersionsResponse,
  apiVersionsApi,
} from "../../wire/kafka/api/api-versions.ts";
import { kafkaApis } from "../../wire/kafka/api-registry.ts";
import type { ApiShape } from "../../wire/kafka/api-table.ts";
import type { EncodedMessage } from "../../wire/kafka/codec.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import { encodeResponseFrame, type RequestHeader } from "../../wire/kafka/request-header.ts";
import type { KafkaHandler } from "./handler.ts";

/** KIP-511: letters, digits, dots and dashes. */
const softwareText = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;
const softwareVersions = 3;

export const apiVersionsHandler: KafkaHandler<ApiVersionsRequest, ApiVersionsResponse> = {
  api: apiVersionsApi,
  async handle({ clientSoftwareName, clientSoftwareVersion }, { version }) {
    const named = softwareText.test(clientSoftwareName) && softwareText.test(clientSoftwareVersion);
    if (version >= softwareVersions && !named) {
      return { errorCode: kafkaErrors.INVALID_REQUEST.code, apiKeys: [] };
    }
    return {
      errorCode: 0,
      apiKeys: kafkaApis.map(announced),
      supportedFeatures: [],
      finalizedFeaturesEpoch: -1,
      finalizedFeatures: [],
    };
  },
};

/** Answers ApiVersions of a version that we do not know. */
export function unsupportedApiVersions({ correlationId }: RequestHeader): EncodedMessage {
  return encodeResponseFrame(
    apiVersionsApi,
    { apiVersion: 0, correlationId },
    { errorCode: kafkaErrors.UNSUPPORTED_VERSION.code, apiKeys: [announced(apiVersionsApi)] },
  );
}

function announced({ key, advertisedVersions: { min, max } }: ApiShape) {
  return { apiKey: key, minVersion: min, maxVersion: max };
}

import { topicNameFault } from "../../record/topic-name.ts";
import {
  type DescribeConfigsRequest,
  type DescribeConfigsResource,
  type DescribeConfigsResourceResult,
  type DescribeConfigsResponse,
  type DescribeConfigsResult,
  describeConfigsApi,
} from "../../wire/kafka/api/describe-configs.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import type { Decoded } from "../../wire/kafka/field-table.ts";
import { brokerConfigEntries } from "./broker-config-entries.ts";
import { configResources } from "./config-resources.ts";
import type { KafkaCall, KafkaHandler } from "./handler.ts";
import { type ConfigEntryOptions, topicConfigEntries } from "./topic-config-entries.ts";
import { findTopicByName } from "./topic-lookup.ts";

type Resource = Decoded<DescribeConfigsResource>;
type Described = Pick<DescribeConfigsResult, "errorCode" | "errorMessage" | "configs">;

export const describeConfigsHandler: KafkaHandler<DescribeConfigsRequest, DescribeConfigsResponse> =
  {
    api: describeConfigsApi,
    async handle({ resources, includeSynonyms, includeDocumentation }, call) {
      const options = { includeSynonyms, includeDocumentation };
      const results = resources.map(async (resource) => {
        const described = await describe(resource, options, call);
        const { resourceType, resourceName } = resource;
        return { ...described, resourceType, resourceName };
      });
      return { results: await Promise.all(results) };
    },
  };

function describe(
  resource: Resource,
  options: ConfigEntryOptions,
  call: KafkaCall,
): Promise<Described> {
  const { resourceType } = resource;
  if (resourceType === configResources.topic) return describeTopic(resource, options, call);
  if (resourceType === configResources.broker) return describeBroker(resource, options, call);
  const message = `Configs of resource type ${resourceType} are not served`;
  return Promise.resolve(refused(kafkaErrors.INVALID_REQUEST.code, message));
}

async function describeTopic(
  { resourceName, configurationKeys }: Resource,
  options: ConfigEntryOptions,
  { context }: KafkaCall,
): Promise<Described> {
  const fault = topicNameFault(resourceName);
  if (fault !== undefined) {
    const message = `Topic name is invalid: ${fault}`;
    return refused(kafkaErrors.INVALID_TOPIC_EXCEPTION.code, message);
  }
  const { topic, errorCode } = await findTopicByName(context.topics, resourceName);
  if (topic === undefined) return refused(errorCode, "");
  return found(topicConfigEntries(topic.config, configurationKeys, options));
}

async function describeBroker(
  { resourceName, configurationKeys }: Resource,
  options: ConfigEntryOptions,
  { context }: KafkaCall,
): Promise<Described> {
  // The empty name asks for defaults of the whole cluster, of which none are set.
  if (resourceName === "") return found([]);
  const { nodes, selfNodeId } = context.cluster.cluster();
  if (!/^-?\d+$/.test(resourceName)) {
    const message = `Broker id must be an integer, but it is: ${resourceName}`;
    return refused(kafkaErrors.INVALID_REQUEST.code, message);
  }
  const node = nodes.find(({ nodeId }) => nodeId === selfNodeId);
  if (node === undefined || resourceName !== String(selfNodeId)) {
    const message =
      `Unexpected broker id, expected ${selfNodeId} or empty string, ` +
      `but received ${resourceName}`;
    return refused(kafkaErrors.INVALID_REQUEST.code, message);
  }
  const { settings } = context;
  return found(brokerConfigEntries({ node, settings }, configurationKeys, options));
}

function found(configs: readonly DescribeConfigsResourceResult[]): Described {
  return { errorCode: 0, errorMessage: "", configs };
}

function refused(errorCode: number, errorMessage: string): Described {
  return { errorCode, errorMessage, configs: [] };
}

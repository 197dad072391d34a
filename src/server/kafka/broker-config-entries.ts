/**
 * What DescribeConfigs says of a broker: our settings under the names that Kafka's tools look for.
 */
import {
  groupMembersMax,
  initialRebalanceDelayMs,
  offsetMetadataLengthMax,
  offsetRetentionMs,
  sessionTimeoutMsMax,
  sessionTimeoutMsMin,
} from "../../group/limits.ts";
import type { ClusterNode } from "../../log/log-types.ts";
import { type TopicConfigType, topicConfigs } from "../../meta/topic-config.ts";
import type { DescribeConfigsResourceResult } from "../../wire/kafka/api/describe-configs.ts";
import type { KafkaSettings } from "./context.ts";
import { connectionIdleMsMax, connectionsMax, fetchBytesMax, fetchSessionsMax } from "./limits.ts";
import { saslMechanism } from "./sasl.ts";
import { type ConfigEntryOptions, configSources, configTypes } from "./topic-config-entries.ts";

interface BrokerConfig {
  readonly name: string;
  readonly type: TopicConfigType;
  readonly value: string | number | boolean;
  readonly doc: string;
}

/** All configs of the broker, or those of `names` that exist. All are read-only. */
export function brokerConfigEntries(
  { node, settings }: { readonly node: ClusterNode; readonly settings: KafkaSettings },
  names: readonly string[] | null,
  { includeSynonyms, includeDocumentation }: ConfigEntryOptions,
): DescribeConfigsResourceResult[] {
  const wanted = names === null || names.length === 0 ? null : new Set(names);
  return brokerConfigs(node, settings)
    .filter(({ name }) => wanted === null || wanted.has(name))
    .map(({ name, type, value: given, doc }) => {
      const value = String(given);
      const source = configSources.staticBroker;
      return {
        name,
        value,
        readOnly: true,
        configSource: source,
        isSensitive: false,
        synonyms: includeSynonyms ? [{ name, value, source }] : [],
        configType: configTypes[type],
        documentation: includeDocumentation ? doc : null,
      };
    });
}

function brokerConfigs(node: ClusterNode, settings: KafkaSettings): BrokerConfig[] {
  const protocol = settings.token === null ? "PLAINTEXT" : "SASL_PLAINTEXT";
  const address = `${protocol}://${node.kafkaHost}:${node.kafkaPort}`;
  const mechanisms = settings.token === null ? "" : saslMechanism;
  const retentionMinutes = offsetRetentionMs / 60_000;
  const defaultOf = (name: string) => topicConfigs.get(name)?.defaultValue ?? "";
  return [
    text("advertised.listeners", address, "Where clients reach this worker.", "list"),
    flag("auto.create.topics.enable", settings.autoCreateTopics, "Metadata may create topics."),
    int("broker.id", node.nodeId, "The node id, leased by the worker."),
    int("connections.max.idle.ms", connectionIdleMsMax, "Silent connections are closed."),
    int("default.replication.factor", 1, "The store replicates; partitions have one leader."),
    flag("delete.topic.enable", true, "Topics can be deleted."),
    int("fetch.max.bytes", fetchBytesMax, "Most bytes of records in one answer."),
    int("group.initial.rebalance.delay.ms", initialRebalanceDelayMs, "Wait for first members."),
    int("group.max.session.timeout.ms", sessionTimeoutMsMax, "Longest session timeout."),
    int("group.max.size", groupMembersMax, "Most members of one group."),
    int("group.min.session.timeout.ms", sessionTimeoutMsMin, "Shortest session timeout."),
    text("log.cleanup.policy", defaultOf("cleanup.policy"), "Default of cleanup.policy.", "list"),
    long("log.retention.bytes", defaultOf("retention.bytes"), "Default of retention.bytes."),
    long("log.retention.ms", defaultOf("retention.ms"), "Default of retention.ms."),
    int("max.connections", connectionsMax, "Connections at a time."),
    int("max.incremental.fetch.session.cache.slots", fetchSessionsMax, "Fetch sessions kept."),
    int("message.max.bytes", defaultOf("max.message.bytes"), "Default of max.message.bytes."),
    int("node.id", node.nodeId, "The node id, leased by the worker."),
    int("num.partitions", settings.partitionCountDefault, "Partitions of topics that ask for -1."),
    int("offset.metadata.max.bytes", offsetMetadataLengthMax, "Longest text of an offset commit."),
    int("offsets.retention.minutes", retentionMinutes, "How long an empty group's offsets stay."),
    text("process.roles", "broker,controller", "A worker is all there is.", "list"),
    text("sasl.enabled.mechanisms", mechanisms, "SASL mechanisms that are taken.", "list"),
    int("socket.request.max.bytes", settings.requestBytesMax, "Largest request."),
  ];
}

function text(name: string, value: string, doc: string, type: "string" | "list"): BrokerConfig {
  return { name, type, value, doc };
}

function flag(name: string, value: boolean, doc: string): BrokerConfig {
  return { name, type: "boolean", value, doc };
}

function int(name: string, value: number | string, doc: string): BrokerConfig {
  return { name, type: "int", value, doc };
}

function long(name: string, value: string, doc: string): BrokerConfig {
  return { name, type: "long", value, doc };
}

/** Topic configs as CreateTopics and DescribeConfigs show them: value, source, synonyms, type. */
import type { TopicInfo } from "../../meta/catalog.ts";
import {
  type TopicConfigSpec,
  type TopicConfigType,
  topicConfigs,
} from "../../meta/topic-config.ts";
import type { DescribeConfigsResourceResult } from "../../wire/kafka/api/describe-configs.ts";

/** Kafka's numbers for where a value comes from. */
export const configSources = { topic: 1, staticBroker: 4, default: 5 } as const;

/** Kafka's numbers for types. */
export const configTypes: Readonly<Record<TopicConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  long: 5,
  double: 6,
  list: 7,
};

/**
 * The broker config from which a topic config has its default, as Kafka names it; tools print it.
 * Those that are not listed have none.
 */
const brokerNames: Readonly<Record<string, string>> = {
  "cleanup.policy": "log.cleanup.policy",
  "compression.gzip.level": "compression.gzip.level",
  "compression.lz4.level": "compression.lz4.level",
  "compression.type": "compression.type",
  "compression.zstd.level": "compression.zstd.level",
  "delete.retention.ms": "log.cleaner.delete.retention.ms",
  "file.delete.delay.ms": "log.segment.delete.delay.ms",
  "flush.messages": "log.flush.interval.messages",
  "index.interval.bytes": "log.index.interval.bytes",
  "local.retention.bytes": "log.local.retention.bytes",
  "local.retention.ms": "log.local.retention.ms",
  "max.compaction.lag.ms": "log.cleaner.max.compaction.lag.ms",
  "max.message.bytes": "message.max.bytes",
  "message.timestamp.after.max.ms": "log.message.timestamp.after.max.ms",
  "message.timestamp.before.max.ms": "log.message.timestamp.before.max.ms",
  "message.timestamp.type": "log.message.timestamp.type",
  "min.cleanable.dirty.ratio": "log.cleaner.min.cleanable.ratio",
  "min.compaction.lag.ms": "log.cleaner.min.compaction.lag.ms",
  "min.insync.replicas": "min.insync.replicas",
  preallocate: "log.preallocate",
  "retention.bytes": "log.retention.bytes",
  "retention.ms": "log.retention.ms",
  "segment.bytes": "log.segment.bytes",
  "segment.index.bytes": "log.index.size.max.bytes",
  "unclean.leader.election.enable": "unclean.leader.election.enable",
};

export interface ConfigEntryOptions {
  readonly includeSynonyms: boolean;
  readonly includeDocumentation: boolean;
}

/** All configs of a topic, or those of `names` that exist. */
export function topicConfigEntries(
  config: TopicInfo["config"],
  names: readonly string[] | null,
  options: ConfigEntryOptions,
): DescribeConfigsResourceResult[] {
  const wanted = names === null || names.length === 0 ? null : new Set(names);
  return [...topicConfigs.values()]
    .filter(({ name }) => wanted === null || wanted.has(name))
    .map((spec) => entryOf(spec, config[spec.name], options));
}

function entryOf(
  spec: TopicConfigSpec,
  own: string | undefined,
  { includeSynonyms, includeDocumentation }: ConfigEntryOptions,
): DescribeConfigsResourceResult {
  const { name, defaultValue, type, doc } = spec;
  return {
    name,
    value: own ?? defaultValue,
    readOnly: false,
    configSource: own === undefined ? configSources.default : configSources.topic,
    isSensitive: false,
    synonyms: includeSynonyms ? synonymsOf(spec, own) : [],
    configType: configTypes[type],
    documentation: includeDocumentation ? doc : null,
  };
}

/** What the value is, then what it would be without the topic's own. */
function synonymsOf({ name, defaultValue }: TopicConfigSpec, own: string | undefined) {
  const synonyms = [];
  if (own !== undefined) synonyms.push({ name, value: own, source: configSources.topic });
  const brokerName = brokerNames[name];
  if (brokerName !== undefined) {
    synonyms.push({ name: brokerName, value: defaultValue, source: configSources.default });
  }
  return synonyms;
}

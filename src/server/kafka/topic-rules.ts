import { present } from "../../base/assert.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import { topicConfigList, topicConfigNumber, topicConfigValue } from "../../meta/topic-config.ts";

/** What a topic's configuration demands of requests, parsed once per version of the topic. */
export interface TopicRules {
  /** max.message.bytes. */
  readonly messageBytesMax: number;
  /** segment.bytes: a batch larger than a segment cannot be stored. */
  readonly segmentBytes: number;
  /** Of a record's timestamp against the clock, milliseconds; null: LogAppendTime, any will do. */
  readonly timestampSlack: { readonly beforeMs: number; readonly afterMs: number } | null;
  /** cleanup.policy has compact. */
  readonly keysRequired: boolean;
  /** cleanup.policy has delete. */
  readonly deletes: boolean;
}

const known = new WeakMap<TopicInfo, TopicRules>();

/** The catalog gives another TopicInfo when a topic's configuration changes. */
export function topicRules(topic: TopicInfo): TopicRules {
  const rules = known.get(topic) ?? parseRules(topic.config);
  known.set(topic, rules);
  return rules;
}

function parseRules(config: TopicInfo["config"]): TopicRules {
  const numberOf = (name: string) => present(topicConfigNumber(config, name), `default of ${name}`);
  const isAppendTime = topicConfigValue(config, "message.timestamp.type") === "LogAppendTime";
  const slack = {
    beforeMs: numberOf("message.timestamp.before.max.ms"),
    afterMs: numberOf("message.timestamp.after.max.ms"),
  };
  const policies = topicConfigList(topicConfigValue(config, "cleanup.policy") ?? "");
  return {
    messageBytesMax: numberOf("max.message.bytes"),
    segmentBytes: numberOf("segment.bytes"),
    timestampSlack: isAppendTime ? null : slack,
    keysRequired: policies.includes("compact"),
    deletes: policies.includes("delete"),
  };
}

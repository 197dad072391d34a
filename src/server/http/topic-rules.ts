/** What a topic's settings demand of the batches that HTTP requests are made into. */
import { present } from "../../base/assert.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import { topicConfigList, topicConfigNumber, topicConfigValue } from "../../meta/topic-config.ts";

export interface TopicRules {
  /** Largest batch, bytes. */
  readonly batchBytesMax: number;
  /** A compacted topic refuses records without a key. */
  readonly keysRequired: boolean;
  /** How far a record's timestamp may be behind and ahead of now, ms; undefined: LogAppendTime. */
  readonly timestampSlack: { readonly beforeMs: number; readonly afterMs: number } | undefined;
}

const rulesByTopic = new WeakMap<TopicInfo, TopicRules>();

/** The rules of `topic`, worked out once per TopicInfo. */
export function topicRules(topic: TopicInfo): TopicRules {
  const known = rulesByTopic.get(topic);
  if (known !== undefined) return known;
  const rules = readRules(topic.config);
  rulesByTopic.set(topic, rules);
  return rules;
}

function readRules(config: Readonly<Record<string, string>>): TopicRules {
  const text = (name: string) => present(topicConfigValue(config, name), name);
  const number = (name: string) => present(topicConfigNumber(config, name), name);
  const isAppendTime = text("message.timestamp.type") === "LogAppendTime";
  return {
    batchBytesMax: number("max.message.bytes"),
    keysRequired: topicConfigList(text("cleanup.policy")).includes("compact"),
    timestampSlack: isAppendTime
      ? undefined
      : {
          beforeMs: number("message.timestamp.before.max.ms"),
          afterMs: number("message.timestamp.after.max.ms"),
        },
  };
}

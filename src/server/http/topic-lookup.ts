import { StreamError } from "../../base/stream-error.ts";
import type { TopicService } from "../../log/log-types.ts";
import { refuseForeignWriter } from "../../log/topic-writer.ts";
import type { TopicInfo } from "../../meta/catalog.ts";

/** @throws StreamError `topic_unknown`. */
export async function requireTopic(topics: TopicService, name: string): Promise<TopicInfo> {
  const topic = await topics.byName(name);
  if (topic !== undefined) return topic;
  throw new StreamError("topic_unknown", `Cannot find topic "${name}": create it first`, {
    details: { field: "topic", expected: "the name of a topic that exists" },
  });
}

/**
 * The topic, made with default settings where auto-creation is on.
 * @throws StreamError `topic_unknown`, `topic_read_only`.
 */
export async function topicToWrite(topics: TopicService, name: string): Promise<TopicInfo> {
  const topic =
    (await topics.byName(name)) ??
    (await topics.autoCreate(name)) ??
    (await requireTopic(topics, name));
  refuseForeignWriter(topic);
  return topic;
}

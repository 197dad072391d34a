/** A topic as text. */
import type { TopicDetails } from "../wire/http/shapes.ts";
import type { Output } from "./io.ts";
import { humanBytes, humanCount, humanTime } from "./numbers.ts";
import { renderFacts, renderTable } from "./table.ts";

export function topicText(output: Output, topic: TopicDetails): string {
  const config = Object.entries(topic.config).map(([name, value]) => `${name}=${value}`);
  const facts = renderFacts(output, [
    ["name", topic.name],
    ["topic id", topic.topicId],
    ["created", humanTime(topic.createdAt)],
    ["partitions", topic.partitions],
    ["config", config.length === 0 ? "all defaults" : config.join(" ")],
  ]);
  const partitions = renderTable(
    output,
    [
      { title: "PARTITION", align: "right" },
      { title: "LEADER", align: "right" },
      { title: "START", align: "right" },
      { title: "END", align: "right" },
      { title: "RECORDS", align: "right" },
      { title: "SIZE", align: "right" },
    ],
    topic.partitionStatus.map((each) => [
      each.partition,
      each.leader,
      each.logStartOffset,
      each.highOffset,
      humanCount(each.highOffset - each.logStartOffset),
      humanBytes(each.sizeBytes),
    ]),
  );
  return `${facts}\n${partitions}`;
}

/** The path of a topic's resource. */
export function topicPath(name: string): string {
  return `/v1/topics/${encodeURIComponent(name)}`;
}

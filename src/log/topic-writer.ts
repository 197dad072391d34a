/** Topics that hold a query's results belong to it: another writer would make them wrong. */
import { StreamError } from "../base/stream-error.ts";
import type { TopicInfo } from "../meta/catalog.ts";

/** @throws StreamError `topic_read_only` where a query writes the topic. */
export function refuseForeignWriter({ name, writer }: TopicInfo): void {
  if (writer === undefined) return;
  throw new StreamError(
    "topic_read_only",
    `Cannot append to "${name}": it holds the results of query "${writer}", which alone writes ` +
      "to it; write to the topics that the query reads",
    { details: { topic: name, writer } },
  );
}

/** Publishes as a task takes them: topics by name. */
import type { Publish } from "../log/publish-order-reader.ts";
import type { TaskPublish } from "../sql/engine/query-task.ts";
import { activityOf } from "../sql/time/event-time.ts";

export function taskPublishOf(
  { publishedAt, runs, created, watermarks }: Publish,
  names: ReadonlyMap<number, string>,
): TaskPublish {
  const topicOf = (topicNumber: number) => names.get(topicNumber) ?? "";
  return {
    publishedAt,
    runs: runs.map(({ topicNumber, partition, fromOffset, batches, stored, place }) => ({
      ...{ topic: topicOf(topicNumber), partition, fromOffset, batches },
      ...(stored !== undefined && { stored }),
      ...(place !== undefined && { place }),
    })),
    created: created.map(({ topicNumber, partition }) => ({
      ...{ topic: topicOf(topicNumber), partition },
    })),
    committed: watermarks.map(({ topicNumber, watermark, activity }) => ({
      ...{ topic: topicOf(topicNumber), watermark, activity: activityOf(activity) },
    })),
  };
}

/** Where a reader of all partitions of a topic begins, or goes on. */
import { StreamError } from "../../base/stream-error.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import type { TopicId } from "../../record/types.ts";
import { decodeCursor } from "../../wire/http/cursor.ts";
import { type OffsetText, parseOffsetText } from "../../wire/http/queries.ts";
import type { HttpContext } from "./context.ts";
import { resolveOffset } from "./read.ts";
import { requireTopic } from "./topic-lookup.ts";

/** Partitions whose start is looked up at a time. */
const lookupsMax = 32;

export interface Place {
  readonly topic: TopicInfo;
  readonly offsets: readonly number[];
}

/**
 * The place of a cursor; without one, what the `offset` parameter means.
 * @throws StreamError `topic_unknown`, `topic_recreated`, `invalid_request`.
 */
export async function findPlace(
  context: HttpContext,
  name: string,
  from: { readonly cursor?: string | undefined; readonly offset: string },
): Promise<Place> {
  const { cursor, offset } = from;
  if (cursor !== undefined) return resume(context, name, cursor);
  return begin(context, name, parseOffsetText(offset));
}

async function begin(context: HttpContext, name: string, offset: OffsetText): Promise<Place> {
  const topic = await requireTopic(context.topics, name);
  const all = Array.from({ length: topic.partitionCount }, (_, partition) => partition);
  const offsets: number[] = [];
  const status = await context.log.status(all.map((partition) => ({ topic, partition })));
  for (let start = 0; start < all.length; start += lookupsMax) {
    const some = all.slice(start, start + lookupsMax);
    const found = some.map((partition) => {
      const known = status[partition];
      if (known === undefined) return 0;
      if (offset === "earliest") return known.logStartOffset;
      if (offset === "latest") return known.highOffset;
      if ("offset" in offset) return clamp(offset.offset, known.logStartOffset, known.highOffset);
      return resolveOffset(context, { topic, partition, offset });
    });
    offsets.push(...(await Promise.all(found)));
  }
  return { topic, offsets };
}

/**
 * The place of a cursor. That its topic is gone is believed only when the metadata says so: this
 * worker may not have heard yet of the topic that another one made.
 */
async function resume(context: HttpContext, name: string, text: string): Promise<Place> {
  const { topicId, offsets } = decodeCursor(text);
  const named = await context.topics.byName(name);
  const topic = named?.topicId === topicId ? named : await context.topics.byId(topicId as TopicId);
  if (topic === undefined || topic.name !== name) {
    if (topic === undefined && named === undefined) await requireTopic(context.topics, name);
    throw new StreamError(
      "topic_recreated",
      `Cannot resume: the cursor is of another topic than the "${name}" there is now; begin anew`,
      { details: { field: "cursor", expected: "a cursor of this topic" } },
    );
  }
  if (offsets.length > topic.partitionCount) await requirePartition(context, topic, offsets.length);
  return { topic, offsets };
}

/** A cursor may know of partitions that this worker has not heard of yet. */
async function requirePartition(
  { log }: HttpContext,
  topic: TopicInfo,
  partitionCount: number,
): Promise<void> {
  const [last] = await log.status([{ topic, partition: partitionCount - 1 }]);
  if (last !== undefined) return;
  throw new StreamError(
    "invalid_request",
    `Cannot resume: the cursor has ${partitionCount} partitions, more than "${topic.name}"`,
    { details: { field: "cursor", expected: "the id of an event of this stream" } },
  );
}

function clamp(offset: number, least: number, greatest: number): number {
  return Math.min(Math.max(offset, least), greatest);
}

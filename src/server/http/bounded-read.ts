/**
 * Reads of a range of offsets that has an end, which any cache may keep: what they answer never
 * changes once the range lies below the log's stable end. Retention may drop the records later, and
 * a cache then still has them; a topic made again is another one, which such a read names.
 */
import type { FetchedPartition, PartitionStatus } from "../../log/log-types.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import { topicConfigList, topicConfigValue } from "../../meta/topic-config.ts";
import { batchesIn } from "../../record/batch.ts";

/** Seconds of a year, as long as HTTP caches keep anything. */
const cacheSeconds = 31_536_000;

export interface BoundedRead {
  readonly topic: TopicInfo;
  readonly fetchOffset: number;
  readonly endOffset: number;
  /** Its chunks alone are in the answer. */
  readonly fetched: FetchedPartition;
  readonly nextOffset: number;
}

/** What was fetched, without the batches that begin behind the range. */
export function withinRange(fetched: FetchedPartition, endOffset: number): FetchedPartition {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (const chunk of fetched.chunks) {
    let end = chunk.length;
    for (const { header, position } of batchesIn(chunk)) {
      if (header.baseOffset < endOffset) continue;
      end = position;
      break;
    }
    if (end > 0) chunks.push(end === chunk.length ? chunk : chunk.subarray(0, end));
    bytes += end;
  }
  return { ...fetched, chunks, bytes };
}

/** Whether every later answer has these records; compaction would take some of them. */
export function isImmutable({ topic, fetched, ...read }: BoundedRead): boolean {
  const { lastStableOffset, logStartOffset } = fetched;
  const { fetchOffset, endOffset, nextOffset } = read;
  if (isCompacted(topic) || nextOffset === fetchOffset) return false;
  return fetchOffset >= logStartOffset && Math.max(endOffset, nextOffset) <= lastStableOffset;
}

/**
 * The ETag of such an answer, among those to the same URL: they differ by how far they go, by the
 * media type, and where the log was cut after a power loss, by the leader epoch.
 */
export function entityTag({ topic, fetched, nextOffset }: BoundedRead, typeIndex: number): string {
  let leaderEpoch = 0;
  for (const chunk of fetched.chunks) {
    for (const { header } of batchesIn(chunk)) {
      leaderEpoch = Math.max(leaderEpoch, header.partitionLeaderEpoch);
    }
  }
  return `"${topic.topicId}.${leaderEpoch}.${nextOffset}.${typeIndex}"`;
}

/**
 * The tag out of an If-None-Match header that an answer to the range would still have, as far as
 * the partition's status says: with the leader epoch of today no record of it was cut since, and
 * what was stable stays so. Undefined: whether there is one shows when the records are read.
 */
export function standingTag(
  header: string | null,
  range: Pick<BoundedRead, "topic" | "fetchOffset"> & {
    readonly typeIndex: number;
    readonly status: Pick<PartitionStatus, "logStartOffset" | "highOffset" | "leaderEpoch">;
  },
): { readonly tag: string; readonly nextOffset: number } | undefined {
  const { topic, fetchOffset, typeIndex, status } = range;
  if (isCompacted(topic) || fetchOffset < status.logStartOffset) return undefined;
  for (const [tag, topicId, leaderEpoch, next, type] of (header ?? "").matchAll(tagPattern)) {
    const nextOffset = Number(next);
    if (topicId !== topic.topicId || Number(leaderEpoch) !== status.leaderEpoch) continue;
    if (Number(type) !== typeIndex || nextOffset <= fetchOffset) continue;
    if (nextOffset <= status.highOffset) return { tag, nextOffset };
  }
  return undefined;
}

const tagPattern = /"([^".]+)\.(\d{1,10})\.(\d{1,16})\.(\d)"/g;

function isCompacted({ config }: TopicInfo): boolean {
  return topicConfigList(topicConfigValue(config, "cleanup.policy") ?? "").includes("compact");
}

/** Whether an If-None-Match header names the tag (RFC 9110, 13.1.2). */
export function namesTag(header: string | null, tag: string): boolean {
  if (header === null) return false;
  return header.split(",").some((each) => {
    const named = each.trim().replace(/^W\//, "");
    return named === "*" || named === tag;
  });
}

/**
 * A URL that names the topic's id is good for a year. One that names the topic alone is asked again
 * each time, since a topic of that name may be made anew; the tag spares the bytes.
 */
export function cacheControl(options: {
  readonly isPublic: boolean;
  readonly namesTopicId: boolean;
}): string {
  const scope = options.isPublic ? "public" : "private";
  const time = options.namesTopicId ? `max-age=${cacheSeconds}, immutable` : "no-cache";
  return `${scope}, ${time}`;
}

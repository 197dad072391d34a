/** Reads records of several partitions, of several topics too, as JSON with their topic's name. */

import { StreamError } from "../../base/stream-error.ts";
import type { FetchedPartition } from "../../log/log-types.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import type { HttpContext } from "./context.ts";
import { fetchError, fetchedRecords, nextOffsetAfter } from "./fetched-batches.ts";
import { recordJson } from "./record-json.ts";

/** What one answer holds of stored bytes; a batch is given even if it is larger. */
const fetchBytesMax = 1024 * 1024;
/** What one partition gets of it, so that others get something, too. */
const partitionBytesMax = 256 * 1024;
/** About what an answer holds of text, whatever compressed batches become. */
const textLengthMax = 4 * 1024 * 1024;

export interface PartitionPlace {
  readonly topic: TopicInfo;
  readonly partition: number;
  /** The offset to read from. */
  readonly next: number;
}

export interface PlacedRead {
  /** JSON objects. */
  readonly records: readonly string[];
  /** JSON objects: offsets that are gone. */
  readonly gaps: readonly string[];
  /** Where each place goes on. */
  readonly nextOffsets: readonly number[];
}

export interface ReadLimits {
  readonly values: "text" | "json";
  readonly countMax: number;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/** Waits until there is something. @throws StreamError `queue_full` and those of reads. */
export async function readPlaces(
  context: HttpContext,
  places: readonly PartitionPlace[],
  limits: ReadLimits,
): Promise<PlacedRead> {
  const { log, platform, answerMemory: memory } = context;
  if (places.length === 0) return { records: [], gaps: [], nextOffsets: [] };
  // Who comes first may fill the answer: that is another one each time.
  const first = Math.floor(platform.random.uniform() * places.length);
  const order = [...places.keys()].map((index) => (index + first) % places.length);
  const asked = order.flatMap((index) => places[index] ?? []);
  const partitions = asked.map(({ topic, partition, next }) => ({
    ...{ topicId: topic.topicId, partition, fetchOffset: next },
    ...{ partitionBytesMax, currentLeaderEpoch: -1 },
  }));
  const fetchLimits = { bytesMin: 1, bytesMax: fetchBytesMax, waitMsMax: limits.waitMs, memory };
  const fetched = await log.fetch({ partitions, ...fetchLimits }, limits.signal);
  const walk = new PlaceWalk(context, limits);
  const nextOffsets = places.map(({ next }) => next);
  try {
    order.forEach((index, turn) => {
      const place = asked[turn];
      const found = fetched[turn];
      if (place !== undefined && found !== undefined) nextOffsets[index] = walk.take(place, found);
    });
  } finally {
    memory.release(fetched);
    log.release(fetched);
  }
  const { records, gaps } = walk;
  if (records.length === 0 && gaps.length === 0 && walk.isCutShort) {
    throw new StreamError("queue_full", "Cannot answer now: readers in flight hold all there is");
  }
  return { records, gaps, nextOffsets };
}

class PlaceWalk {
  readonly records: string[] = [];
  readonly gaps: string[] = [];
  /** There was no room for a batch decompressed. */
  isCutShort = false;
  readonly #context: HttpContext;
  readonly #limits: ReadLimits;
  #textLength = 0;

  constructor(context: HttpContext, limits: ReadLimits) {
    this.#context = context;
    this.#limits = limits;
  }

  /** Takes the records of a place; returns where it goes on. */
  take({ topic, partition, next }: PartitionPlace, fetched: FetchedPartition): number {
    if (fetched.error !== undefined) return this.#gap({ topic, partition, next }, fetched);
    const { settings, platform, answerMemory: memory } = this.#context;
    const { decompressedBytesMax } = settings;
    const options = { fromOffset: next, codecs: platform.codecs, decompressedBytesMax, memory };
    const json = { values: this.#limits.values, isOneLine: false, partition };
    const head = `{"topic":${JSON.stringify(topic.name)},`;
    let nextOffset = next;
    for (const record of fetchedRecords(fetched, options)) {
      if (this.#isFull) return nextOffset;
      if (record === undefined) {
        this.isCutShort = true;
        return nextOffset;
      }
      const text = head + recordJson(record, json).slice(1);
      this.records.push(text);
      this.#textLength += text.length;
      nextOffset = record.offset + 1;
    }
    return nextOffsetAfter(fetched, nextOffset);
  }

  get #isFull(): boolean {
    return this.records.length >= this.#limits.countMax || this.#textLength >= textLengthMax;
  }

  /** Goes on where the log does. */
  #gap({ topic, partition, next }: PartitionPlace, fetched: FetchedPartition): number {
    const { logStartOffset, highOffset } = fetched;
    if (fetched.error !== "offset_out_of_range") throw fetchError(fetched, topic.name, next);
    const to = next < logStartOffset ? logStartOffset : highOffset;
    const place = `"topic":${JSON.stringify(topic.name)},"partition":${partition}`;
    this.gaps.push(`{${place},"from":${next},"to":${to}}`);
    return to;
  }
}

/**
 * A view's topic as its table takes it: one sequence of records with one offset. Of a topic with
 * one partition that is the partition. Several are merged in publish order, and a record's place
 * is the number of records before it in all partitions together, so that the changes of every key
 * come in their order and every worker counts alike; a commit shows as one.
 */
import { StreamError } from "../base/stream-error.ts";
import type { LogService } from "../log/log-types.ts";
import type {
  PublishedRun,
  PublishOrderReader,
  ReaderPosition,
} from "../log/publish-order-reader.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import { batchesIn, readBatchHeader, stampBatch } from "../record/batch.ts";

export interface ViewSourceLog extends Pick<LogService, "fetch" | "release" | "status"> {
  follow(topics: readonly TopicInfo[], start: ReaderPosition): PublishOrderReader;
}

/** Records from a place on. */
export interface ViewRecords {
  /** Whole record batches, end to end in each chunk; the first may begin before the place. */
  readonly chunks: readonly Uint8Array[];
  /** The place behind the last of them. */
  readonly nextOffset: number;
  /** Gives the chunks back. */
  readonly release: () => void;
}

export interface ViewSource {
  /** The place of the first record that is there. @throws StreamError `topic_unknown` */
  open(): Promise<number>;
  /** Sum of the leader epochs of all partitions as it was opened. */
  readonly epochs: number;
  /**
   * What stands from `offset` on, waiting for it for a while; none when nothing came. Places are
   * asked for in their order; the same may be asked for again.
   */
  next(offset: number, signal: AbortSignal): Promise<ViewRecords | null>;
}

/** Bytes that are fetched and applied at once: more than a commit has, so that it shows as one. */
const sliceBytes = 8 * 1024 * 1024;
/** A fetch that waits is made again after this. */
const waitMsMax = 30_000;

export function openViewSource(log: ViewSourceLog, topic: TopicInfo): ViewSource {
  return topic.partitionCount === 1
    ? new PartitionSource(log, topic)
    : new MergedSource(log, topic);
}

class PartitionSource implements ViewSource {
  readonly #log: ViewSourceLog;
  readonly #topic: TopicInfo;
  #leaderEpoch = -1;

  constructor(log: ViewSourceLog, topic: TopicInfo) {
    this.#log = log;
    this.#topic = topic;
  }

  get epochs(): number {
    return this.#leaderEpoch;
  }

  async open(): Promise<number> {
    const [status] = await this.#log.status([{ topic: this.#topic, partition: 0 }]);
    if (status === undefined) throw unknown(this.#topic);
    this.#leaderEpoch = status.leaderEpoch;
    return status.logStartOffset;
  }

  async next(offset: number, signal: AbortSignal): Promise<ViewRecords | null> {
    const { topicId, name } = this.#topic;
    const [found] = await this.#log.fetch(
      {
        partitions: [
          {
            ...{ topicId, partition: 0, fetchOffset: offset, partitionBytesMax: sliceBytes },
            // It rises by a cut: then the table may hold what is gone.
            currentLeaderEpoch: this.#leaderEpoch,
          },
        ],
        ...{ bytesMin: 1, bytesMax: sliceBytes, waitMsMax },
      },
      signal,
    );
    if (found === undefined) throw unknown(this.#topic);
    if (found.error !== undefined) {
      throw new StreamError(found.error, `Cannot read "${name}" at offset ${offset}`);
    }
    const nextOffset = endOf(found.chunks);
    const release = () => this.#log.release([found]);
    return found.chunks.length === 0 ? null : { chunks: found.chunks, nextOffset, release };
  }
}

class MergedSource implements ViewSource {
  readonly #log: ViewSourceLog;
  readonly #topic: TopicInfo;
  #reader: PublishOrderReader | undefined;
  /** Behind what was read of the topic. */
  #position = 0;
  #epochs = 0;
  /** Batches of their own, stamped with their places, that were not taken whole yet. */
  #waiting: Uint8Array[] = [];

  constructor(log: ViewSourceLog, topic: TopicInfo) {
    this.#log = log;
    this.#topic = topic;
  }

  get epochs(): number {
    return this.#epochs;
  }

  async open(): Promise<number> {
    const topic = this.#topic;
    const { topicNumber, partitionCount } = topic;
    const partitions = Array.from({ length: partitionCount }, (_, partition) => partition);
    const states = await this.#log.status(partitions.map((partition) => ({ topic, partition })));
    const cursors = states.map((status, partition) => {
      if (status === undefined) throw unknown(topic);
      return { topicNumber, partition, nextOffset: status.logStartOffset };
    });
    this.#epochs = states.reduce((sum, status) => sum + (status?.leaderEpoch ?? 0), 0);
    this.#reader = this.#log.follow([topic], { publishPosition: 0, cursors });
    this.#position = cursors.reduce((sum, { nextOffset }) => sum + nextOffset, 0);
    return this.#position;
  }

  async next(offset: number, signal: AbortSignal): Promise<ViewRecords | null> {
    this.#waiting = this.#waiting.filter((batch) => endOfBatch(batch) > offset);
    if (this.#waiting.length === 0) await this.#read(signal);
    const last = this.#waiting.at(-1);
    if (last === undefined) return null;
    return { chunks: [...this.#waiting], nextOffset: endOfBatch(last), release: () => {} };
  }

  async #read(signal: AbortSignal): Promise<void> {
    const slice = await this.#reader?.next({ bytesMax: sliceBytes, waitMsMax, signal });
    for (const { runs } of slice?.publishes ?? []) for (const run of runs) this.#take(run);
    slice?.release();
  }

  /** A batch whose first records were deleted keeps its distance: they stay below the place. */
  #take({ fromOffset, nextOffset, batches }: PublishedRun): void {
    for (const batch of batches) {
      const header = readBatchHeader(batch);
      const baseOffset = this.#position + header.baseOffset - fromOffset;
      const copy = batch.slice();
      stampBatch(copy, 0, { baseOffset, leaderEpoch: 0 });
      this.#waiting.push(copy);
    }
    this.#position += nextOffset - fromOffset;
  }
}

function endOfBatch(batch: Uint8Array): number {
  const { baseOffset, lastOffsetDelta } = readBatchHeader(batch);
  return baseOffset + lastOffsetDelta + 1;
}

function endOf(chunks: readonly Uint8Array[]): number {
  let end = 0;
  for (const { header } of batchesIn(chunks.at(-1) ?? new Uint8Array())) {
    end = header.baseOffset + header.lastOffsetDelta + 1;
  }
  return end;
}

function unknown({ name }: TopicInfo): StreamError {
  return new StreamError("topic_unknown", `Cannot read "${name}": there is no such topic`);
}

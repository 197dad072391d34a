/**
 * A query's commits: state, positions and results in one publish group, guarded by the lease of its
 * task. Exactly once from log to log comes of this alone: what one commit holds is published
 * together or not at all, and nobody but the lease's holder can publish it.
 *
 * State lies in a topic of the query's own, so that small checkpoints travel in the worker's next
 * flush beside the results and cost no object of their own; large ones, and results that are more
 * than one group may carry, are stored there first as plain records and then pointed to. The log
 * checks their sums, keeps them, and deletes them once newer ones have taken their place.
 */
import { assert, present } from "../base/assert.ts";
import type { Platform } from "../base/platform.ts";
import { StreamError } from "../base/stream-error.ts";
import type { AppendBatch, LogService } from "../log/log-types.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import type { PartitionCursor } from "../meta/publish-order.ts";
import type { OffsetToCommit, PublishGuard } from "../meta/publish-request.ts";
import { readBatchHeader } from "../record/batch.ts";
import { encodeBatch } from "../record/batch-encode.ts";
import { decodeRecords } from "../record/batch-records.ts";
import type { LogRecord } from "../record/types.ts";
import {
  type CommitHeader,
  decodeCommitRecord,
  encodeCommitRecord,
  type StatePart,
} from "./commit-record.ts";
import { decodePendingResult, encodePendingResult } from "./pending-result.ts";

/** State up to this size travels in the commit's own record. */
const inlineBytesMax = 256 * 1024;
/** Records that a larger part, or results that wait, are cut into. */
const chunkBytes = 512 * 1024;
/** What one group may carry of results. */
const groupBytesMax = 2 * 1024 * 1024;
/** Deltas behind a full part before a new one is asked for. */
const deltasMax = 60;
/** A batch of a checkpoint, decompressed, is no larger: chunks are bounded. */
const decodedBytesMax = 64 * 1024 * 1024;

export interface StateBytes {
  readonly kind: "full" | "delta";
  readonly bytes: Uint8Array;
}

export interface QueryCommit {
  /** Everything up to this publish is in the state. */
  readonly publishPosition: number;
  readonly cursors: readonly PartitionCursor[];
  readonly state: StateBytes;
  /** Results, late rows and rows in error; each batch encoded without an offset. */
  readonly results: readonly AppendBatch[];
  /** Shown as a consumer group, for tools that watch lag. */
  readonly offsets: readonly OffsetToCommit[];
}

export interface LoadedCommit {
  readonly publishPosition: number;
  readonly cursors: readonly PartitionCursor[];
  /** A full part, then deltas in order. */
  readonly state: readonly StateBytes[];
}

export interface CheckpointLogParts {
  readonly platform: Platform;
  readonly log: Pick<LogService, "append" | "appendGroup" | "fetch" | "status" | "deleteRecords">;
  readonly topic: TopicInfo;
  /** Group under which positions are shown. */
  readonly groupId: string;
  /** Must hold for every commit: the lease of the task. */
  readonly guard: PublishGuard;
  /** The topic of that name, for results that waited. */
  readonly topicOf: (name: string) => Promise<TopicInfo | undefined>;
}

export class CheckpointLog {
  readonly #parts: CheckpointLogParts;
  #sequence = 0;
  #chain: readonly StatePart[] = [];
  #logStart = 0;

  constructor(parts: CheckpointLogParts) {
    this.#parts = parts;
  }

  /** Whether the next commit should carry its state in full: the chain has grown long. */
  get wantsFull(): boolean {
    const [full, ...deltas] = this.#chain;
    if (full === undefined || deltas.length >= deltasMax) return true;
    const deltaBytes = deltas.reduce((sum, part) => sum + part.bytes, 0);
    return deltaBytes > Math.max(full.bytes, inlineBytesMax);
  }

  /**
   * The newest commit, or null when there is none; results of it that were still waiting are
   * published first.
   * @throws StreamError `corrupt_state`, `guard_failed`, and as `fetch` and `append` do.
   */
  async load(): Promise<LoadedCommit | null> {
    const [status] = await this.#parts.log.status([{ topic: this.#parts.topic, partition: 0 }]);
    if (status === undefined) {
      const { name } = this.#parts.topic;
      throw new StreamError("topic_unknown", `Cannot go on: the topic "${name}" was deleted`);
    }
    this.#logStart = status.logStartOffset;
    const found = await this.#newest(status.highOffset);
    if (found === null) return null;
    const { header, inline } = found.record;
    this.#sequence = header.sequence;
    const state: StateBytes[] = [];
    for (const part of header.chain) {
      const bytes =
        part.firstOffset === null ? inline : await this.#readPart(part, part.firstOffset);
      state.push({ kind: part.kind, bytes: this.#unpack(bytes, part.bytes) });
    }
    this.#chain = header.chain.map((part) => settled(part, found.offset));
    if (header.pending !== null) await this.#publishPending(header, header.pending);
    const { publishPosition, cursors } = header;
    return { publishPosition, cursors, state };
  }

  /**
   * Publishes a commit; resolves when all of its results are there.
   * @throws StreamError `guard_failed` when the lease is another's: then nothing was published.
   *   After any other error the outcome is unknown until `load`.
   */
  async commit(commit: QueryCommit): Promise<void> {
    const { publishPosition, cursors, state, results, offsets } = commit;
    const packed = this.#pack(state.bytes);
    const isInline = packed.length <= inlineBytesMax;
    const stored = isInline ? null : await this.#append(chunksOf(packed));
    const part: StatePart = {
      kind: state.kind,
      firstOffset: stored?.firstOffset ?? null,
      lastOffset: stored?.lastOffset ?? null,
      isInline,
      bytes: state.bytes.length,
    };
    const resultBytes = results.reduce((sum, batch) => sum + batch.bytes.length, 0);
    const waits = resultBytes > groupBytesMax;
    const pending = waits ? await this.#storePending(results) : null;
    const header: CommitHeader = {
      version: 1,
      sequence: this.#sequence + 1,
      publishPosition,
      cursors: [...cursors],
      chain: [...(state.kind === "full" ? [] : this.#chain), part],
      pending,
    };
    const inline = isInline ? packed : new Uint8Array(0);
    const at = await this.#publish({ header, inline }, waits ? [] : results, offsets);
    this.#chain = header.chain.map((each) => settled(each, at));
    if (pending !== null) await this.#publishPending(header, pending);
    await this.#trim();
  }

  /** One group: results, and the commit's record behind them. Returns that record's offset. */
  async #publish(
    record: Parameters<typeof encodeCommitRecord>[0],
    results: readonly AppendBatch[],
    offsets: readonly OffsetToCommit[],
  ): Promise<number> {
    const { log, guard, groupId } = this.#parts;
    const { appended } = await log.appendGroup({
      guards: [guard],
      effects: offsets.length === 0 ? [] : [{ kind: "groupOffsets", groupId, offsets }],
      batches: [...results, this.#batchOf(commitKey, encodeCommitRecord(record))],
    });
    this.#sequence = record.header.sequence;
    return present(appended.at(-1), "offset of a commit").baseOffset;
  }

  /** Stores batches of results as records, each behind the name and partition it is meant for. */
  async #storePending(results: readonly AppendBatch[]): Promise<CommitHeader["pending"]> {
    const stored = await this.#append(
      results.map(({ topic, partition, bytes }) =>
        encodePendingResult({ topicName: topic.name, partition, bytes }),
      ),
    );
    return { ...stored, publishedCount: 0 };
  }

  /** Publishes the results that wait, group by group; how far it came is part of each commit. */
  async #publishPending(
    header: CommitHeader,
    pending: NonNullable<CommitHeader["pending"]>,
  ): Promise<void> {
    const { firstOffset, lastOffset, publishedCount } = pending;
    const records = await this.#readRecords(firstOffset + publishedCount, lastOffset);
    const results: AppendBatch[] = [];
    for (const { value } of records) {
      results.push(await this.#pendingBatch(present(value, "a result")));
    }
    let done = publishedCount;
    while (results.length > 0) {
      let bytes = 0;
      let count = 0;
      while (count < results.length && (count === 0 || bytes < groupBytesMax)) {
        bytes += results[count]?.bytes.length ?? 0;
        count += 1;
      }
      done += count;
      const left = done > lastOffset - firstOffset ? null : { ...pending, publishedCount: done };
      const next: CommitHeader = {
        ...header,
        sequence: this.#sequence + 1,
        chain: [...this.#chain],
        pending: left,
      };
      await this.#publish(
        { header: next, inline: new Uint8Array(0) },
        results.splice(0, count),
        [],
      );
    }
  }

  async #pendingBatch(record: Uint8Array): Promise<AppendBatch> {
    const { topicName, partition, bytes } = decodePendingResult(record);
    const topic = await this.#parts.topicOf(topicName);
    if (topic === undefined) {
      throw new StreamError("topic_unknown", `Cannot publish results: no topic "${topicName}"`);
    }
    return { topic, partition, bytes, header: readBatchHeader(bytes) };
  }

  /** Records that no commit points to any more go. A failure is made good by the next commit. */
  async #trim(): Promise<void> {
    const { log, topic, platform } = this.#parts;
    const first = this.#chain[0]?.firstOffset ?? this.#logStart;
    if (first <= this.#logStart) return;
    try {
      this.#logStart = await log.deleteRecords(topic, 0, first);
    } catch (error) {
      platform.log.debug("old checkpoints not deleted yet", { topic: topic.name, error });
    }
  }

  /**
   * Plain records, end to end; nothing points to them before a commit does. The lease guards them
   * too, so that no other task's records come in between.
   */
  async #append(
    values: readonly Uint8Array[],
  ): Promise<{ readonly firstOffset: number; readonly lastOffset: number }> {
    const { log, guard } = this.#parts;
    const offsets: number[] = [];
    for (let index = 0; index < values.length; ) {
      const batches: AppendBatch[] = [];
      for (let bytes = 0; index < values.length && bytes < groupBytesMax; index++) {
        const value = present(values[index], "a record");
        bytes += value.length;
        batches.push(this.#batchOf(null, value));
      }
      const { appended } = await log.appendGroup({ guards: [guard], effects: [], batches });
      offsets.push(...appended.map(({ baseOffset }) => baseOffset));
    }
    const firstOffset = present(offsets[0], "offset of a part");
    const lastOffset = present(offsets.at(-1), "offset of a part");
    assert(lastOffset - firstOffset === values.length - 1, "the records of a part stand together");
    return { firstOffset, lastOffset };
  }

  #batchOf(key: Uint8Array | null, value: Uint8Array): AppendBatch {
    const { platform, topic } = this.#parts;
    const record = { timestamp: platform.clock.now(), key, value };
    const bytes = encodeBatch({ records: [record], codec: "none" }, platform);
    return { topic, partition: 0, bytes, header: readBatchHeader(bytes) };
  }

  async #newest(highOffset: number) {
    // Behind the newest commit may stand records that no commit points to: a task died there.
    for (let offset = highOffset - 1; offset >= this.#logStart; offset--) {
      const [record] = await this.#readRecords(offset, offset);
      if (record?.value == null || record.key === null) continue;
      return { offset, record: decodeCommitRecord(record.value) };
    }
    return null;
  }

  async #readPart(part: StatePart, firstOffset: number): Promise<Uint8Array> {
    const records = await this.#readRecords(firstOffset, part.lastOffset ?? firstOffset);
    if (part.isInline) return decodeCommitRecord(present(records[0]?.value, "a commit")).inline;
    return joined(records.map(({ value }) => present(value, "a part")));
  }

  async #readRecords(firstOffset: number, lastOffset: number): Promise<LogRecord[]> {
    const { log, topic, platform } = this.#parts;
    const records: LogRecord[] = [];
    for (let offset = firstOffset; offset <= lastOffset; ) {
      const [found] = await log.fetch({
        partitions: [
          {
            ...{ topicId: topic.topicId, partition: 0, fetchOffset: offset },
            ...{ partitionBytesMax: 8 * chunkBytes, currentLeaderEpoch: -1 },
          },
        ],
        ...{ bytesMin: 0, bytesMax: 8 * chunkBytes, waitMsMax: 0 },
      });
      if (found === undefined || found.error !== undefined || found.bytes === 0) {
        const message = `Cannot read the checkpoint at offset ${offset} of "${topic.name}"`;
        throw new StreamError(found?.error ?? "corrupt_state", message);
      }
      const options = { codecs: platform.codecs, sizeMax: decodedBytesMax, fromOffset: offset };
      for (const record of recordsIn(found.chunks, options)) {
        if (record.offset > lastOffset) break;
        records.push(record);
        offset = record.offset + 1;
      }
    }
    return records;
  }

  #pack(bytes: Uint8Array): Uint8Array {
    return this.#parts.platform.codecs.compress("zstd", bytes);
  }

  #unpack(bytes: Uint8Array, sizeMax: number): Uint8Array {
    return this.#parts.platform.codecs.decompress("zstd", bytes, { sizeMax });
  }
}

/** Key of the records that are commits; parts of state and results that wait have none. */
const commitKey = new TextEncoder().encode("commit");

/** The part of a commit as later commits name it: where it lies is known now. */
function settled(part: StatePart, commitOffset: number): StatePart {
  if (part.firstOffset !== null) return part;
  return { ...part, firstOffset: commitOffset, lastOffset: commitOffset };
}

function chunksOf(bytes: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let position = 0; position < bytes.length; position += chunkBytes) {
    chunks.push(bytes.subarray(position, position + chunkBytes));
  }
  return chunks;
}

function* recordsIn(
  chunks: readonly Uint8Array[],
  options: Parameters<typeof decodeRecords>[1],
): Generator<LogRecord, void> {
  for (const chunk of chunks) {
    let position = 0;
    while (position < chunk.length) {
      const batch = chunk.subarray(position);
      yield* decodeRecords(batch, options);
      position += readBatchHeader(batch).sizeBytes;
    }
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.length;
  }
  return bytes;
}

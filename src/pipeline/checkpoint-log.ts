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
import { freeBytes } from "../base/free-bytes.ts";
import { joinedBytes } from "../base/joined-bytes.ts";
import type { Platform } from "../base/platform.ts";
import { isStreamError, StreamError } from "../base/stream-error.ts";
import type { AppendBatch, AppendedGroup, AppendGroup, LogService } from "../log/log-types.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import type { PartitionCursor } from "../meta/publish-order.ts";
import type { OffsetToCommit, PublishEffect, PublishGuard } from "../meta/publish-request.ts";
import { readBatchHeader } from "../record/batch.ts";
import { encodeBatch } from "../record/batch-encode.ts";
import { decodeRecords } from "../record/batch-records.ts";
import type { LogRecord } from "../record/types.ts";
import type { CommittedTime } from "../sql/time/event-time.ts";
import {
  type CommitHeader,
  decodeCommitRecord,
  encodeCommitRecord,
  type StatePart,
} from "./commit-record.ts";
import { decodePendingResult, encodePendingResult } from "./pending-result.ts";
import type { PackedState } from "./task-protocol.ts";

/** State, as its task packed it, up to this size travels in the commit's own record. */
const inlineBytesMax = 256 * 1024;
/** Records that a larger part, or results that wait, are cut into. */
const chunkBytes = 512 * 1024;
/** What one group may carry of results, where nothing else is said. */
const groupBytesDefault = 2 * 1024 * 1024;
/** Bytes that a read of several records asks for. */
const readBytes = 4 * 1024 * 1024;
/** Between attempts at what was refused without anything having been published. */
const againMsMin = 50;
const againMsMax = 2_000;
/** Deltas behind a full part before a new one is asked for. */
const deltasMax = 60;
/**
 * Where a power loss may take records, commits from before it are kept for so long: an operating
 * system leaves nothing unwritten for longer.
 */
const keptMs = 120_000;
/** A batch of a checkpoint, decompressed, is no larger: chunks are bounded. */
const decodedBytesMax = 64 * 1024 * 1024;

/** As it is stored: packed by the task. */
export type StateBytes = PackedState;

export interface QueryCommit {
  /** Everything up to this publish is in the state. */
  readonly publishPosition: number;
  readonly cursors: readonly PartitionCursor[];
  /** The last part of the state; those before it were given to `store`. */
  readonly state: StateBytes;
  /** Results, late rows and rows in error; each batch encoded without an offset. */
  readonly results: readonly AppendBatch[];
  /** Shown as a consumer group, for tools that watch lag. */
  readonly offsets: readonly OffsetToCommit[];
  /** How far the results, these counted, have come in event time; null or absent: unknown. */
  readonly committed?: CommittedTime | null;
}

export interface LoadedCommit {
  readonly publishPosition: number;
  readonly cursors: readonly PartitionCursor[];
  /** A full part, then deltas in order, each read when it is asked for. Until the next commit. */
  states(): AsyncGenerator<StateBytes, void>;
}

export interface CheckpointLogParts {
  readonly platform: Platform;
  readonly log: Pick<LogService, "append" | "appendGroup" | "fetch" | "status" | "deleteRecords">;
  readonly topic: TopicInfo;
  /** Group under which positions are shown. */
  readonly groupId: string;
  /** Where results go, if the query alone writes it: those who read it hear of watermarks. */
  readonly output?: TopicInfo;
  /** Must hold for every commit: the lease of the task. */
  readonly guard: PublishGuard;
  /** The topic of that name, for results that waited. @throws StreamError `topic_unknown` */
  readonly topicOf: (name: string) => Promise<TopicInfo>;
  /** Commits that newer ones stand for are kept for a while: the log may lose its tail. */
  readonly mayLoseTail?: boolean;
  /** What one group may carry of results, bytes; default 2 MiB. */
  readonly groupBytesMax?: number;
  /** Once aborted, what is refused is not tried again. */
  readonly signal?: AbortSignal;
}

export class CheckpointLog {
  readonly #parts: CheckpointLogParts;
  #sequence = 0;
  #chain: readonly StatePart[] = [];
  /** Parts at the chain's head that are one full state. */
  #fullParts = 1;
  /** Parts of the state of the commit to come. */
  #stored: StatePart[] = [];
  /** Results of the commit to come. */
  #waiting: CommitHeader["pending"] = null;
  #logStart = 0;
  /** Where chains begin that newer ones stand for, oldest first, and until when they are kept. */
  #kept: { readonly firstOffset: number; readonly until: number }[] = [];
  /** What readers of the results were told last. */
  #told: CommitHeader["committed"] = null;

  constructor(parts: CheckpointLogParts) {
    this.#parts = parts;
  }

  /** Results of this size and more are written twice: a commit had better come before. */
  get groupBytesMax(): number {
    return this.#parts.groupBytesMax ?? groupBytesDefault;
  }

  /** Whether the next commit should carry its state in full: the chain has grown long. */
  get wantsFull(): boolean {
    const full = this.#chain.slice(0, this.#fullParts);
    const deltas = this.#chain.slice(this.#fullParts);
    if (full.length === 0 || deltas.length >= deltasMax) return true;
    return bytesOf(deltas) > Math.max(bytesOf(full), inlineBytesMax);
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
    this.#chain = header.chain.map((part) => settled(part, found.offset));
    this.#fullParts = header.fullParts;
    if (header.pending === null) this.#told = header.committed;
    if (header.pending !== null) await this.#publishPending(header, header.pending);
    const { publishPosition, cursors, chain } = header;
    return { publishPosition, cursors, states: () => this.#states(chain, inline) };
  }

  async *#states(
    chain: readonly StatePart[],
    inline: Uint8Array,
  ): AsyncGenerator<StateBytes, void> {
    for (const part of chain) {
      const bytes =
        part.firstOffset === null ? inline : await this.#readPart(part, part.firstOffset);
      if (bytes.length !== part.bytes) throw this.#torn(part, bytes.length);
      yield { kind: part.kind, bytes };
    }
  }

  /**
   * Stores a part of a state that is large, and takes its bytes: nothing points to it before the
   * commit, whose own is the last. The first of several is full or a delta as the state is, those
   * behind it are deltas.
   * @throws as `commit`
   */
  async store({ kind, bytes }: StateBytes): Promise<void> {
    const length = bytes.length;
    const stored = await this.#append(chunksOf(bytes));
    freeBytes(bytes);
    this.#stored.push({ kind, ...stored, isInline: false, bytes: length });
  }

  /**
   * Stores results of a commit to come, which then has none besides. Several calls follow each
   * other, before any part of its state: nothing points to them before the commit.
   * @throws as `commit`
   */
  async storeResults(results: readonly AppendBatch[]): Promise<void> {
    if (results.length === 0) return;
    const before = this.#waiting;
    const { firstOffset, lastOffset } = await this.#append(
      results.map(({ topic, partition, bytes }) =>
        encodePendingResult({ topicName: topic.name, partition, bytes }),
      ),
    );
    const isNext = before === null || before.lastOffset + 1 === firstOffset;
    assert(isNext, "results that wait stand together");
    this.#waiting = {
      firstOffset: before?.firstOffset ?? firstOffset,
      lastOffset,
      publishedCount: 0,
    };
  }

  /**
   * Publishes a commit; resolves when all of its results are there.
   * @throws StreamError `guard_failed` when the lease is another's: then nothing was published.
   *   After any other error the outcome is unknown until `load`.
   */
  async commit(commit: QueryCommit): Promise<void> {
    const { publishPosition, cursors, state, results, offsets, committed = null } = commit;
    const resultBytes = results.reduce((sum, batch) => sum + batch.bytes.length, 0);
    if (resultBytes > this.groupBytesMax && results.length > 1) await this.storeResults(results);
    const pending = this.#waiting;
    const isInline = state.bytes.length <= inlineBytesMax;
    const stored = isInline ? null : await this.#append(chunksOf(state.bytes));
    const part: StatePart = {
      kind: state.kind,
      firstOffset: stored?.firstOffset ?? null,
      lastOffset: stored?.lastOffset ?? null,
      isInline,
      bytes: state.bytes.length,
    };
    if (!isInline) freeBytes(state.bytes);
    const parts = [...this.#stored, part];
    const isFull = parts[0]?.kind === "full";
    const header: CommitHeader = {
      version: 1,
      sequence: this.#sequence + 1,
      publishPosition,
      cursors: [...cursors],
      chain: [...(isFull ? [] : this.#chain), ...parts],
      fullParts: isFull ? parts.length : this.#fullParts,
      ...{ pending, committed },
    };
    const inline = isInline ? state.bytes : new Uint8Array(0);
    const given = pending === null ? results : [];
    const at = await this.#publish({ header, inline }, given, offsets);
    if (isFull) this.#keepChain();
    this.#chain = header.chain.map((each) => settled(each, at));
    this.#fullParts = header.fullParts;
    this.#stored = [];
    this.#waiting = null;
    if (pending !== null) await this.#publishPending(header, pending);
    await this.#trim();
  }

  /** One group: results, and the commit's record behind them. Returns that record's offset. */
  async #publish(
    record: Parameters<typeof encodeCommitRecord>[0],
    results: readonly AppendBatch[],
    offsets: readonly OffsetToCommit[],
  ): Promise<number> {
    const { guard, groupId } = this.#parts;
    const { committed, pending } = record.header;
    const shown: PublishEffect[] =
      offsets.length === 0 ? [] : [{ kind: "groupOffsets", groupId, offsets }];
    const value = encodeCommitRecord(record);
    const own = this.#batchOf(commitKey, value);
    freeBytes(value);
    const { appended } = await this.#appendGroup({
      guards: [guard],
      effects: [...shown, ...this.#watermarkOf(record.header)],
      batches: [...results, own],
    });
    freeBytes(own.bytes);
    this.#sequence = record.header.sequence;
    if (pending === null) this.#told = committed;
    return present(appended.at(-1), "offset of a commit").baseOffset;
  }

  /**
   * A row where it says something new. It comes with the last of the results that it is said of.
   */
  #watermarkOf({ committed, pending }: CommitHeader): PublishEffect[] {
    const { output } = this.#parts;
    if (output === undefined || committed === null || pending !== null) return [];
    const { watermark, activity } = committed;
    const isKnown = watermark === this.#told?.watermark && activity === this.#told.activity;
    if (isKnown) return [];
    return [{ kind: "watermark", topicNumber: output.topicNumber, watermark, activity }];
  }

  /** Publishes the results that wait, group by group; how far it came is part of each commit. */
  async #publishPending(
    header: CommitHeader,
    pending: NonNullable<CommitHeader["pending"]>,
  ): Promise<void> {
    const { firstOffset, lastOffset, publishedCount } = pending;
    let done = publishedCount;
    let results: AppendBatch[] = [];
    let bytes = 0;
    const publish = async () => {
      done += results.length;
      const left = done > lastOffset - firstOffset ? null : { ...pending, publishedCount: done };
      const chain = [...this.#chain];
      const next = { ...header, sequence: this.#sequence + 1, chain, pending: left };
      await this.#publish({ header: next, inline: new Uint8Array(0) }, results, []);
      for (const { bytes: published } of results) freeBytes(published);
      results = [];
      bytes = 0;
    };
    for await (const { value } of this.#records(firstOffset + done, lastOffset)) {
      const batch = await this.#pendingBatch(present(value, "a result"));
      if (results.length > 0 && bytes + batch.bytes.length > this.groupBytesMax) await publish();
      results.push(batch);
      bytes += batch.bytes.length;
    }
    if (results.length > 0) await publish();
  }

  async #pendingBatch(record: Uint8Array): Promise<AppendBatch> {
    const { topicName, partition, bytes } = decodePendingResult(record);
    const topic = await this.#parts.topicOf(topicName);
    return { topic, partition, bytes, header: readBatchHeader(bytes) };
  }

  /** A full state stands for the chain up to now: it goes at once, or is kept for a while. */
  #keepChain(): void {
    const firstOffset = this.#chain[0]?.firstOffset ?? null;
    if (firstOffset === null || !this.#parts.mayLoseTail) return;
    const until = this.#parts.platform.clock.monotonic() + keptMs;
    this.#kept.push({ firstOffset, until });
  }

  /** Records that no commit points to any more go. A failure is made good by the next commit. */
  async #trim(): Promise<void> {
    const { log, topic, platform } = this.#parts;
    const now = platform.clock.monotonic();
    while ((this.#kept[0]?.until ?? now) < now) this.#kept.shift();
    const first = this.#kept[0]?.firstOffset ?? this.#chain[0]?.firstOffset ?? this.#logStart;
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
    const { guard } = this.#parts;
    const offsets: number[] = [];
    for (let index = 0; index < values.length; ) {
      const batches: AppendBatch[] = [];
      for (let bytes = 0; index < values.length && bytes < this.groupBytesMax; index++) {
        const value = present(values[index], "a record");
        bytes += value.length;
        batches.push(this.#batchOf(null, value));
      }
      const { appended } = await this.#appendGroup({ guards: [guard], effects: [], batches });
      for (const { bytes: stored } of batches) freeBytes(stored);
      offsets.push(...appended.map(({ baseOffset }) => baseOffset));
      if (index < values.length) await this.#letOthersIn();
    }
    const firstOffset = present(offsets[0], "offset of a part");
    const lastOffset = present(offsets.at(-1), "offset of a part");
    assert(lastOffset - firstOffset === values.length - 1, "the records of a part stand together");
    return { firstOffset, lastOffset };
  }

  /**
   * A queue that is full and a store that does not take a segment have published nothing: that
   * alone is tried again here, since to go back to the last commit costs the work since then.
   */
  async #appendGroup(group: AppendGroup): Promise<AppendedGroup> {
    const { log, platform, signal } = this.#parts;
    for (let againMs = againMsMin; ; againMs = Math.min(2 * againMs, againMsMax)) {
      try {
        return await log.appendGroup(group);
      } catch (error) {
        const isCertain = isStreamError(error, "queue_full", "store_unavailable");
        if (!isCertain || signal === undefined || signal.aborted) throw error;
        await platform.timers.sleep(platform.random.uniform() * againMs, signal);
      }
    }
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
      for await (const record of this.#records(offset, offset)) {
        if (record.value === null || record.key === null) continue;
        return { offset, record: decodeCommitRecord(record.value) };
      }
    }
    return null;
  }

  async #readPart(part: StatePart, firstOffset: number): Promise<Uint8Array> {
    const values: Uint8Array[] = [];
    for await (const { value } of this.#records(firstOffset, part.lastOffset ?? firstOffset)) {
      values.push(present(value, "a part"));
    }
    if (part.isInline) return decodeCommitRecord(present(values[0], "a commit")).inline;
    return joinedBytes(values);
  }

  #torn({ kind, bytes }: StatePart, found: number): StreamError {
    const { name } = this.#parts.topic;
    return new StreamError(
      "corrupt_state",
      `Cannot restore from "${name}": a ${kind} part has ${found} bytes, not ${bytes}`,
    );
  }

  /** In order, a fetch at a time; their bytes are the reader's. */
  async *#records(firstOffset: number, lastOffset: number): AsyncGenerator<LogRecord, void> {
    const { log, topic, platform } = this.#parts;
    // Alone, a record is asked for without what lies behind it.
    const bytesMax = firstOffset === lastOffset ? 1 : readBytes;
    for (let offset = firstOffset; offset <= lastOffset; ) {
      const [found] = await log.fetch({
        partitions: [
          {
            ...{ topicId: topic.topicId, partition: 0, fetchOffset: offset },
            ...{ partitionBytesMax: bytesMax, currentLeaderEpoch: -1 },
          },
        ],
        ...{ bytesMin: 0, bytesMax, waitMsMax: 0 },
      });
      if (found === undefined || found.error !== undefined || found.bytes === 0) {
        const message = `Cannot read the checkpoint at offset ${offset} of "${topic.name}"`;
        throw new StreamError(found?.error ?? "corrupt_state", message);
      }
      const options = { codecs: platform.codecs, sizeMax: decodedBytesMax, fromOffset: offset };
      for (const record of recordsIn(found.chunks, options)) {
        if (record.offset > lastOffset) return;
        yield record;
        offset = record.offset + 1;
      }
      if (offset <= lastOffset) await this.#letOthersIn();
    }
  }

  /** What caches and the ring answer at once would hold up the event loop, megabytes in a row. */
  #letOthersIn(): Promise<void> {
    return this.#parts.platform.timers.sleep(0);
  }
}

/** Key of the records that are commits; parts of state and results that wait have none. */
const commitKey = new TextEncoder().encode("commit");

/** The part of a commit as later commits name it: where it lies is known now. */
function settled(part: StatePart, commitOffset: number): StatePart {
  if (part.firstOffset !== null) return part;
  return { ...part, firstOffset: commitOffset, lastOffset: commitOffset };
}

function bytesOf(parts: readonly StatePart[]): number {
  return parts.reduce((sum, part) => sum + part.bytes, 0);
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

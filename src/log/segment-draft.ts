/**
 * Decides which waiting appends go into one segment, and folds them into runs. Rules (DESIGN,
 * "Publish groups", "Sequences"): a run is a contiguous sequence of batches of one producer for one
 * partition; a segment holds at most one run per (producer, partition); no two groups of a segment
 * touch the same row; a group is never split. What does not fit waits for the next segment, and
 * with it everything that must stay behind it.
 */
import type { AppendBatch } from "./log-types.ts";
import { type PendingAppend, producerKey } from "./pending-append.ts";

/** One run as it will be an entry of the segment. */
export interface Run {
  readonly batches: AppendBatch[];
  /** The append that each batch came with, same order. */
  readonly owners: PendingAppend[];
  /** Index among the draft's grouped appends, -1 when the run stands alone. */
  readonly groupIndex: number;
}

export interface SegmentDraft {
  readonly runs: readonly Run[];
  /** Appends with guards or effects, in the order of their group index. */
  readonly groups: readonly PendingAppend[];
  readonly taken: readonly PendingAppend[];
  readonly left: PendingAppend[];
  readonly bytes: number;
}

/** int32 sequences wrap to 0 after their maximum (Kafka's DefaultRecordBatch). */
function nextSequence(sequence: number, count: number): number {
  return (sequence + count) % 2 ** 31;
}

/** Sequence of the last record of a batch. */
export function lastSequenceOf(batch: AppendBatch): number {
  return nextSequence(batch.header.baseSequence, batch.header.recordCount - 1);
}

export function draftSegment(
  pending: readonly PendingAppend[],
  limits: { readonly bytesMax: number },
): SegmentDraft {
  const draft = new Draft(limits.bytesMax);
  let index = 0;
  for (; index < pending.length; index++) {
    const append = pending[index] as PendingAppend;
    if (draft.isFullFor(append)) break;
    draft.consider(append);
  }
  for (; index < pending.length; index++) draft.left.push(pending[index] as PendingAppend);
  draft.standTogether();
  return draft;
}

class Draft implements SegmentDraft {
  readonly runs: Run[] = [];
  readonly groups: PendingAppend[] = [];
  readonly taken: PendingAppend[] = [];
  readonly left: PendingAppend[] = [];
  bytes = 0;
  readonly #bytesMax: number;
  readonly #runByKey = new Map<string, Run>();
  /** Rows that a taken group writes, and everything that a left append touches. */
  readonly #closedKeys = new Set<string>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  isFullFor(append: PendingAppend): boolean {
    return this.taken.length > 0 && this.bytes + append.bytes > this.#bytesMax;
  }

  consider(append: PendingAppend): void {
    if (this.#conflicts(append)) {
      for (const key of append.keys) this.#closedKeys.add(key);
      this.left.push(append);
      return;
    }
    this.taken.push(append);
    this.bytes += append.bytes;
    if (append.grouped) this.#addGroup(append);
    else for (const batch of append.batches) this.#addPlain(append, batch);
  }

  /** Orders the runs so that those of one partition are neighbours, as publish asks. */
  standTogether(): void {
    const byPartition = Map.groupBy(this.runs, (run) => {
      const { topic, partition } = run.batches[0] as AppendBatch;
      return topic.topicNumber * 2 ** 24 + partition;
    });
    this.runs.length = 0;
    for (const runs of byPartition.values()) this.runs.push(...runs);
  }

  #conflicts(append: PendingAppend): boolean {
    if (append.keys.some((key) => this.#closedKeys.has(key))) return true;
    if (append.grouped) return append.keys.some((key) => this.#runByKey.has(key));
    return append.batches.some((batch) => {
      const run = this.#runByKey.get(producerKey(batch));
      return run !== undefined && !continues(run, batch);
    });
  }

  #addPlain(append: PendingAppend, batch: AppendBatch): void {
    const key = producerKey(batch);
    const run = this.#runByKey.get(key);
    if (run !== undefined) {
      run.batches.push(batch);
      run.owners.push(append);
      return;
    }
    const opened: Run = { batches: [batch], owners: [append], groupIndex: -1 };
    this.#runByKey.set(key, opened);
    this.runs.push(opened);
  }

  #addGroup(append: PendingAppend): void {
    const groupIndex = this.groups.push(append) - 1;
    for (const key of append.keys) this.#closedKeys.add(key);
    for (const batch of append.batches) {
      this.runs.push({ batches: [batch], owners: [append], groupIndex });
    }
  }
}

function continues(run: Run, batch: AppendBatch): boolean {
  if (batch.header.producerId < 0) return true;
  const last = run.batches[run.batches.length - 1] as AppendBatch;
  return (
    batch.header.producerEpoch === last.header.producerEpoch &&
    batch.header.baseSequence === nextSequence(lastSequenceOf(last), 1)
  );
}

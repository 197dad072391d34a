/**
 * Reads a publish receipt back onto the appends that went into the segment: each batch gets its
 * offset or its error, and what was appended becomes runs of the tail cache.
 */
import { assert, present } from "../base/assert.ts";
import { StreamError } from "../base/stream-error.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import type { EntryReceipt, GroupReceipt, PublishReceipt } from "../meta/publish-request.ts";
import type { Flight } from "./flight.ts";
import type { AppendBatch, Appended } from "./log-types.ts";
import { type PartitionSlot, partitionSlot } from "./partition-slot.ts";
import type { PendingAppend } from "./pending-append.ts";
import { lastSequenceOf, type Run } from "./segment-draft.ts";
import type { CachedRun } from "./tail-cache.ts";

/** A run that got offsets, with the partition that it belongs to. */
export interface AppendedRun {
  readonly topic: TopicInfo;
  readonly key: PartitionSlot;
  readonly logStartOffset: number;
  readonly run: CachedRun;
}

/** The runs of `flight` that were appended, ready for the tail cache, in offset order. */
export function appendedRuns(flight: Flight, receipt: PublishReceipt): AppendedRun[] {
  const runs: AppendedRun[] = [];
  flight.draft.runs.forEach((run, index) => {
    const entry = present(receipt.entries[index], "receipt of an entry");
    if (entry.code !== "ok" || entry.appendedCount === 0) return;
    const place = present(flight.encoded.entries[index], "entry");
    const first = present(run.batches[0], "batch");
    runs.push({
      topic: first.topic,
      key: partitionSlot(first.topic.topicNumber, first.partition),
      logStartOffset: entry.logStartOffset,
      run: cachedRun(flight, run, { entry, position: place.position }),
    });
  });
  return runs;
}

function cachedRun(
  flight: Flight,
  run: Run,
  place: { readonly entry: EntryReceipt; readonly position: number },
): CachedRun {
  const batchOffsets: number[] = [];
  const batchPositions: number[] = [];
  let position = place.position;
  let skip = place.entry.skippedCount;
  let offset = place.entry.baseOffset;
  for (const { header, bytes } of run.batches) {
    if (skip > 0) skip -= header.recordCount;
    else {
      batchOffsets.push(offset);
      batchPositions.push(position);
      offset += header.recordCount;
    }
    position += bytes.length;
  }
  assert(skip === 0, "whole batches are skipped");
  assert(offset === place.entry.baseOffset + place.entry.appendedCount, "counts agree");
  batchPositions.push(position);
  return {
    slot: flight.slot,
    baseOffset: place.entry.baseOffset,
    nextOffset: offset,
    leaderEpoch: place.entry.leaderEpoch,
    batchOffsets,
    batchPositions,
  };
}

/** Resolves or rejects every append of the flight, as the receipt says. */
export function settleAppends(flight: Flight, receipt: PublishReceipt): void {
  const errors = new Map<PendingAppend, StreamError>();
  flight.draft.runs.forEach((run, index) => {
    const entry = present(receipt.entries[index], "receipt of an entry");
    settleRun(run, entry, errors);
  });
  for (const append of flight.draft.taken) {
    const groupReceipt = append.grouped
      ? receipt.groups[flight.draft.groups.indexOf(append)]
      : undefined;
    settleAppend(append, groupReceipt, errors.get(append));
  }
}

function settleAppend(
  append: PendingAppend,
  group: GroupReceipt | undefined,
  error: StreamError | undefined,
): void {
  if (group !== undefined && group.code !== "ok") append.reject(groupError(append, group));
  else if (group?.repeated) append.resolve({ appended: [], repeated: group.repeated });
  else if (error !== undefined) append.reject(error);
  else {
    const appended = append.appended.map((item) => present(item, "result of a batch"));
    append.resolve({ appended, repeated: null });
  }
}

/** Gives each batch of a run its offset: the first are duplicates, the others stand in order. */
function settleRun(run: Run, entry: EntryReceipt, errors: Map<PendingAppend, StreamError>): void {
  let skip = entry.skippedCount;
  let offset = entry.baseOffset;
  const known = new Map(entry.duplicates);
  run.batches.forEach((batch, index) => {
    const owner = present(run.owners[index], "owner of a batch");
    const duplicateOf = known.get(lastSequenceOf(batch));
    const isDuplicate = batch.header.producerId >= 0 && duplicateOf !== undefined;
    if (entry.code !== "ok" && !isDuplicate) {
      errors.set(owner, entryError(batch, entry));
      return;
    }
    if (isDuplicate) {
      skip -= batch.header.recordCount;
      if (duplicateOf < 0) errors.set(owner, forgottenDuplicate(batch));
      else
        setResult(owner, batch, result(batch, entry, { baseOffset: duplicateOf, duplicate: true }));
      return;
    }
    setResult(owner, batch, result(batch, entry, { baseOffset: offset, duplicate: false }));
    offset += batch.header.recordCount;
  });
  assert(entry.code !== "ok" || skip <= 0 || entry.appendedCount === 0, "duplicates are named");
}

function setResult(owner: PendingAppend, batch: AppendBatch, appended: Appended): void {
  owner.appended[owner.batches.indexOf(batch)] = appended;
}

function result(
  batch: AppendBatch,
  entry: EntryReceipt,
  place: { readonly baseOffset: number; readonly duplicate: boolean },
): Appended {
  const { timestampType, maxTimestamp } = batch.header;
  return {
    ...place,
    logAppendTime: timestampType === "LogAppendTime" ? maxTimestamp : -1,
    logStartOffset: entry.logStartOffset,
    leaderEpoch: entry.leaderEpoch,
  };
}

function entryError(batch: AppendBatch, entry: EntryReceipt): StreamError {
  assert(entry.code !== "ok", "an entry at fault");
  const where = `"${batch.topic.name}"/${batch.partition}`;
  const { producerId, producerEpoch, baseSequence } = batch.header;
  const remedies: Record<string, string> = {
    sequence_out_of_order:
      `producer ${producerId} sent sequence ${baseSequence}, ` +
      "which does not follow its last one",
    producer_fenced: `producer ${producerId} has a newer epoch than ${producerEpoch}`,
    topic_unknown: "the topic is gone",
    partition_unknown: "the partition does not exist",
  };
  const why = remedies[entry.code] ?? entry.code;
  return new StreamError(entry.code, `Cannot append to ${where}: ${why}`);
}

function forgottenDuplicate(batch: AppendBatch): StreamError {
  return new StreamError(
    "sequence_duplicate",
    `Cannot append to "${batch.topic.name}"/${batch.partition}: sequence ` +
      `${batch.header.baseSequence} was appended before, its offset is no longer remembered`,
  );
}

function groupError(append: PendingAppend, group: GroupReceipt): StreamError {
  assert(group.code !== "ok", "a group at fault");
  const topic = append.batches[0]?.topic.name;
  const expected = group.expectedSequence;
  const message =
    group.code === "sequence_out_of_order" && expected !== null
      ? `Cannot append to "${topic}": the producer's next sequence is ${expected}`
      : `Cannot append to "${topic}": ${group.code.replaceAll("_", " ")}`;
  return new StreamError(group.code, message, {
    details: expected === null ? {} : { expectedSequence: expected },
  });
}

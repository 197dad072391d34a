/**
 * Lays a flush out as a segment object. This is on the path of every record, after the batcher and
 * before the store: each batch is copied exactly once, into memory that the caller owns (a 4 KiB
 * aligned view, so that the folder store can write it past the page cache).
 *
 * Two steps, because the caller reserves room between them: `planSegment` measures, `encodeSegment`
 * fills. Byte tables: docs/FORMATS.md, "Segment object".
 */
import { assert, present } from "../base/assert.ts";
import type { Crc32c } from "../base/crc32c.ts";
import { topicIdToBytes } from "../record/types.ts";
import { ByteWriter } from "./byte-writer.ts";
import {
  aligned,
  entryLength,
  footerHeadLength,
  headerLength,
  headerMagic,
  pointLength,
  pointSpacingBytes,
  segmentVersion,
  topicFixedLength,
  trailerLength,
  trailerMagic,
} from "./layout.ts";
import { receiptsLength, writeReceipts } from "./receipt-fields.ts";
import type { EntryInput, IndexPoint, SegmentEntry, SegmentInput } from "./segment.ts";

/** A segment measured: where each entry will lie, and how long the whole is. */
export interface SegmentPlan {
  readonly input: SegmentInput;
  /** Bytes of the whole segment, a multiple of 4096. */
  readonly length: number;
  readonly bodyLength: number;
  readonly footerLength: number;
  /** In the order of `input.entries`. */
  readonly entries: readonly SegmentEntry[];
  readonly topicNames: readonly Uint8Array[];
}

export interface EncodedSegment {
  readonly length: number;
  /** Same order as the input's; positions count from the segment's start. */
  readonly entries: readonly SegmentEntry[];
}

/**
 * Measures a segment. Entries keep their order in the footer, where receipts refer to it; their
 * bytes are placed so that those of one partition are contiguous, in the order of its entries.
 */
export function planSegment(input: SegmentInput): SegmentPlan {
  const encoder = new TextEncoder();
  const topicNames = input.topics.map((topic) => encoder.encode(topic.name));
  const entries = new Array<SegmentEntry>(input.entries.length);
  let position = headerLength;
  let pointCount = 0;
  for (const indexes of groupByPartition(input)) {
    for (const index of indexes) {
      const entry = placeEntry(present(input.entries[index], "entry"), position);
      entries[index] = entry;
      position += entry.length;
      pointCount += entry.points.length;
    }
  }
  let footerLength = footerHeadLength + entries.length * entryLength + pointCount * pointLength;
  for (const name of topicNames) footerLength += topicFixedLength + name.length;
  for (const group of input.groups) footerLength += 4 + group.length;
  footerLength += receiptsLength(input.receipts);
  return {
    input,
    length: aligned(position + footerLength + trailerLength),
    bodyLength: position - headerLength,
    footerLength,
    entries,
    topicNames,
  };
}

/**
 * Fills `target`, which must be exactly as long as the plan says, with the segment. What `target`
 * held before does not matter. Nothing of the input is kept.
 */
export function encodeSegment(
  plan: SegmentPlan,
  target: Uint8Array,
  crc32c: Crc32c,
): EncodedSegment {
  assert(target.length === plan.length, `a target of ${plan.length} bytes, not ${target.length}`);
  writeHeader(plan, target, crc32c);
  plan.entries.forEach((entry, index) => {
    let position = entry.position;
    for (const batch of present(plan.input.entries[index], "entry").batches) {
      target.set(batch.bytes, position);
      position += batch.bytes.length;
    }
  });
  const footerStart = plan.length - trailerLength - plan.footerLength;
  target.fill(0, headerLength + plan.bodyLength, footerStart);
  writeFooter(plan, target.subarray(footerStart), crc32c);
  return { length: plan.length, entries: plan.entries };
}

/** Indexes of the entries by partition, partitions in the order in which they first appear. */
function groupByPartition(input: SegmentInput): Iterable<readonly number[]> {
  const groups = new Map<number, number[]>();
  input.entries.forEach((entry, index) => {
    assert(entry.topicIndex < input.topics.length, `topic ${entry.topicIndex} of an entry`);
    assert(entry.groupIndex < input.groups.length, `group ${entry.groupIndex} of an entry`);
    const key = entry.topicIndex * 4_294_967_296 + entry.partition;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  });
  return groups.values();
}

function placeEntry(input: EntryInput, position: number): SegmentEntry {
  assert(input.batches.length > 0, "an entry has at least one batch");
  const points: IndexPoint[] = [];
  let end = position;
  let lastPoint = position;
  let recordCount = 0;
  let maxTimestamp = -1;
  for (const batch of input.batches) {
    if (end - lastPoint >= pointSpacingBytes) {
      points.push({ recordsBefore: recordCount, position: end, maxTimestampBefore: maxTimestamp });
      lastPoint = end;
    }
    end += batch.bytes.length;
    recordCount += batch.recordCount;
    if (batch.maxTimestamp > maxTimestamp) maxTimestamp = batch.maxTimestamp;
  }
  return {
    topicIndex: input.topicIndex,
    partition: input.partition,
    groupIndex: input.groupIndex,
    position,
    length: end - position,
    recordCount,
    batchCount: input.batches.length,
    maxTimestamp,
    producerId: input.producerId,
    producerEpoch: input.producerEpoch,
    firstSequence: input.firstSequence,
    lastSequence: input.lastSequence,
    points,
  };
}

function writeHeader(plan: SegmentPlan, target: Uint8Array, crc32c: Crc32c): void {
  const writer = new ByteWriter(target);
  writer.bytes(headerMagic);
  writer.u16(segmentVersion);
  writer.u16(headerLength);
  writer.u32(0);
  writer.i64(plan.input.workerEpoch);
  writer.i64(plan.input.sequence);
  writer.i64(plan.input.createdAt);
  writer.i64(plan.length);
  writer.i64(plan.bodyLength);
  writer.u32(0);
  writer.u32(crc32c.of(target.subarray(0, headerLength - 4)));
}

/** Writes the footer and the trailer; `tail` runs from the footer's start to the segment's end. */
function writeFooter(plan: SegmentPlan, tail: Uint8Array, crc32c: Crc32c): void {
  const { input } = plan;
  const writer = new ByteWriter(tail);
  writer.i64(input.workerEpoch);
  writer.i64(input.sequence);
  writer.i64(input.createdAt);
  writer.i64(plan.length);
  writer.i64(plan.bodyLength);
  writer.u32(input.topics.length);
  writer.u32(plan.entries.length);
  writer.u32(input.groups.length);
  writer.u32(input.receipts.length);
  writer.u32(0);
  input.topics.forEach((topic, index) => {
    const name = present(plan.topicNames[index], "topic name");
    writer.bytes(topicIdToBytes(topic.topicId));
    writer.u32(topic.partitionCount);
    writer.u16(name.length);
    writer.bytes(name);
  });
  for (const entry of plan.entries) writeEntry(writer, entry);
  for (const entry of plan.entries) {
    for (const point of entry.points) {
      writer.u32(point.recordsBefore);
      writer.i64(point.position);
      writer.i64(point.maxTimestampBefore);
    }
  }
  for (const group of input.groups) {
    writer.u32(group.length);
    writer.bytes(group);
  }
  writeReceipts(writer, input.receipts);
  assert(writer.position === plan.footerLength, "the footer is as long as planned");
  writer.u32(plan.footerLength);
  writer.u16(segmentVersion);
  writer.u16(0);
  writer.u32(crc32c.of(tail.subarray(0, plan.footerLength + 8)));
  writer.bytes(trailerMagic);
}

function writeEntry(writer: ByteWriter, entry: SegmentEntry): void {
  writer.u32(entry.topicIndex);
  writer.u32(entry.partition);
  writer.i32(entry.groupIndex);
  writer.u32(entry.recordCount);
  writer.u32(entry.batchCount);
  writer.u32(entry.points.length);
  writer.i64(entry.position);
  writer.i64(entry.length);
  writer.i64(entry.maxTimestamp);
  writer.i64(entry.producerId);
  writer.i32(entry.firstSequence);
  writer.i32(entry.lastSequence);
  writer.i16(entry.producerEpoch);
  writer.u16(0);
}

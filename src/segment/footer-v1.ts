/** Reads the content of a version 1 footer (docs/FORMATS.md, "Segment object"). */
import { topicIdFromBytes } from "../record/types.ts";
import { ByteReader } from "./byte-reader.ts";
import { aligned, entryLength, headerLength, pointLength, trailerLength } from "./layout.ts";
import { readReceipts } from "./receipt-fields.ts";
import type { IndexPoint, SegmentEntry, SegmentFooter, SegmentTopic } from "./segment.ts";

export interface FooterInput {
  /** The footer without its trailer; its checksum has been found right. */
  readonly content: Uint8Array;
  readonly version: number;
  /** Where the content begins in the bytes that the caller was given, for errors. */
  readonly contentPosition: number;
}

interface Counts {
  readonly topicCount: number;
  readonly entryCount: number;
  readonly groupCount: number;
  readonly bodyLength: number;
}

export function readFooterV1(input: FooterInput): SegmentFooter {
  const { content, version, contentPosition } = input;
  const reader = new ByteReader(content, "a segment's footer", contentPosition);
  const workerEpoch = reader.count("worker epoch");
  const sequence = reader.count("sequence");
  const createdAt = reader.i64("createdAt");
  const length = reader.count("segment length");
  const bodyLength = reader.count("body length");
  const topicCount = reader.u32("topic count");
  const entryCount = reader.u32("entry count");
  const groupCount = reader.u32("group count");
  const receiptCount = reader.u32("receipt count");
  if (reader.u32("reserved bytes") !== 0) throw reader.corrupt("a reserved field is not zero", 56);
  if (aligned(headerLength + bodyLength + content.length + trailerLength) !== length) {
    throw reader.corrupt(`a body of ${bodyLength} bytes does not make a segment of ${length}`, 24);
  }
  const topics = readTopics(reader, topicCount);
  const entries = readEntries(reader, { topicCount, entryCount, groupCount, bodyLength });
  const groups = readGroups(reader, groupCount);
  const receipts = readReceipts(reader, receiptCount);
  reader.expectEnd();
  const header = { version, workerEpoch, sequence, createdAt, length, bodyLength };
  return { ...header, topics, entries, groups, receipts };
}

function readTopics(reader: ByteReader, count: number): SegmentTopic[] {
  reader.expectItems(count, 22, "topics");
  return Array.from({ length: count }, () => {
    const topicId = topicIdFromBytes(reader.bytes(16, "topic id"));
    const partitionCount = reader.u32("partition count");
    const name = reader.text(reader.u16("topic name length"), "topic name");
    return { topicId, name, partitionCount };
  });
}

function readEntries(reader: ByteReader, counts: Counts): SegmentEntry[] {
  reader.expectItems(counts.entryCount, entryLength, "entries");
  const entries: Omit<SegmentEntry, "points">[] = [];
  const pointCounts: number[] = [];
  for (let index = 0; index < counts.entryCount; index += 1) {
    const { entry, pointCount } = readEntry(reader, counts);
    entries.push(entry);
    pointCounts.push(pointCount);
  }
  return entries.map((entry, index) => ({
    ...entry,
    points: readPoints(reader, entry, pointCounts[index] ?? 0),
  }));
}

function readEntry(reader: ByteReader, counts: Counts) {
  const topicIndex = reader.u32("entry topic");
  const partition = reader.u32("entry partition");
  const groupIndex = reader.i32("entry group");
  const recordCount = reader.u32("entry record count");
  const batchCount = reader.u32("entry batch count");
  const pointCount = reader.u32("entry point count");
  const position = reader.count("entry position");
  const length = reader.count("entry length");
  const maxTimestamp = reader.i64("entry maxTimestamp");
  const producerId = reader.i64("entry producer id");
  const firstSequence = reader.i32("entry first sequence");
  const lastSequence = reader.i32("entry last sequence");
  const producerEpoch = reader.i16("entry producer epoch");
  if (reader.u16("entry reserved bytes") !== 0) throw reader.corrupt("an entry's reserved bytes");
  if (topicIndex >= counts.topicCount) throw reader.corrupt(`no topic ${topicIndex}`);
  if (groupIndex < -1 || groupIndex >= counts.groupCount) {
    throw reader.corrupt(`no group ${groupIndex}`);
  }
  if (position < headerLength || position + length > headerLength + counts.bodyLength) {
    throw reader.corrupt(`an entry at ${position} of ${length} bytes lies outside of the body`);
  }
  const place = { topicIndex, partition, groupIndex, position, length, recordCount, batchCount };
  const producer = { producerId, producerEpoch, firstSequence, lastSequence };
  return { entry: { ...place, maxTimestamp, ...producer }, pointCount };
}

function readPoints(
  reader: ByteReader,
  entry: Omit<SegmentEntry, "points">,
  count: number,
): IndexPoint[] {
  reader.expectItems(count, pointLength, "index points");
  const points: IndexPoint[] = [];
  let last = { position: entry.position, recordsBefore: 0 };
  for (let index = 0; index < count; index += 1) {
    const recordsBefore = reader.u32("index point's records");
    const position = reader.count("index point's position");
    const maxTimestampBefore = reader.i64("index point's timestamp");
    const inOrder = position > last.position && recordsBefore >= last.recordsBefore;
    const inside = position < entry.position + entry.length && recordsBefore <= entry.recordCount;
    if (!inOrder || !inside) {
      throw reader.corrupt(`an index point at ${position} is out of order or out of its entry`);
    }
    last = { recordsBefore, position };
    points.push({ recordsBefore, position, maxTimestampBefore });
  }
  return points;
}

function readGroups(reader: ByteReader, count: number): Uint8Array[] {
  reader.expectItems(count, 4, "groups");
  return Array.from({ length: count }, () =>
    reader.bytes(reader.u32("group length"), "group descriptor"),
  );
}

/**
 * What a segment says, apart from how its bytes say it. A segment is one flush of one worker for
 * all partitions: `log/batcher` collects, `segment/encode` lays out, the store keeps,
 * `meta/publish` gives offsets. Byte tables: docs/FORMATS.md, "Segment object".
 */
import type { TopicId } from "../record/types.ts";

/**
 * A topic that the segment holds records of, named so that the index can be rebuilt from objects.
 */
export interface SegmentTopic {
  readonly topicId: TopicId;
  readonly name: string;
  /** Partitions of the topic when the segment was sealed. */
  readonly partitionCount: number;
}

/** One record batch (Kafka magic 2) as its producer sent it. */
export interface EntryBatch {
  /** The whole batch, base offset field included; copied once by the encoder, never kept. */
  readonly bytes: Uint8Array;
  readonly recordCount: number;
  /** Milliseconds since 1970, -1 for none. */
  readonly maxTimestamp: number;
}

/** A run: contiguous batches of one producer (or of none) for one partition, judged as one. */
export interface EntryInput {
  readonly topicIndex: number;
  readonly partition: number;
  /** The publish group that it stands or falls with, -1 for none. */
  readonly groupIndex: number;
  /** At least one batch. */
  readonly batches: readonly EntryBatch[];
  /** Producer id, epoch and first and last sequence; each -1 without an idempotent producer. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
}

export interface SegmentInput {
  readonly workerEpoch: number;
  readonly sequence: number;
  /** Wall clock of the worker, milliseconds since 1970. Informative; no rule depends on it. */
  readonly createdAt: number;
  readonly topics: readonly SegmentTopic[];
  /** In the order in which they are judged; indexes into this list are what receipts speak of. */
  readonly entries: readonly EntryInput[];
  /** Guards and effects of each publish group, JSON that only `meta/` reads. */
  readonly groups: readonly Uint8Array[];
  /** Receipts of the same worker's earlier publishes that no object holds yet. */
  readonly receipts: readonly Receipt[];
}

/** A place inside an entry at which reading can begin. */
export interface IndexPoint {
  /** Records of the entry before this batch. */
  readonly recordsBefore: number;
  /** Position of the batch in the segment. */
  readonly position: number;
  /** Greatest timestamp of the entry's batches before this one. */
  readonly maxTimestampBefore: number;
}

/** An entry as it lies in a segment. */
export interface SegmentEntry {
  readonly topicIndex: number;
  readonly partition: number;
  readonly groupIndex: number;
  /** Position of its first batch, from the start of the segment. */
  readonly position: number;
  readonly length: number;
  readonly recordCount: number;
  readonly batchCount: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Ascending; the entry's first batch is not among them, being where the entry itself begins. */
  readonly points: readonly IndexPoint[];
}

/** What became of one entry of an earlier segment. */
export interface ReceiptEntry {
  /** A number of verdict.ts; 0: appended, or every batch was a duplicate. */
  readonly verdict: number;
  /** Offset of the first record appended, else of the first duplicate, -1 for neither. */
  readonly baseOffset: number;
  /** The partition's leader epoch then, -1 when the partition is unknown. */
  readonly leaderEpoch: number;
  readonly appendedCount: number;
  /** Records at the front of the entry that were duplicates of earlier ones. */
  readonly skippedCount: number;
}

/** The stored answer to the publish of one segment. */
export interface Receipt {
  readonly sequence: number;
  readonly publishPosition: number;
  /** The metadata database's clock, milliseconds since 1970. */
  readonly publishedAt: number;
  /** One for each entry of that segment, in its order. */
  readonly entries: readonly ReceiptEntry[];
  /** A verdict for each group of that segment: effects of a group happened when it is 0. */
  readonly groups: readonly number[];
}

export interface SegmentHeader {
  readonly version: number;
  readonly workerEpoch: number;
  readonly sequence: number;
  readonly createdAt: number;
  /** Bytes of the whole segment, a multiple of 4096. */
  readonly length: number;
  /** Bytes of record batches, which begin right after the header. */
  readonly bodyLength: number;
}

/** A segment without its batches: all that the footer holds. */
export interface SegmentFooter extends SegmentHeader {
  readonly topics: readonly SegmentTopic[];
  readonly entries: readonly SegmentEntry[];
  readonly groups: readonly Uint8Array[];
  readonly receipts: readonly Receipt[];
}

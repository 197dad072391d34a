/**
 * What a worker hands to the metadata database for one segment, and what comes back. A request is
 * judged run by run (each stands alone) or group by group (all or nothing); the receipt is stored
 * with the segment, so the same request sent again gets the same answer.
 */
import type { ErrorCode, StreamError } from "../base/stream-error.ts";

/** Where a segment's bytes lie: a whole object on S3, a range of a rolling file in a folder. */
export interface SegmentLocation {
  /** Object key, unique in the namespace. */
  readonly key: string;
  /** Where the segment starts in the object, bytes. */
  readonly position: number;
  /** Length of the segment, bytes. */
  readonly length: number;
}

/** One batch of an idempotent producer's run, all values measured from the start of the run. */
export type RunBatch = readonly [
  lastSequence: number,
  recordCountSoFar: number,
  lengthSoFar: number,
];

export interface EntryProducer {
  readonly id: number;
  readonly epoch: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** The run's batches in order; the last one closes the run. Never empty. */
  readonly batches: readonly RunBatch[];
  /**
   * True: a batch before this run failed. The run is then out of order for a producer without
   * state, which may otherwise start anywhere.
   */
  readonly mustBeKnown?: boolean;
}

/**
 * One run: contiguous batches of one partition and at most one producer. Entries of a partition
 * stand together, sorted by position; runs that touch in the object become one index row.
 */
export interface PublishEntry {
  /** Index into `groups`, or -1: the entry stands alone. */
  readonly group: number;
  readonly topicNumber: number;
  readonly partition: number;
  /** First byte of the run in the object (not in the segment). */
  readonly position: number;
  readonly length: number;
  readonly recordCount: number;
  /** Greatest record timestamp, milliseconds; -1 when the records have none. */
  readonly maxTimestamp: number;
  /** Least record timestamp; null when that is not known. */
  readonly minTimestamp: number | null;
  readonly producer: EntryProducer | null;
}

/** A row that must hold when the group is published; otherwise nothing of the group happens. */
export type PublishGuard =
  | {
      readonly kind: "lease";
      readonly leaseKind: string;
      readonly name: string;
      readonly leaseEpoch: number;
    }
  | {
      readonly kind: "partition";
      readonly topicNumber: number;
      readonly partition: number;
      /** When given, the partition must end exactly here. */
      readonly nextOffset?: number;
    };

export interface OffsetToCommit {
  readonly topicNumber: number;
  readonly partition: number;
  readonly committedOffset: number;
  /** -1: unknown. */
  readonly leaderEpoch: number;
  readonly metadata: string;
}

/**
 * What else a group changes. Checkpoint pointers and transaction state join this union; each kind
 * brings one judging and one writing statement in publish-effects.ts, and says in cut.ts how a cut
 * takes it back: nothing that a cut group wrote may stand (docs/adr/0007-what-a-cut-takes.md).
 */
export type PublishEffect =
  | {
      /** An HTTP request's place in its producer's sequence, judged over the whole request. */
      readonly kind: "httpProducer";
      readonly topicNumber: number;
      readonly name: string;
      readonly epoch: number;
      readonly sequence: number;
      /**
       * Given when an earlier request, of this sequence, failed: the group is then out of order for
       * a producer without state, which may otherwise start anywhere.
       */
      readonly awaitedSequence?: number;
    }
  | {
      readonly kind: "groupOffsets";
      readonly groupId: string;
      readonly offsets: readonly OffsetToCommit[];
    }
  | {
      /** How far a query's results have come in event time, by this commit of it. */
      readonly kind: "watermark";
      /** The topic of its results. */
      readonly topicNumber: number;
      readonly watermark: number;
      /** As `sql/time/event-time.ts` has them. */
      readonly activity: number;
    };

export interface PublishGroup {
  readonly guards: readonly PublishGuard[];
  readonly effects: readonly PublishEffect[];
}

export interface PublishRequest {
  readonly workerEpoch: number;
  /** The segment's number at its worker: above every earlier one. */
  readonly sequence: number;
  /** Null: nothing was stored (a publish of effects only, or a tick). Then `entries` is empty. */
  readonly location: SegmentLocation | null;
  readonly entries: readonly PublishEntry[];
  readonly groups: readonly PublishGroup[];
}

/** A duplicate batch of a run with the offset that it got first; -1 when that is forgotten. */
export type DuplicateBatch = readonly [lastSequence: number, baseOffset: number];

export interface EntryReceipt {
  /**
   * `ok`: appended, or every batch was a duplicate. An entry of a refused group that is not at
   * fault itself has the group's code; one of a repeated HTTP request is `ok`, nothing appended.
   */
  readonly code: "ok" | ErrorCode;
  /** Of the first appended record; of the first duplicate when nothing was appended; or -1. */
  readonly baseOffset: number;
  /** The partition's leader epoch; -1 when the partition is unknown. */
  readonly leaderEpoch: number;
  readonly logStartOffset: number;
  readonly appendedCount: number;
  /** Records of leading batches left out as duplicates. */
  readonly skippedCount: number;
  /** The batches that were duplicates, in order; filled also beside `sequence_out_of_order`. */
  readonly duplicates: readonly DuplicateBatch[];
}

/** Where one HTTP request's records went: a line per entry of its group. */
export interface AppendedRange {
  readonly partition: number;
  readonly baseOffset: number;
  readonly count: number;
}

export interface GroupReceipt {
  readonly code: "ok" | ErrorCode;
  /** The first answer, when the group repeats an HTTP request that was published before. */
  readonly repeated: readonly AppendedRange[] | null;
  /** The next sequence that is expected, when the code is `sequence_out_of_order`. */
  readonly expectedSequence: number | null;
}

export interface PublishReceipt {
  readonly publishPosition: number;
  /** Milliseconds since 1970 by the database's clock; never goes back. */
  readonly publishedAt: number;
  readonly entries: readonly EntryReceipt[];
  readonly groups: readonly GroupReceipt[];
  /** Of the metadata when they answered; what is stored of a receipt does not have it. */
  readonly catalogVersion?: number;
}

/** A request that was refused whole is a StreamError (`worker_fenced`); its neighbours stand. */
export type PublishResult = PublishReceipt | StreamError;

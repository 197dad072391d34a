import type { SqlDatabase } from "./sql-database.ts";

export interface PartitionRef {
  readonly topicNumber: number;
  readonly partition: number;
}

export interface PartitionState extends PartitionRef {
  readonly nextOffset: number;
  readonly logStartOffset: number;
  readonly leaderEpoch: number;
  /** Bytes of all extents. */
  readonly sizeBytes: number;
}

/** One index row: contiguous offsets of one partition whose batches lie together in an object. */
export interface Extent extends PartitionRef {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly key: string;
  /** In the object, bytes. */
  readonly position: number;
  readonly length: number;
  readonly maxTimestamp: number;
  readonly publishPosition: number;
  readonly publishedAt: number;
}

/** Current rows of the partitions asked for; unknown and deleted ones are left out. */
export declare function partitionStates(
  database: SqlDatabase,
  partitions: readonly PartitionRef[],
): Promise<PartitionState[]>;

/**
 * Extents of one partition from the one that holds `offset` (or the next after it), in order, with
 * the partition's state read in the same transaction. Stops after `limitRows`, or once `limitBytes`
 * are covered (always at least one extent). State null: the partition is unknown.
 */
export declare function extentsFrom(
  database: SqlDatabase,
  options: PartitionRef & {
    readonly offset: number;
    readonly limitRows: number;
    readonly limitBytes: number;
  },
): Promise<{ readonly state: PartitionState | null; readonly extents: readonly Extent[] }>;

/** First extent whose maxTimestamp is at or after `timestamp`, or null. The caller looks inside. */
export declare function extentForTimestamp(
  database: SqlDatabase,
  options: PartitionRef & { readonly timestamp: number },
): Promise<Extent | null>;

/** The first extent that has the partition's greatest timestamp, or null when it is empty. */
export declare function extentOfMaxTimestamp(
  database: SqlDatabase,
  partition: PartitionRef,
): Promise<Extent | null>;

/** Kafka's OffsetForLeaderEpoch: the largest known epoch at or below, and where it ends. */
export declare function epochEndOffset(
  database: SqlDatabase,
  options: PartitionRef & { readonly leaderEpoch: number },
): Promise<{ readonly leaderEpoch: number; readonly endOffset: number } | null>;

export interface ChangeCounter {
  readonly publishPosition: number;
  readonly catalogVersion: number;
}

/** One cheap query: has anything been published, or the catalog changed? */
export declare function changeCounter(database: SqlDatabase): Promise<ChangeCounter>;

export interface PublishedChanges {
  readonly catalogVersion: number;
  /** Position up to which `extents` is complete: the next call's `after`. */
  readonly publishPosition: number;
  /** False: rows after `after` are already forgotten; drop cached indexes and start here. */
  readonly complete: boolean;
  /** In publish order. An extent may have been released since. */
  readonly extents: readonly (Extent & { readonly workerEpoch: number })[];
}

/** What was published after a position, over all partitions; at most `limitSegments` publishes. */
export declare function changesAfter(
  database: SqlDatabase,
  options: { readonly after: number; readonly limitSegments: number },
): Promise<PublishedChanges>;

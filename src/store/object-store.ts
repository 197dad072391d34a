/**
 * Where bytes live. One port, three stores: memory, a folder, S3 (and what speaks its protocol).
 * On a record's path this is between `segment/encode` and `meta/publish`: a segment is durable here
 * before the metadata gives it offsets.
 *
 * Objects are created once and never rewritten. The folder store keeps many segments in one rolling
 * file, so a segment's place is always (object, position, length).
 */
export interface ObjectLocation {
  readonly key: string;
  readonly position: number;
  readonly length: number;
}

export interface SegmentBytes {
  readonly workerEpoch: number;
  readonly sequence: number;
  /** A whole encoded segment; its length is a multiple of 4096. Lent until the promise settles. */
  readonly bytes: Uint8Array;
}

/** Where the bytes of an object come from that is not held. */
export interface ObjectSource {
  readonly sizeBytes: number;
  /** Fresh bytes; may be asked for the same ones again. */
  read(position: number, length: number): Promise<Uint8Array>;
}

export interface ObjectStore {
  /** For start-up lines and errors: `folder ./data/segments`, `s3://bucket/prefix at http://…`. */
  readonly description: string;
  /** Longer reads gain nothing here: several of this length come sooner, bit by bit. */
  readonly readBytesMax?: number;
  /**
   * Writes a segment under a key made of its workerEpoch and sequence; durable when it resolves
   * (folder: to the extent of the fsync setting). Safe to run several at once. When a reply is
   * lost, the store finds out whether the object is there instead of writing it blindly again.
   * Errors: `store_unavailable` after bounded retries, `object_exists` if other bytes hold the key.
   */
  writeSegment(segment: SegmentBytes): Promise<ObjectLocation>;
  /** Creates an object once, e.g. receipts and checkpoints. Errors as `writeSegment`. */
  create(key: string, bytes: Uint8Array): Promise<void>;
  /**
   * Creates an object of any size with some megabytes of it in memory; absent: hold it and `create`
   * it. For keys that nobody else writes: two such writes of other bytes may both succeed. Errors
   * as `writeSegment`, the source's, and `corrupt_segment` when it gives other bytes a second time.
   */
  createFrom?(key: string, source: ObjectSource): Promise<void>;
  /**
   * Reads exactly `location.length` bytes into a fresh buffer that the caller owns. Errors:
   * `object_missing`, `corrupt_segment` when the object is shorter, `store_unavailable`.
   */
  read(location: ObjectLocation, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * Reads the same bytes into `targets`, one after the other; their lengths add up to the
   * location's. Targets are lent until the promise settles, and hold anything when it rejects.
   * Errors as `read`.
   */
  readInto(location: ObjectLocation, targets: readonly Uint8Array[]): Promise<void>;
  /** The object's size in bytes, undefined when there is none. */
  sizeOf(key: string): Promise<number | undefined>;
  /**
   * Makes what is stored under `key` survive a power loss, whoever wrote it; absent where that
   * holds anyway. A missing object is no error.
   */
  settle?(key: string): Promise<void>;
  /**
   * Cuts a file of a closed worker epoch to `endPosition`, behind which nothing was published; a
   * shorter one stays as it is. Absent where objects are whole or not there. Retry-safe. Errors:
   * `object_missing`.
   */
  trimTornTail?(key: string, endPosition: number): Promise<void>;
  /** Deletes objects; missing ones are no error. */
  delete(keys: readonly string[]): Promise<void>;
  /**
   * Walks objects by prefix, those with keys behind `afterKey` if it is given: in the order of keys
   * where they are many (S3, R2), in any in a folder. For the collector and tools, never on a read
   * path.
   */
  list(
    prefix: string,
    afterKey?: string,
  ): AsyncIterable<{ readonly key: string; readonly sizeBytes: number }>;
  /** Resolves when writes in flight are done and files are closed. */
  close(): Promise<void>;
}

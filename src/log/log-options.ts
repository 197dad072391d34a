/** How a worker's log is set up; the composition root fills this from its settings. */
import type { Metrics } from "../base/metrics.ts";
import type { Platform } from "../base/platform.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import type { ObjectStore } from "../store/object-store.ts";
import type { FlushPolicy } from "./flush-policy.ts";
import type { MaintenanceSettings } from "./maintenance.ts";
import type { PartitionSlot } from "./partition-slot.ts";
import type { Inflater } from "./shared-fetches.ts";
import type { TopicSettings } from "./topic-catalog.ts";

export interface LogOptions {
  readonly platform: Platform;
  readonly metrics: Metrics;
  readonly store: ObjectStore;
  readonly database: SqlDatabase;
  /** True where other workers may use the same metadata database. */
  readonly shared: boolean;
  /** Between questions for peers' publishes while somebody waits, milliseconds; default 20. */
  readonly peerPollMs?: number;
  /** Called when somebody waits for these. */
  readonly onWait?: (slots: readonly PartitionSlot[]) => void;
  /** Called after each publish of this worker. */
  readonly onPublished?: (published: Published) => void;
  /** Called when this worker has made, changed or deleted a topic. */
  readonly onTopicChanged?: (topicNumber: number) => void;
  readonly flush: FlushPolicy;
  readonly topics: TopicSettings;
  /**
   * The ring of segments, at an address that is a multiple of 4096; where it lies in the memory of
   * the CRC kernel, checksums need no copy. Its size bounds segments being written and tail cache.
   */
  readonly ring: Uint8Array;
  /**
   * The memory of the cache of blocks read back from the store, which is its bound; in the memory
   * of the CRC kernel if there is room, as the ring.
   */
  readonly blockMemory: readonly Uint8Array[];
  /** Shorter stretches are copied where an answer may be lent. Absent: what pays. */
  readonly lentBytesMin?: number;
  /** Queries run in threads of their own, which read records where the log has put them. */
  readonly hasThreads?: boolean;
  /** These threads walk and sum stored batches themselves, which they get as they lie. */
  readonly threadsSum?: boolean;
  /** Decompresses what several of them read. Absent: each does so for itself. */
  readonly inflater?: Inflater;
  /** Bound of appends that wait or fly, bytes. */
  readonly queueBytesMax: number;
  /** True for a folder: a power loss may take what was written last. */
  readonly storeMayLoseTail: boolean;
  readonly maintenance: MaintenanceSettings;
  /** A peer had closed this worker's epoch, and it has another one now: its leases are gone. */
  readonly onEpochLost?: () => void;
  /** What peers and clients are told of this worker. */
  readonly worker: WorkerDescription;
}

export interface Published {
  /** Topics that have records more, or of which a commit has told how far they have come. */
  readonly topicNumbers: ReadonlySet<number>;
  /** Of the metadata when they answered. */
  readonly catalogVersion: number;
}

export interface WorkerDescription {
  /** Kept over restarts where given; else the smallest free one. */
  readonly nodeId?: number;
  readonly kind: "process" | "durable_object";
  /**
   * Names the Durable Object among all that share the metadata; absent for a process. Such a
   * worker raises no counter and starts nothing by itself, so that it may sleep between requests.
   */
  readonly objectName?: string;
  readonly kafkaHost: string;
  /** 0: no Kafka listener. */
  readonly kafkaPort: number;
  readonly httpUrl: string;
}

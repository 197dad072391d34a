import type { TopicId, TopicName } from "../record/types.ts";
import type { SqlDatabase } from "./sql-database.ts";

export interface TopicInfo {
  /** Row number of this incarnation, never reused. */
  readonly topicNumber: number;
  readonly topicId: TopicId;
  readonly name: TopicName;
  readonly partitionCount: number;
  /** Only what was set; defaults are in topic-config.ts. */
  readonly config: Readonly<Record<string, string>>;
  /** As requested; bytes are as durable as the store is, whatever it says. */
  readonly replicationFactor: number;
  /** Milliseconds since 1970 by the database's clock. */
  readonly createdAt: number;
}

export interface NewTopic {
  readonly topicId: TopicId;
  readonly name: TopicName;
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

/** Errors: `topic_exists`, `invalid_topic_name` (collides by `.` and `_`), `invalid_config`. */
export declare function createTopic(database: SqlDatabase, topic: NewTopic): Promise<TopicInfo>;
/** Hides the topic at once; its rows and objects go in slices (retention.ts). `topic_unknown`. */
export declare function deleteTopic(database: SqlDatabase, topicNumber: number): Promise<void>;
/** Raises the partition count. Errors: `topic_unknown`, `invalid_partition_count`. */
export declare function addPartitions(
  database: SqlDatabase,
  options: { readonly topicNumber: number; readonly partitionCount: number },
): Promise<TopicInfo>;
/** Sets and removes (null) configs; all or none. Errors: `topic_unknown`, `invalid_config`. */
export declare function alterTopicConfig(
  database: SqlDatabase,
  options: {
    readonly topicNumber: number;
    readonly changes: Readonly<Record<string, string | null>>;
  },
): Promise<TopicInfo>;
/** All live topics by name, with the catalog version they were read at. */
export declare function listTopics(
  database: SqlDatabase,
): Promise<{ readonly catalogVersion: number; readonly topics: readonly TopicInfo[] }>;
/** The live topics among `names`; missing ones are left out. */
export declare function topicsByName(
  database: SqlDatabase,
  names: readonly string[],
): Promise<TopicInfo[]>;
export declare function topicsById(
  database: SqlDatabase,
  topicIds: readonly TopicId[],
): Promise<TopicInfo[]>;

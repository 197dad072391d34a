import type { AnswerMemory } from "../../base/answer-memory.ts";
import type { ByteBudget } from "../../base/byte-budget.ts";
import type { FrameBuffers } from "../../base/frame-memory.ts";
import type { Platform } from "../../base/platform.ts";
import type { GroupService } from "../../group/group-service.ts";
import type { LogService, TopicService } from "../../log/log-types.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { FetchSessions } from "./fetch-sessions.ts";
import type { KafkaMetrics } from "./kafka-metrics.ts";

export interface KafkaSettings {
  /** Largest request in bytes. */
  readonly requestBytesMax: number;
  /** SASL PLAIN's password for any user name; null: no authentication is asked for. */
  readonly token: string | null;
  /** Whether Metadata may create topics. */
  readonly autoCreateTopics: boolean;
  /** Partitions of a topic whose creator does not say; for DescribeConfigs. */
  readonly partitionCountDefault: number;
  /** Bound of a compressed batch's records once decompressed, in bytes. */
  readonly decompressedBytesMax: number;
}

/** Gives out producer ids, each once in the life of the namespace. */
export interface ProducerIds {
  /** Errors: `metadata_unavailable`. */
  next(): Promise<number>;
}

/** All that connections share. Made by create-context.ts. */
export interface KafkaContext {
  readonly platform: Platform;
  readonly log: LogService;
  /** What clients are told of the workers. */
  readonly cluster: ClusterView;
  readonly topics: TopicService;
  readonly groups: GroupService;
  readonly producerIds: ProducerIds;
  readonly settings: KafkaSettings;
  readonly metrics: KafkaMetrics;
  /** Bytes of requests read and not answered, over all connections. */
  readonly requestBudget: ByteBudget;
  /** Where large Produce requests are received. */
  readonly frameBuffers: FrameBuffers;
  /** Bytes of fetched records on their way to clients, over all connections. */
  readonly answerMemory: AnswerMemory;
  readonly fetchSessions: FetchSessions;
}

/** Who asks. Later: what this one may do. */
export interface Principal {
  readonly type: "User";
  readonly name: string;
}

export const anonymous: Principal = { type: "User", name: "ANONYMOUS" };

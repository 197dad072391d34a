import { type ErrorCode, StreamError } from "../../base/stream-error.ts";
import { type KafkaErrorName, kafkaErrors } from "../../wire/kafka/error-code.ts";

/**
 * What each failure is called in Kafka's protocol. Where Kafka has no word, the one by which
 * clients do the right thing: what may succeed later must be retriable for the Java client and
 * librdkafka.
 */
export const kafkaErrorNames: Readonly<Record<ErrorCode, KafkaErrorName>> = {
  invalid_request: "INVALID_REQUEST",
  invalid_topic_name: "INVALID_TOPIC_EXCEPTION",
  invalid_partition_count: "INVALID_PARTITIONS",
  invalid_replication_factor: "INVALID_REPLICATION_FACTOR",
  invalid_assignment: "INVALID_REPLICA_ASSIGNMENT",
  invalid_config: "INVALID_CONFIG",
  invalid_record: "INVALID_RECORD",
  invalid_timestamp: "INVALID_TIMESTAMP",
  invalid_required_acks: "INVALID_REQUIRED_ACKS",
  invalid_group_id: "INVALID_GROUP_ID",
  invalid_session_timeout: "INVALID_SESSION_TIMEOUT",
  inconsistent_group_protocol: "INCONSISTENT_GROUP_PROTOCOL",
  offset_metadata_too_large: "OFFSET_METADATA_TOO_LARGE",
  record_too_large: "MESSAGE_TOO_LARGE",
  segment_too_large: "RECORD_LIST_TOO_LARGE",
  request_too_large: "INVALID_REQUEST",
  unsupported_version: "UNSUPPORTED_VERSION",
  unsupported_compression: "UNSUPPORTED_COMPRESSION_TYPE",
  unsupported_format: "UNSUPPORTED_FOR_MESSAGE_FORMAT",
  unsupported_media_type: "INVALID_REQUEST",
  offset_out_of_range: "OFFSET_OUT_OF_RANGE",
  sql_evaluation_failed: "INVALID_REQUEST",
  sql_syntax: "INVALID_REQUEST",
  sql_unsupported: "INVALID_REQUEST",
  sql_invalid: "INVALID_REQUEST",
  sql_too_large: "INVALID_REQUEST",
  topic_unknown: "UNKNOWN_TOPIC_OR_PARTITION",
  topic_id_unknown: "UNKNOWN_TOPIC_ID",
  topic_recreated: "INCONSISTENT_TOPIC_ID",
  partition_unknown: "UNKNOWN_TOPIC_OR_PARTITION",
  group_unknown: "GROUP_ID_NOT_FOUND",
  sql_object_unknown: "INVALID_REQUEST",
  member_unknown: "UNKNOWN_MEMBER_ID",
  object_missing: "KAFKA_STORAGE_ERROR",
  topic_exists: "TOPIC_ALREADY_EXISTS",
  sql_object_exists: "INVALID_REQUEST",
  object_exists: "KAFKA_STORAGE_ERROR",
  group_not_empty: "NON_EMPTY_GROUP",
  group_subscribed: "GROUP_SUBSCRIBED_TO_TOPIC",
  sequence_out_of_order: "OUT_OF_ORDER_SEQUENCE_NUMBER",
  sequence_duplicate: "DUPLICATE_SEQUENCE_NUMBER",
  guard_failed: "INVALID_REQUEST",
  rebalance_in_progress: "REBALANCE_IN_PROGRESS",
  member_id_required: "MEMBER_ID_REQUIRED",
  producer_fenced: "INVALID_PRODUCER_EPOCH",
  worker_fenced: "NOT_LEADER_OR_FOLLOWER",
  leader_epoch_fenced: "FENCED_LEADER_EPOCH",
  leader_epoch_unknown: "UNKNOWN_LEADER_EPOCH",
  generation_stale: "ILLEGAL_GENERATION",
  instance_fenced: "FENCED_INSTANCE_ID",
  store_unavailable: "KAFKA_STORAGE_ERROR",
  metadata_unavailable: "KAFKA_STORAGE_ERROR",
  metadata_newer: "KAFKA_STORAGE_ERROR",
  coordinator_unavailable: "COORDINATOR_NOT_AVAILABLE",
  coordinator_elsewhere: "NOT_COORDINATOR",
  coordinator_loading: "COORDINATOR_LOAD_IN_PROGRESS",
  shutting_down: "NOT_LEADER_OR_FOLLOWER",
  timed_out: "REQUEST_TIMED_OUT",
  // Nothing was appended and trying again helps: librdkafka retries this one, but gives a batch up
  // on THROTTLING_QUOTA_EXCEEDED.
  queue_full: "NOT_ENOUGH_REPLICAS",
  group_full: "GROUP_MAX_SIZE_REACHED",
  rate_exceeded: "NOT_ENOUGH_REPLICAS",
  sql_memory_exceeded: "NOT_ENOUGH_REPLICAS",
  corrupt_record: "CORRUPT_MESSAGE",
  corrupt_segment: "KAFKA_STORAGE_ERROR",
  corrupt_metadata: "UNKNOWN_SERVER_ERROR",
  corrupt_state: "UNKNOWN_SERVER_ERROR",
  // Access tokens are a matter of HTTP.
  token_unknown: "UNKNOWN_SERVER_ERROR",
  unauthenticated: "SASL_AUTHENTICATION_FAILED",
  unauthorized: "CLUSTER_AUTHORIZATION_FAILED",
  topic_read_only: "TOPIC_AUTHORIZATION_FAILED",
  origin_denied: "CLUSTER_AUTHORIZATION_FAILED",
};

/** The number on the wire. */
export function kafkaCode(code: ErrorCode): number {
  return kafkaErrors[kafkaErrorNames[code]].code;
}

/**
 * For APIs of a group's coordinator, where failures of storage must send the client back to ask
 * again instead of looking for another partition leader.
 */
export function groupErrorCode(code: ErrorCode): number {
  switch (code) {
    case "metadata_unavailable":
    case "metadata_newer":
    case "store_unavailable":
    case "queue_full":
    case "timed_out":
      return kafkaErrors.COORDINATOR_NOT_AVAILABLE.code;
    case "shutting_down":
    case "worker_fenced":
      return kafkaErrors.NOT_COORDINATOR.code;
    case "request_too_large":
      // As Kafka answers an assignment that its log refuses.
      return kafkaErrors.UNKNOWN_SERVER_ERROR.code;
    default:
      return kafkaCode(code);
  }
}

/** Code and text for an answer; what nobody foresaw is UNKNOWN_SERVER_ERROR without its innards. */
export interface KafkaFailure {
  readonly errorCode: number;
  readonly errorMessage: string;
  /** Not foreseen: belongs into the log as well. */
  readonly unexpected: boolean;
}

export function kafkaFailure(error: unknown): KafkaFailure {
  if (error instanceof StreamError) {
    return { errorCode: kafkaCode(error.code), errorMessage: error.message, unexpected: false };
  }
  const { code, message } = kafkaErrors.UNKNOWN_SERVER_ERROR;
  return { errorCode: code, errorMessage: message, unexpected: true };
}

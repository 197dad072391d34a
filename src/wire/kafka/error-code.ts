/**
 * Kafka's error codes, as of 4.2. `retriable` is what Kafka's Java client thinks of them. Clients
 * have texts of their own; ours go where an answer carries a message and nothing better is known.
 */
export interface KafkaError {
  /** On the wire, int16. */
  readonly code: number;
  readonly retriable: boolean;
  readonly message: string;
}

function failure(code: number, message: string): KafkaError {
  return { code, retriable: false, message };
}

function transient(code: number, message: string): KafkaError {
  return { code, retriable: true, message };
}

export const kafkaErrors = {
  UNKNOWN_SERVER_ERROR: failure(-1, "The server failed in a way it did not foresee."),
  NONE: failure(0, ""),
  OFFSET_OUT_OF_RANGE: failure(1, "The offset is not within the log."),
  CORRUPT_MESSAGE: transient(
    2,
    "The record batch is damaged, too large, or lacks a key that the topic needs.",
  ),
  UNKNOWN_TOPIC_OR_PARTITION: transient(3, "There is no such topic or partition."),
  INVALID_FETCH_SIZE: failure(4, "The fetch size is not allowed."),
  LEADER_NOT_AVAILABLE: transient(5, "The partition has no leader yet."),
  NOT_LEADER_OR_FOLLOWER: transient(6, "The partition is served by another broker."),
  REQUEST_TIMED_OUT: transient(7, "The request took longer than its time limit."),
  BROKER_NOT_AVAILABLE: failure(8, "The broker is not available."),
  REPLICA_NOT_AVAILABLE: transient(9, "The replica is not available."),
  MESSAGE_TOO_LARGE: failure(10, "The record batch is larger than the topic allows."),
  STALE_CONTROLLER_EPOCH: failure(11, "The controller is another broker by now."),
  OFFSET_METADATA_TOO_LARGE: failure(12, "The metadata text of the offset commit is too long."),
  NETWORK_EXCEPTION: transient(13, "The connection broke before the answer came."),
  COORDINATOR_LOAD_IN_PROGRESS: transient(14, "The coordinator is still loading."),
  COORDINATOR_NOT_AVAILABLE: transient(15, "The coordinator is not available."),
  NOT_COORDINATOR: transient(16, "Another broker is the coordinator."),
  INVALID_TOPIC_EXCEPTION: failure(
    17,
    "The topic's name is not legal, or the topic is not for this use.",
  ),
  RECORD_LIST_TOO_LARGE: failure(
    18,
    "The record batches together are larger than a segment may be.",
  ),
  NOT_ENOUGH_REPLICAS: transient(19, "Too few replicas are in sync."),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: transient(20, "The records were written to too few replicas."),
  INVALID_REQUIRED_ACKS: failure(21, "acks must be -1, 0 or 1."),
  ILLEGAL_GENERATION: failure(22, "The group is in another generation."),
  INCONSISTENT_GROUP_PROTOCOL: failure(23, "The member and the group have no protocol in common."),
  INVALID_GROUP_ID: failure(24, "The group id is not legal."),
  UNKNOWN_MEMBER_ID: failure(25, "The group has no such member."),
  INVALID_SESSION_TIMEOUT: failure(26, "The session timeout is not within the broker's bounds."),
  REBALANCE_IN_PROGRESS: failure(27, "The group is rebalancing; join again."),
  INVALID_COMMIT_OFFSET_SIZE: failure(28, "The offset commit is too large."),
  TOPIC_AUTHORIZATION_FAILED: failure(29, "Not allowed on this topic."),
  GROUP_AUTHORIZATION_FAILED: failure(30, "Not allowed on this group."),
  CLUSTER_AUTHORIZATION_FAILED: failure(31, "Not allowed on this cluster."),
  INVALID_TIMESTAMP: failure(32, "A record's timestamp is outside the topic's bounds."),
  UNSUPPORTED_SASL_MECHANISM: failure(33, "The SASL mechanism is not supported."),
  ILLEGAL_SASL_STATE: failure(
    34,
    "The request does not belong at this point of the authentication.",
  ),
  UNSUPPORTED_VERSION: failure(35, "The version of the API is not supported."),
  TOPIC_ALREADY_EXISTS: failure(36, "A topic of this name exists."),
  INVALID_PARTITIONS: failure(37, "The partition count is not allowed."),
  INVALID_REPLICATION_FACTOR: failure(38, "The replication factor is not allowed."),
  INVALID_REPLICA_ASSIGNMENT: failure(39, "The replica assignment is not allowed."),
  INVALID_CONFIG: failure(40, "A setting is unknown or its value not allowed."),
  NOT_CONTROLLER: transient(41, "Another broker is the controller."),
  INVALID_REQUEST: failure(42, "The request contradicts itself or the protocol."),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: failure(
    43,
    "The stored message format does not support the request.",
  ),
  POLICY_VIOLATION: failure(44, "A policy of the broker forbids the request."),
  OUT_OF_ORDER_SEQUENCE_NUMBER: failure(45, "The batch does not follow the producer's last one."),
  DUPLICATE_SEQUENCE_NUMBER: failure(
    46,
    "The batch was appended before, longer ago than is remembered.",
  ),
  INVALID_PRODUCER_EPOCH: failure(47, "The producer has a newer epoch."),
  INVALID_TXN_STATE: failure(48, "The transaction is not in a state that allows this."),
  INVALID_PRODUCER_ID_MAPPING: failure(
    49,
    "The producer id does not belong to the transactional id.",
  ),
  INVALID_TRANSACTION_TIMEOUT: failure(50, "The transaction timeout is above the broker's bound."),
  CONCURRENT_TRANSACTIONS: transient(51, "The transaction has another operation under way."),
  TRANSACTION_COORDINATOR_FENCED: failure(52, "The transaction has another coordinator by now."),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: failure(53, "Not allowed on this transactional id."),
  SECURITY_DISABLED: failure(54, "Security is turned off."),
  OPERATION_NOT_ATTEMPTED: failure(55, "Not tried, since another part of the request failed."),
  KAFKA_STORAGE_ERROR: transient(56, "The store failed."),
  LOG_DIR_NOT_FOUND: failure(57, "There is no such log directory."),
  SASL_AUTHENTICATION_FAILED: failure(58, "The credentials are wrong."),
  UNKNOWN_PRODUCER_ID: failure(59, "Nothing is known of the producer id."),
  REASSIGNMENT_IN_PROGRESS: failure(60, "The partition is being reassigned."),
  DELEGATION_TOKEN_AUTH_DISABLED: failure(61, "Delegation tokens are turned off."),
  DELEGATION_TOKEN_NOT_FOUND: failure(62, "There is no such delegation token."),
  DELEGATION_TOKEN_OWNER_MISMATCH: failure(
    63,
    "The principal neither owns nor renews the delegation token.",
  ),
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: failure(
    64,
    "Delegation tokens are not served on this kind of connection.",
  ),
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: failure(65, "Not allowed on this delegation token."),
  DELEGATION_TOKEN_EXPIRED: failure(66, "The delegation token has expired."),
  INVALID_PRINCIPAL_TYPE: failure(67, "The type of principal is not supported."),
  NON_EMPTY_GROUP: failure(68, "The group has members."),
  GROUP_ID_NOT_FOUND: failure(69, "There is no such group."),
  FETCH_SESSION_ID_NOT_FOUND: transient(70, "There is no such fetch session."),
  INVALID_FETCH_SESSION_EPOCH: transient(71, "The fetch session is at another epoch."),
  LISTENER_NOT_FOUND: transient(72, "The leader has no listener of this name."),
  TOPIC_DELETION_DISABLED: failure(73, "Deleting topics is turned off."),
  FENCED_LEADER_EPOCH: transient(74, "The client knows an older leader epoch."),
  UNKNOWN_LEADER_EPOCH: transient(75, "The client knows a newer leader epoch."),
  UNSUPPORTED_COMPRESSION_TYPE: failure(76, "The compression type is not supported."),
  STALE_BROKER_EPOCH: failure(77, "The broker has a newer epoch."),
  OFFSET_NOT_AVAILABLE: transient(78, "The leader does not know its high watermark yet."),
  MEMBER_ID_REQUIRED: failure(79, "Join again with the member id given here."),
  PREFERRED_LEADER_NOT_AVAILABLE: transient(80, "The preferred leader is not available."),
  GROUP_MAX_SIZE_REACHED: failure(81, "The group is full."),
  FENCED_INSTANCE_ID: failure(82, "Another member has taken over the instance id."),
  ELIGIBLE_LEADERS_NOT_AVAILABLE: transient(83, "No replica may become leader."),
  ELECTION_NOT_NEEDED: transient(84, "The partition has its leader."),
  NO_REASSIGNMENT_IN_PROGRESS: failure(85, "No partition is being reassigned."),
  GROUP_SUBSCRIBED_TO_TOPIC: failure(86, "The group is subscribed to the topic."),
  INVALID_RECORD: failure(87, "A record does not meet the topic's rules."),
  UNSTABLE_OFFSET_COMMIT: transient(88, "An offset depends on a transaction that is open."),
  THROTTLING_QUOTA_EXCEEDED: transient(89, "A quota was exceeded."),
  PRODUCER_FENCED: failure(90, "Another producer has taken over the transactional id."),
  RESOURCE_NOT_FOUND: failure(91, "There is no such resource."),
  DUPLICATE_RESOURCE: failure(92, "The request names a resource twice."),
  UNACCEPTABLE_CREDENTIAL: failure(93, "The credential does not meet the rules."),
  INCONSISTENT_VOTER_SET: failure(94, "Sender or receiver is not a voter."),
  INVALID_UPDATE_VERSION: failure(95, "The version of the update is not allowed."),
  FEATURE_UPDATE_FAILED: failure(96, "The features could not be updated."),
  PRINCIPAL_DESERIALIZATION_FAILURE: failure(97, "The forwarded principal could not be read."),
  SNAPSHOT_NOT_FOUND: failure(98, "There is no such snapshot."),
  POSITION_OUT_OF_RANGE: failure(99, "The position is not within the snapshot."),
  UNKNOWN_TOPIC_ID: transient(100, "There is no topic of this id."),
  DUPLICATE_BROKER_REGISTRATION: failure(101, "The broker id is taken."),
  BROKER_ID_NOT_REGISTERED: failure(102, "The broker id is not registered."),
  INCONSISTENT_TOPIC_ID: transient(103, "The log belongs to another topic id."),
  INCONSISTENT_CLUSTER_ID: failure(104, "The cluster has another id."),
  TRANSACTIONAL_ID_NOT_FOUND: failure(105, "There is no such transactional id."),
  FETCH_SESSION_TOPIC_ID_ERROR: transient(
    106,
    "The fetch session mixes topic names and topic ids.",
  ),
  INELIGIBLE_REPLICA: failure(107, "A replica may not be in sync."),
  NEW_LEADER_ELECTED: failure(108, "The partition got another leader meanwhile."),
  OFFSET_MOVED_TO_TIERED_STORAGE: failure(109, "The offset lies in tiered storage."),
  FENCED_MEMBER_EPOCH: failure(
    110,
    "The member's epoch is fenced; give up all partitions and join again.",
  ),
  UNRELEASED_INSTANCE_ID: failure(111, "Another member still holds the instance id."),
  UNSUPPORTED_ASSIGNOR: failure(112, "The group does not support the assignor."),
  STALE_MEMBER_EPOCH: failure(113, "The member has a newer epoch."),
  MISMATCHED_ENDPOINT_TYPE: failure(114, "The endpoint is of another type."),
  UNSUPPORTED_ENDPOINT_TYPE: failure(115, "The type of endpoint is not supported."),
  UNKNOWN_CONTROLLER_ID: failure(116, "There is no such controller."),
  UNKNOWN_SUBSCRIPTION_ID: failure(117, "The telemetry subscription is unknown or outdated."),
  TELEMETRY_TOO_LARGE: failure(118, "The telemetry is larger than the broker accepts."),
  INVALID_REGISTRATION: failure(119, "The broker's registration is not valid."),
  TRANSACTION_ABORTABLE: failure(120, "The transaction failed and may be aborted."),
  INVALID_RECORD_STATE: failure(121, "The record is not in a state that can be acknowledged."),
  SHARE_SESSION_NOT_FOUND: transient(122, "There is no such share session."),
  INVALID_SHARE_SESSION_EPOCH: transient(123, "The share session is at another epoch."),
  FENCED_STATE_EPOCH: failure(124, "The share group's state has another epoch."),
  INVALID_VOTER_KEY: failure(125, "The voter's key is not the receiver's."),
  DUPLICATE_VOTER: failure(126, "The voter is in the set already."),
  VOTER_NOT_FOUND: failure(127, "The voter is not in the set."),
  INVALID_REGULAR_EXPRESSION: failure(128, "The regular expression is not valid."),
  REBOOTSTRAP_REQUIRED: failure(
    129,
    "The client's metadata is too old; start again from the bootstrap servers.",
  ),
  STREAMS_INVALID_TOPOLOGY: failure(130, "The topology is not valid."),
  STREAMS_INVALID_TOPOLOGY_EPOCH: failure(131, "The topology's epoch is not valid."),
  STREAMS_TOPOLOGY_FENCED: failure(132, "The topology has a newer epoch."),
  SHARE_SESSION_LIMIT_REACHED: transient(133, "There are too many share sessions."),
} as const satisfies Readonly<Record<string, KafkaError>>;

export type KafkaErrorName = keyof typeof kafkaErrors;

const namesByCode: ReadonlyMap<number, KafkaErrorName> = new Map(
  // Object.keys gives exactly the table's own names.
  (Object.keys(kafkaErrors) as KafkaErrorName[]).map((name) => [kafkaErrors[name].code, name]),
);

/** Kafka's name of a code; UNKNOWN_SERVER_ERROR for codes newer than this table. */
export function kafkaErrorName(code: number): KafkaErrorName {
  return namesByCode.get(code) ?? "UNKNOWN_SERVER_ERROR";
}

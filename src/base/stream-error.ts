/**
 * The one error that crosses floors. Its `code` is stable: `server/http` and `server/kafka` map
 * each code by a total Record, so a new code does not compile until both have said what it means
 * there.
 */
export type ErrorKind =
  | "invalid"
  | "missing"
  | "conflict"
  | "fenced"
  | "unavailable"
  | "exhausted"
  | "corrupt"
  | "denied";

/** Every code with its kind. Codes name the fact, not the remedy. */
export const errorKinds = {
  // invalid: the request can never succeed as it stands
  invalid_request: "invalid",
  invalid_topic_name: "invalid",
  invalid_partition_count: "invalid",
  invalid_replication_factor: "invalid",
  invalid_assignment: "invalid",
  invalid_config: "invalid",
  invalid_record: "invalid",
  invalid_timestamp: "invalid",
  invalid_required_acks: "invalid",
  invalid_group_id: "invalid",
  invalid_session_timeout: "invalid",
  inconsistent_group_protocol: "invalid",
  offset_metadata_too_large: "invalid",
  record_too_large: "invalid",
  segment_too_large: "invalid",
  request_too_large: "invalid",
  unsupported_version: "invalid",
  unsupported_compression: "invalid",
  unsupported_format: "invalid",
  unsupported_media_type: "invalid",
  offset_out_of_range: "invalid",
  sql_evaluation_failed: "invalid",
  sql_syntax: "invalid",
  sql_unsupported: "invalid",
  sql_invalid: "invalid",
  sql_too_large: "invalid",
  // missing: the thing named is not there
  topic_unknown: "missing",
  topic_id_unknown: "missing",
  topic_recreated: "missing",
  partition_unknown: "missing",
  group_unknown: "missing",
  sql_object_unknown: "missing",
  member_unknown: "missing",
  object_missing: "missing",
  token_unknown: "missing",
  // conflict: somebody was first
  topic_exists: "conflict",
  sql_object_exists: "conflict",
  object_exists: "conflict",
  group_not_empty: "conflict",
  group_subscribed: "conflict",
  sequence_out_of_order: "conflict",
  sequence_duplicate: "conflict",
  guard_failed: "conflict",
  rebalance_in_progress: "conflict",
  member_id_required: "conflict",
  // fenced: an older incarnation speaks
  producer_fenced: "fenced",
  worker_fenced: "fenced",
  leader_epoch_fenced: "fenced",
  leader_epoch_unknown: "fenced",
  generation_stale: "fenced",
  instance_fenced: "fenced",
  // unavailable: the same request may succeed later
  store_unavailable: "unavailable",
  metadata_unavailable: "unavailable",
  metadata_newer: "unavailable",
  coordinator_unavailable: "unavailable",
  coordinator_elsewhere: "unavailable",
  coordinator_loading: "unavailable",
  shutting_down: "unavailable",
  timed_out: "unavailable",
  // exhausted: a bound was reached
  queue_full: "exhausted",
  group_full: "exhausted",
  rate_exceeded: "exhausted",
  sql_memory_exceeded: "exhausted",
  // corrupt: bytes are not what their checksum or layout says
  corrupt_record: "corrupt",
  corrupt_segment: "corrupt",
  corrupt_metadata: "corrupt",
  corrupt_state: "corrupt",
  // denied
  unauthenticated: "denied",
  unauthorized: "denied",
  topic_read_only: "denied",
  origin_denied: "denied",
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

const retriableKinds: ReadonlySet<ErrorKind> = new Set(["unavailable", "exhausted"]);

export interface StreamErrorOptions {
  /** Machine-readable facts: the field, the bound, the value met. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
  readonly cause?: unknown;
}

/**
 * An answerable failure. The message gives act, object, state and remedy:
 * `Cannot read offset 91 of "orders"/3: earliest is 120`.
 */
export class StreamError extends Error {
  readonly kind: ErrorKind;
  readonly code: ErrorCode;
  readonly retriable: boolean;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;

  constructor(code: ErrorCode, message: string, options: StreamErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "StreamError";
    this.code = code;
    this.kind = errorKinds[code];
    this.retriable = retriableKinds.has(this.kind);
    this.details = options.details ?? {};
  }
}

/** Tells whether `error` is a StreamError, optionally of one of `codes`. */
export function isStreamError(error: unknown, ...codes: ErrorCode[]): error is StreamError {
  return error instanceof StreamError && (codes.length === 0 || codes.includes(error.code));
}

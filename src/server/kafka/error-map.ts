import { type ErrorCode, StreamError } from "../../base/stream-error.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import { kafkaErrorNames } from "./error-names.ts";

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

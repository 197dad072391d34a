import type { ErrorCode } from "../../base/stream-error.ts";
import { isStreamError } from "../../base/stream-error.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import { groupErrorCode } from "./error-map.ts";
import type { KafkaCall } from "./handler.ts";

/** A group's code in an answer: 0 for null. */
export function groupCode(error: ErrorCode | null): number {
  return error === null ? 0 : groupErrorCode(error);
}

/** The code of what a group call threw; what nobody foresaw is logged. */
export function groupFailureCode(error: unknown, call: KafkaCall): number {
  if (isStreamError(error)) return groupErrorCode(error.code);
  call.context.platform.log.error("A group request failed", { error });
  return kafkaErrors.UNKNOWN_SERVER_ERROR.code;
}

/**
 * Waits for `waiting` unless the call is aborted first: then NOT_COORDINATOR is thrown as
 * `coordinator_elsewhere`, so that the client asks for the coordinator again.
 */
export function unlessAborted<T>(
  waiting: Promise<T>,
  signal: AbortSignal,
  aborted: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(aborted());
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    waiting.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

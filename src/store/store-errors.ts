/** The errors that every store answers alike. */
import { StreamError } from "../base/stream-error.ts";
import type { ObjectLocation } from "./object-store.ts";

export function missingObject(key: string, store: string, cause?: unknown): StreamError {
  return new StreamError("object_missing", `Cannot read ${key}: no such object in ${store}`, {
    details: { key },
    cause,
  });
}

/** A key is taken, and not by the bytes that were to be written. */
export function otherBytes(key: string, store: string): StreamError {
  return new StreamError(
    "object_exists",
    `Cannot create ${key} in ${store}: other bytes hold this key`,
    { details: { key } },
  );
}

/** `sizeBytes` is where the object ends, undefined when the store did not say. */
export function shortObject(location: ObjectLocation, sizeBytes: number | undefined): StreamError {
  const { key, position, length } = location;
  const fact = sizeBytes === undefined ? "it ends before that" : `it has ${sizeBytes} bytes`;
  return new StreamError(
    "corrupt_segment",
    `Cannot read ${length} bytes of ${key} from byte ${position}: ${fact}`,
    { details: { key, position, length } },
  );
}

/** The store does not work now; `cause` says how. */
export function storeUnavailable(act: string, cause: unknown): StreamError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StreamError("store_unavailable", `Cannot ${act}: ${reason}`, { cause });
}

export function storeClosed(act: string): StreamError {
  return new StreamError("shutting_down", `Cannot ${act}: the store is closed`);
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) {
    if (left[index] !== right[index]) return false;
  }
  return true;
}

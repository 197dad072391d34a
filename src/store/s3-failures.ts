/**
 * Reads the errors of the S3 client: what happened, and whether another attempt may fare better.
 */
import { AttemptTimeout } from "./retry.ts";

export type S3Failure =
  /** Refused before anything happened; the same request may pass later. */
  | "rejected"
  /** No or a useless answer: the request may or may not have happened. */
  | "unknown"
  /** The object is not there. */
  | "missing"
  /** If-None-Match: an object is there. */
  | "exists"
  /** The range begins past the object's end. */
  | "range"
  /** The request can never succeed as it stands: rights, bucket, signature, no such operation. */
  | "refused";

/** Codes of answers that ask for another attempt and say that nothing happened. */
const rejections: ReadonlySet<string> = new Set([
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "RequestLimitExceeded",
  "TooManyRequests",
  "ServiceUnavailable",
  "XMinioServerNotInitialized",
  // Another conditional write of this key is under way.
  "ConditionalRequestConflict",
  "OperationAborted",
  // The client has learned the server's clock from this answer.
  "RequestTimeTooSkewed",
  // The body did not arrive whole, or not as it was sent.
  "RequestTimeout",
  "IncompleteBody",
  "BadDigest",
  "XAmzContentChecksumMismatch",
]);

export function s3Failure(error: unknown): S3Failure {
  const { name, status } = factsOf(error);
  if (rejections.has(name) || status === 429 || status === 503) return "rejected";
  if (name === "NoSuchBucket" || isNotImplemented(error)) return "refused";
  if (status === 404) return "missing";
  if (status === 412) return "exists";
  if (status === 416) return "range";
  if (status === 409) return "rejected";
  if (status !== undefined && status >= 400 && status < 500) return "refused";
  // A local mistake, such as no credentials, is told from a broken connection by its name.
  if (status === undefined && name === "CredentialsProviderError") return "refused";
  return "unknown";
}

/** Whether another attempt may fare better. */
export function mayPass(error: unknown): boolean {
  const failure = s3Failure(error);
  return failure === "rejected" || failure === "unknown";
}

/** The store does not know this operation in this form. */
function isNotImplemented(error: unknown): boolean {
  const { name, status } = factsOf(error);
  return status === 501 || name === "NotImplemented" || name === "MethodNotAllowed";
}

/** For messages: the code and status that S3 gave, or what broke. */
export function s3Reason(error: unknown): string {
  if (error instanceof AttemptTimeout) return error.message;
  const { name, status } = factsOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const facts = status === undefined ? name : `${name}, HTTP ${status}`;
  return `${message} (${facts})`;
}

function factsOf(error: unknown): { name: string; status: number | undefined } {
  if (typeof error !== "object" || error === null) return { name: "", status: undefined };
  const { name, $metadata } = error as { name?: unknown; $metadata?: { httpStatusCode?: unknown } };
  const status = $metadata?.httpStatusCode;
  return {
    name: typeof name === "string" ? name : "",
    status: typeof status === "number" ? status : undefined,
  };
}

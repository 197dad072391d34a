/**
 * Reads the errors of R2's binding. They carry R2's code in brackets at the end of the message:
 * `put: Reduce your rate of simultaneous writes to the same object. (10058)`.
 */

/** Those of developers.cloudflare.com/r2/api/error-codes that no repetition mends. */
const refusedCodes: ReadonlySet<number> = new Set([
  // Unauthorized, AccessDenied, NotEntitled.
  10002, 10003, 10042,
  // NoSuchBucket; MetadataTooLarge, InvalidObjectName, InvalidArgument, InvalidRange.
  10006, 10012, 10020, 10029, 10039,
]);

/**
 * Whether another attempt may fare better. What has no code, a lost answer among it, may have
 * happened or not.
 */
export function mayPassInR2(error: unknown): boolean {
  const code = error instanceof Error ? /\((\d{5})\)$/.exec(error.message)?.[1] : undefined;
  return code === undefined || !refusedCodes.has(Number(code));
}

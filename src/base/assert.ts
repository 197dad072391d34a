/**
 * Checks of our own reasoning. They stay on in production; what comes from outside is refused with
 * a StreamError instead, never asserted.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Broken invariant: ${message}`);
}

/** Marks a branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new Error(`Broken invariant: unexpected ${String(value)}`);
}

/** Unwraps a value that our own bookkeeping says is there. */
export function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new Error(`Broken invariant: no ${what}`);
  return value;
}

/** An iteration that ends when its reader leaves, also while it waits for what comes next. */

/** `make` is called once, with a signal that aborts with `signal` or when the reader leaves. */
export function abortable<Value>(
  signal: AbortSignal,
  make: (signal: AbortSignal) => AsyncGenerator<Value, void>,
): AsyncIterable<Value> {
  return {
    [Symbol.asyncIterator]() {
      const left = new AbortController();
      const values = make(AbortSignal.any([signal, left.signal]));
      return {
        next: () => values.next(),
        async return() {
          // A generator that waits hears of its end only by the signal.
          left.abort();
          return values.return();
        },
      };
    },
  };
}

/** Time and chance as they are, for tests that talk to a real server on this machine. */
import type { Random, Timers } from "../../src/base/platform.ts";

export const realTimers: Timers = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  sleep(delayMs, signal) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, delayMs);
      if (signal?.aborted === true) done();
      else signal?.addEventListener("abort", done, { once: true });
    });
  },
};

export const systemRandom: Random = {
  uniform: () => Math.random(),
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};

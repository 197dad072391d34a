/** SIGINT and SIGTERM as an AbortSignal. */
import process from "node:process";

/** One Ctrl-C reaches us through the terminal, npm and the launcher: within this it is one. */
const sameSignalMs = 200;

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** Aborts at the first signal; a second one ends the process at once. */
export function stopSignal(): AbortSignal {
  const abort = new AbortController();
  let firstAt: number | undefined;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      const now = performance.now();
      firstAt ??= now;
      if (now - firstAt > sameSignalMs) process.exit(exitCodes[name]);
      abort.abort();
    });
  }
  return abort.signal;
}

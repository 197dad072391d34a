/** The CliIo of this process. */
import type { CliIo, Input, Output } from "./io.ts";

const signalNames = ["SIGINT", "SIGTERM"] as const;

/** Ctrl-C reaches us through the terminal, npm and the launcher at once: that is one signal. */
export const sameSignalMs = 200;

/** Builds the CliIo; the first signal aborts it, a second one later ends the process. */
export function processIo(): CliIo {
  const abort = new AbortController();
  let firstAt: number | undefined;
  for (const name of signalNames) {
    process.on(name, () => {
      const now = performance.now();
      firstAt ??= now;
      if (now - firstAt > sameSignalMs) process.exit(name === "SIGINT" ? 130 : 143);
      abort.abort();
    });
  }
  return {
    stdin: standardInput(),
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    env: process.env,
    signal: abort.signal,
  };
}

function outputOf(stream: NodeJS.WriteStream): Output {
  const isTerminal = stream.isTTY === true;
  // The reader went away (`| head`): there is nobody left to tell.
  stream.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : 1);
  });
  return {
    isTerminal,
    hasColour: isTerminal && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb",
    get columns() {
      return isTerminal ? stream.columns || 80 : Number.POSITIVE_INFINITY;
    },
    write(content) {
      return new Promise((resolve) => {
        stream.write(content, () => resolve());
      });
    },
  };
}

function standardInput(): Input {
  return {
    get isTerminal() {
      return process.stdin.isTTY === true;
    },
    chunks: () => process.stdin as AsyncIterable<Uint8Array>,
  };
}

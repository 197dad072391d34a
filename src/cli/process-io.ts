/** The CliIo of this process. */
import { stopSignal } from "../runtime/node/stop-signal.ts";
import type { CliIo, Input, Output } from "./io.ts";

/** Builds the CliIo; the first signal aborts it, a second one ends the process. */
export function processIo(): CliIo {
  return {
    stdin: standardInput(),
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    env: process.env,
    signal: stopSignal(),
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

/** Runs streamctl's command lines in this process, with everything it prints caught. */
import type { CliIo, Output } from "../../src/cli/io.ts";
import { main } from "../../src/cli/main.ts";

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Uint8Array;
}

export interface CliRunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string | Uint8Array | readonly Uint8Array[];
  readonly signal?: AbortSignal;
  /** Called with what standard output holds so far. */
  readonly onStdout?: (text: string) => void;
  /** Both outputs are terminals of this width. */
  readonly columns?: number;
}

export async function runCli(
  argv: readonly string[],
  options: CliRunOptions = {},
): Promise<CliResult> {
  const stdout = caught(options, options.onStdout);
  const stderr = caught(options);
  const given = options.stdin ?? "";
  const bytes = typeof given === "string" ? new TextEncoder().encode(given) : given;
  const chunks = bytes instanceof Uint8Array ? [bytes] : bytes;
  const io: CliIo = {
    stdin: {
      isTerminal: false,
      async *chunks() {
        yield* chunks;
      },
    },
    stdout: stdout.output,
    stderr: stderr.output,
    env: options.env ?? {},
    signal: options.signal ?? new AbortController().signal,
  };
  const exitCode = await main(argv, io);
  const stdoutBytes = stdout.bytes();
  return { exitCode, stdout: stdout.text(), stderr: stderr.text(), stdoutBytes };
}

function caught({ columns }: CliRunOptions, onText?: (text: string) => void) {
  const parts: Uint8Array[] = [];
  const bytes = () => Buffer.concat(parts);
  const text = () => bytes().toString();
  const output: Output = {
    isTerminal: columns !== undefined,
    columns: columns ?? Number.POSITIVE_INFINITY,
    hasColour: false,
    async write(content) {
      parts.push(typeof content === "string" ? new TextEncoder().encode(content) : content);
      onText?.(text());
    },
  };
  return { output, bytes, text };
}

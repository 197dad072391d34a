/** The prompt of `streamctl sql` on a terminal: readline around a SqlShell. */

import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import { complete } from "../../sql/syntax/complete.ts";
import { exitOk } from "../command.ts";
import { type CliIo, styled } from "../io.ts";
import { historyPath, PromptHistory } from "./prompt-history.ts";
import { SqlNames } from "./sql-names.ts";
import { type ShellOptions, SqlShell } from "./sql-shell.ts";

const firstPrompt = "sql> ";
const morePrompt = "  -> ";
const historyMax = 1_000;

/** Runs until \q, Ctrl-D or the end of the process. */
export async function runPrompt(io: CliIo, options: ShellOptions): Promise<number> {
  const prompt = new Prompt(io, options);
  await prompt.run();
  return exitOk;
}

class Prompt {
  readonly #io: CliIo;
  readonly #shell: SqlShell;
  readonly #names: SqlNames;
  readonly #history: PromptHistory;
  readonly #readline: Interface & { history?: string[] };
  readonly #lines: string[] = [];
  /** Of what runs now. */
  #running: AbortController | null = null;
  #wake: () => void = () => {};
  #isClosed = false;

  constructor(io: CliIo, options: ShellOptions) {
    this.#io = io;
    this.#shell = new SqlShell(io, options);
    this.#names = new SqlNames(options.api);
    this.#history = new PromptHistory(historyPath(io.env));
    this.#readline = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: true,
      prompt: firstPrompt,
      history: this.#history.newestFirst(),
      historySize: historyMax,
      completer: (line: string) => this.#complete(line),
    });
  }

  async run(): Promise<void> {
    const { stdout } = this.#io;
    await stdout.write(styled(stdout, "dim", "SQL ends with ; \\? helps, \\q quits.\n"));
    void this.#names.refresh(this.#io.signal);
    this.#readline.on("line", (line) => this.#push(line));
    this.#readline.on("SIGINT", () => this.#interrupt());
    this.#readline.on("close", () => this.#close());
    this.#io.signal.addEventListener("abort", () => this.#readline.close(), { once: true });
    this.#readline.prompt();
    while (await this.#next());
    this.#readline.close();
  }

  /** Takes one line; false when it was the last. */
  async #next(): Promise<boolean> {
    while (this.#lines.length === 0) {
      if (this.#isClosed) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const running = new AbortController();
    this.#running = running;
    const outcome = await this.#shell.line(this.#lines.shift() ?? "", running.signal);
    this.#running = null;
    if (outcome.kind === "quit") return false;
    if (outcome.kind === "ready" && outcome.ran !== null) this.#remember(outcome.ran);
    this.#readline.setPrompt(outcome.kind === "more" ? morePrompt : firstPrompt);
    if (!this.#isClosed) this.#readline.prompt();
    return true;
  }

  /** The whole statement takes the place of its lines. */
  #remember(statement: string): void {
    this.#history.add(statement);
    this.#readline.history?.splice(0, Number.POSITIVE_INFINITY, ...this.#history.newestFirst());
    if (/^\s*(CREATE|DROP|INSERT)\b/i.test(statement)) void this.#names.refresh(this.#io.signal);
  }

  #push(line: string): void {
    this.#lines.push(line);
    this.#wake();
  }

  /** Ends what runs; else what has been typed is forgotten. */
  #interrupt(): void {
    if (this.#running !== null) {
      this.#running.abort();
      return;
    }
    process.stdout.write("^C\n");
    this.#shell.clear();
    this.#readline.setPrompt(firstPrompt);
    this.#readline.write(null, { ctrl: true, name: "e" });
    this.#readline.write(null, { ctrl: true, name: "u" });
    this.#readline.prompt();
  }

  #close(): void {
    this.#isClosed = true;
    this.#running?.abort();
    this.#wake();
  }

  #complete(line: string): [string[], string] {
    const { typed } = this.#shell;
    const before = typed === "" ? "" : `${typed}\n`;
    const text = before + line;
    const { start, candidates } = complete(text, text.length, this.#names);
    return [candidates.map((each) => `${each} `), text.slice(start)];
  }
}

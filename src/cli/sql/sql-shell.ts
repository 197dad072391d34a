/**
 * What a prompt does with lines, without the terminal: gathers statements up to their `;`, runs
 * them, and knows the backslash commands.
 */

import { splitScript } from "../../sql/syntax/parse-script.ts";
import { SqlError } from "../../sql/syntax/sql-error.ts";
import type { ApiClient } from "../api-client.ts";
import { CommandError, entries } from "../command.ts";
import { type CliIo, styled } from "../io.ts";
import { runSql } from "./sql-client.ts";
import { createPrinter, type SqlFormatName } from "./sql-output.ts";
import { SessionSettings } from "./sql-session-settings.ts";

export interface ShellOptions {
  readonly api: ApiClient;
  readonly format: SqlFormatName;
}

export type LineOutcome =
  /** A statement is not whole yet. */
  | { readonly kind: "more" }
  | { readonly kind: "ready"; readonly ran: string | null }
  | { readonly kind: "quit" };

const help: readonly (readonly [string, string])[] = [
  ["\\d", "streams, tables and views"],
  ["\\d NAME", "columns of one of them"],
  ["\\dq", "queries that go on"],
  ["\\df", "functions"],
  ["\\?", "this"],
  ["\\q", "the end; Ctrl-D does the same"],
  ["SQL;", "runs; Ctrl-C ends it"],
];

export class SqlShell {
  readonly #io: CliIo;
  readonly #options: ShellOptions;
  readonly #settings = new SessionSettings();
  #typed = "";

  constructor(io: CliIo, options: ShellOptions) {
    this.#io = io;
    this.#options = options;
  }

  /** What has been typed of a statement that is not whole. */
  get typed(): string {
    return this.#typed;
  }

  /** Forgets what has been typed. */
  clear(): void {
    this.#typed = "";
  }

  /** Takes a line; what it completes has run when this resolves. Errors are shown, not thrown. */
  async line(text: string, signal: AbortSignal): Promise<LineOutcome> {
    if (this.#typed === "" && text.trimStart().startsWith("\\")) {
      return await this.#command(text.trim(), signal);
    }
    this.#typed += `${this.#typed === "" ? "" : "\n"}${text}`;
    const script = this.#typed.trim();
    if (script === "") return this.#ready(null);
    if (!isWhole(script)) return { kind: "more" };
    await this.#run(script, signal);
    return this.#ready(script);
  }

  #ready(ran: string | null): LineOutcome {
    this.clear();
    return { kind: "ready", ran };
  }

  async #command(text: string, signal: AbortSignal): Promise<LineOutcome> {
    const [word = "", ...rest] = text.replace(/;$/, "").split(/\s+/);
    const name = rest.join(" ");
    switch (word) {
      case "\\q":
        return { kind: "quit" };
      case "\\?":
      case "\\h":
        await this.#io.stdout.write(entries(this.#io.stdout, help));
        break;
      case "\\d":
        await this.#run(name === "" ? "SHOW TABLES" : `DESCRIBE ${name}`, signal);
        break;
      case "\\dq":
        await this.#run("SHOW QUERIES", signal);
        break;
      case "\\df":
        await this.#run("SHOW FUNCTIONS", signal);
        break;
      default:
        await this.#complain(`There is no ${word}: \\? tells what there is`);
    }
    return { kind: "ready", ran: text };
  }

  async #run(sql: string, signal: AbortSignal): Promise<void> {
    const { api, format } = this.#options;
    const printer = createPrinter(format, this.#io);
    const settings = this.#settings.values;
    try {
      await runSql({ api, sql, settings, printer, signal });
      this.#settings.note(sql);
    } catch (error) {
      if (signal.aborted) await this.#complain("Cancelled");
      else if (error instanceof CommandError) {
        await this.#complain(error.message);
        if (error.advice !== undefined) await this.#io.stderr.write(`${error.advice}.\n`);
      } else throw error;
    }
  }

  async #complain(text: string): Promise<void> {
    await this.#io.stderr.write(`${styled(this.#io.stderr, "red", text)}\n`);
  }
}

/** Whether the last statement has met its `;`, and not one in a string, a name or a comment. */
function isWhole(script: string): boolean {
  try {
    return splitScript(script).at(-1)?.isEnded !== false;
  } catch (error) {
    // The server says what is wrong with it.
    if (error instanceof SqlError) return true;
    throw error;
  }
}

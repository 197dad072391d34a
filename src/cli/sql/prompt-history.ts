/** Statements typed at earlier prompts, in a file of the user's: a line each, the oldest first. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

const linesMax = 1_000;

export class PromptHistory {
  readonly #path: string;
  #lines: string[] = [];

  constructor(path: string) {
    this.#path = path;
    try {
      this.#lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
    } catch {
      // There is none yet, or it is not to be read: the prompt works without.
    }
    if (this.#lines.length > 2 * linesMax) this.#shorten();
  }

  /** The newest first, as readline has them. */
  newestFirst(): string[] {
    return this.#lines.slice(-linesMax).reverse();
  }

  add(statement: string): void {
    const line = statement.replaceAll(/\s*\n\s*/g, " ").trim();
    if (line === "" || line === this.#lines.at(-1)) return;
    this.#lines.push(line);
    this.#write(() => appendFileSync(this.#path, `${line}\n`, { mode: 0o600 }));
  }

  #shorten(): void {
    this.#lines = this.#lines.slice(-linesMax);
    const text = this.#lines.map((line) => `${line}\n`).join("");
    this.#write(() => writeFileSync(this.#path, text, { mode: 0o600 }));
  }

  #write(act: () => void): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      act();
    } catch {
      // A home that cannot be written to is no reason to refuse statements.
    }
  }
}

/** `$XDG_CONFIG_HOME/millrace/sql-history`, by default under `~/.config`. */
export function historyPath(env: Readonly<Record<string, string | undefined>>): string {
  const config = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  return join(config, "millrace", "sql-history");
}

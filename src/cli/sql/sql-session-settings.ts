/** What SET has set at a prompt. A worker keeps no sessions, so each request brings it along. */
import { parseScript } from "../../sql/syntax/parse-script.ts";

export class SessionSettings {
  readonly #values = new Map<string, string>();

  get values(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#values);
  }

  /** Notes the SET and RESET of a script that has run. */
  note(script: string): void {
    for (const { statement } of parseScript(script)) {
      if (statement.kind === "set") {
        this.#values.set(statement.key.value, statement.value.value);
      } else if (statement.kind === "reset") {
        if (statement.key === null) this.#values.clear();
        else this.#values.delete(statement.key.value);
      }
    }
  }
}

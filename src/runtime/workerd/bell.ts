/**
 * How objects hear of each other's publishes without asking the metadata: whoever has published
 * rings (ADR 33). One call to each is under way at a time; publishes meanwhile are one more call.
 * A ring that is lost costs time only: objects look for themselves once a second.
 */
import type { Logger } from "../../base/log.ts";

/** Who is to hear. */
export interface Listener {
  readonly name: string;
  hear(): Promise<void>;
}

export class Bell {
  readonly #log: Logger;
  readonly #listeners: () => Iterable<Listener>;
  /** Those that are being called; true: once more then. */
  readonly #calls = new Map<string, boolean>();

  constructor(log: Logger, listeners: () => Iterable<Listener>) {
    this.#log = log;
    this.#listeners = listeners;
  }

  /** `except`: who has rung here. */
  ring(except?: string): void {
    for (const listener of this.#listeners()) {
      if (listener.name === except) continue;
      const isCalled = this.#calls.has(listener.name);
      this.#calls.set(listener.name, isCalled);
      if (!isCalled) void this.#call(listener);
    }
  }

  async #call(listener: Listener): Promise<void> {
    do {
      this.#calls.set(listener.name, false);
      await listener.hear().catch((error: unknown) => {
        this.#log.debug("An object did not hear", { object: listener.name, error: String(error) });
      });
    } while (this.#calls.get(listener.name) === true);
    this.#calls.delete(listener.name);
  }
}

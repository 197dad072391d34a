/**
 * How objects hear of each other's publishes without asking the metadata: whoever has published
 * rings (ADR 33). One call to each is under way at a time; publishes meanwhile are one more call.
 * A ring that is lost costs time only: objects look for themselves now and then (ADR 59).
 */
import type { Logger } from "../../base/log.ts";
import type { Timers } from "../../base/platform.ts";

/** Calls in a row that may fail, and the time between: an object may be replaced meanwhile. */
const attemptsMax = 3;
const againMs = 500;

/** Who is to hear. */
export interface Listener {
  readonly name: string;
  hear(): Promise<void>;
}

export interface BellParts {
  readonly log: Logger;
  readonly timers: Timers;
}

export class Bell {
  readonly #parts: BellParts;
  /** Those that are being called; true: once more then. */
  readonly #calls = new Map<string, boolean>();

  constructor(parts: BellParts) {
    this.#parts = parts;
  }

  ring(listeners: Iterable<Listener>): void {
    for (const listener of listeners) {
      const isCalled = this.#calls.has(listener.name);
      this.#calls.set(listener.name, isCalled);
      if (!isCalled) void this.#call(listener);
    }
  }

  async #call(listener: Listener): Promise<void> {
    let failures = 0;
    do {
      this.#calls.set(listener.name, false);
      try {
        await listener.hear();
        failures = 0;
      } catch (error) {
        const facts = { object: listener.name, error: String(error) };
        this.#parts.log.debug("An object did not hear", facts);
        failures += 1;
        if (failures >= attemptsMax) break;
        await this.#parts.timers.sleep(againMs);
        this.#calls.set(listener.name, true);
      }
    } while (this.#calls.get(listener.name) === true);
    this.#calls.delete(listener.name);
  }
}

/** Pages of a read of a view: one side adds them as they come, the other takes them in its time. */
import type { ViewReply } from "./view-protocol.ts";
import type { ViewState } from "./view-table.ts";

export class Pages {
  readonly #waiting: ViewReply[];
  #wake: (() => void) | null = null;
  #isEnded: boolean;
  #failure: unknown = null;
  /** Of the table while it is read. */
  readonly state: ViewState;
  /** What asks for the next one; null: the last one is here. */
  read: number | null;

  constructor(first: ViewReply, ...more: readonly ViewReply[]) {
    this.#waiting = [first, ...more];
    this.state = first.state;
    this.read = (more.at(-1) ?? first).rows?.read ?? null;
    this.#isEnded = this.read === null;
  }

  add(page: ViewReply): void {
    this.#waiting.push(page);
    this.read = page.rows?.read ?? null;
    this.#wake?.();
  }

  /** No more will come; `failure`, if any, is what the taker hears behind the last page. */
  end(failure: unknown): void {
    this.#isEnded = true;
    this.#failure = failure;
    this.#wake?.();
  }

  /** @throws what the read failed with. */
  async *taken(): AsyncGenerator<ViewReply, void> {
    for (;;) {
      const page = this.#waiting.shift();
      if (page !== undefined) yield page;
      else if (this.#isEnded) break;
      else await this.#more();
    }
    if (this.#failure !== null) throw this.#failure;
  }

  async #more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
    this.#wake = null;
  }
}

/**
 * One sync for many writes. A sync covers the writes that ended before it began; who comes while
 * one runs shares the next.
 *
 * After a failed sync the kernel may have dropped dirty pages and forgotten the error, so a later
 * sync that succeeds proves nothing: every waiter fails, and so does every later call.
 */
import type { OpenFile } from "../base/file-system.ts";

export class GroupSync {
  readonly #file: OpenFile;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #failure: unknown;

  constructor(file: OpenFile) {
    this.#file = file;
  }

  /** Resolves when every write that ended before this call survives power loss. */
  sync(): Promise<void> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running.then(() => this.#start());
    return this.#next;
  }

  #start(): Promise<void> {
    this.#next = undefined;
    const running = this.#run();
    this.#running = running;
    return running;
  }

  async #run(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#file.sync();
    } catch (error) {
      this.#failure = error;
      throw error;
    } finally {
      this.#running = undefined;
    }
  }
}

/**
 * What a worker's epoch leaves behind when it ends without taking leave: index rows whose bytes the
 * power took, receipts in no object, a torn tail in its last file. Whoever closes the epoch, or
 * finds it closed, looks after all of it; the metadata remembers that it was done, so a helper that
 * dies over it is followed by another. Every step may be repeated, also by two at once.
 */
import type { Platform } from "../base/platform.ts";
import { isStreamError } from "../base/stream-error.ts";
import { liveObjectsOf } from "../meta/object-index.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { markMended } from "../meta/workers.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { adoptReceipts } from "./adopt-receipts.ts";
import { cutLostBytes } from "./lost-bytes.ts";

export interface EpochMenderParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly store: ObjectStore;
  /** True for a folder: a power loss may have taken what was written last. */
  readonly storeMayLoseTail: boolean;
}

export class EpochMender {
  readonly #parts: EpochMenderParts;
  /** Nothing is added to a closed epoch: once is enough. */
  readonly #checked = new Set<number>();

  constructor(parts: EpochMenderParts) {
    this.#parts = parts;
  }

  /** All of it. The epoch is closed. */
  async mend(workerEpoch: number): Promise<void> {
    await this.check(workerEpoch);
    await this.#finish(workerEpoch);
    this.#checked.delete(workerEpoch);
  }

  /** Cuts what is lost. Until this is done the index may name bytes that are not there. */
  async check(workerEpoch: number): Promise<void> {
    if (!this.#parts.storeMayLoseTail || this.#checked.has(workerEpoch)) return;
    await cutLostBytes(this.#parts, workerEpoch);
    this.#checked.add(workerEpoch);
  }

  /** The rest, which nobody waits for. */
  async #finish(workerEpoch: number): Promise<void> {
    await adoptReceipts(this.#parts, workerEpoch);
    // Only now: what was written and never published may carry receipts that nothing else does.
    await this.#trim(workerEpoch);
    await markMended(this.#parts.database, workerEpoch);
  }

  /** Takes away what lies behind the last published segment of each file: it never will be. */
  async #trim(workerEpoch: number): Promise<void> {
    const { database, store } = this.#parts;
    if (store.trimTornTail === undefined) return;
    for (const { key, sizeBytes } of await liveObjectsOf(database, workerEpoch)) {
      try {
        await store.trimTornTail(key, sizeBytes);
      } catch (error) {
        if (!isStreamError(error, "object_missing")) throw error;
      }
    }
  }
}

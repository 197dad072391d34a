/** Forgets what was known of topics that a peer has deleted, so that memory stays bounded. */
import type { Platform } from "../base/platform.ts";
import { deletedTopics } from "../meta/catalog.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import type { PartitionTable } from "./partition-table.ts";

export interface GoneTopicsParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly table: PartitionTable;
}

export class GoneTopics {
  readonly #parts: GoneTopicsParts;
  #looking = false;
  #again = false;

  constructor(parts: GoneTopicsParts) {
    this.#parts = parts;
  }

  /** The catalog has changed. Many changes at a time cost one question or two. */
  look(): void {
    this.#again = true;
    if (this.#looking) return;
    this.#looking = true;
    void this.#look().finally(() => {
      this.#looking = false;
    });
  }

  /** Never rejects: what is missed now goes with the next change. */
  async #look(): Promise<void> {
    const { platform, database, table } = this.#parts;
    while (this.#again) {
      this.#again = false;
      try {
        table.forgetTopics(new Set(await deletedTopics(database, table.topicNumbers())));
      } catch (error) {
        platform.log.debug("deleted topics not looked for", { error: String(error) });
      }
    }
  }
}

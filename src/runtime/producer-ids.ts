/** Producer ids out of blocks: one write to the metadata for a thousand of them. */
import { allocateProducerIds } from "../meta/producers.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import type { ProducerIds } from "../server/kafka/context.ts";

const blockCount = 1_000;

export class BlockProducerIds implements ProducerIds {
  readonly #database: SqlDatabase;
  #next = 0;
  #end = 0;
  #refilling: Promise<void> | undefined;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  async next(): Promise<number> {
    while (this.#next === this.#end) {
      this.#refilling ??= this.#refill().finally(() => {
        this.#refilling = undefined;
      });
      await this.#refilling;
    }
    return this.#next++;
  }

  async #refill(): Promise<void> {
    const first = await allocateProducerIds(this.#database, blockCount);
    this.#next = first;
    this.#end = first + blockCount;
  }
}

/**
 * The groups in a table of what left the kernel (`cold-table.ts`) in the order in which they first
 * appeared, for a query that ends: they come out then, in parts.
 */
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { quoteName } from "../sqlite/quote.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import type { PartLimits } from "./cold-times.ts";
import type { KernelTable } from "./state.ts";

export const nameColumns = [{ name: "name", kind: "integer" }] as const;

export class ColdNames {
  readonly #bound: SqliteStatement;
  readonly #find: SqliteStatement;
  readonly #images: Collector;

  /** `rows`: the table's name, quoted. */
  constructor(database: SqliteDatabase, table: { readonly name: string; readonly rows: string }) {
    const { name, rows } = table;
    const index = quoteName(`${name}_names`);
    database.run(`CREATE INDEX IF NOT EXISTS ${index} ON ${rows} (name)`);
    this.#bound = database.prepare(
      "SELECT name FROM (SELECT name, sum(bytes) OVER (ORDER BY name) AS total, row_number() " +
        "OVER (ORDER BY name) AS n FROM (SELECT name, length(image) AS bytes " +
        `FROM ${rows} WHERE name > ?1 ORDER BY name LIMIT ?2)) ` +
        "WHERE n = 1 OR total <= ?3 ORDER BY n DESC LIMIT 1",
    );
    this.#find = database.prepare(
      `SELECT image FROM ${rows} WHERE name > ?1 AND name <= ?2 ORDER BY name`,
    );
    this.#images = new Collector(database.host, ["blob"]);
  }

  /** Images of all groups, a part at a time, which is good until the next. They stay. */
  *parts({ rowsMax, bytesMax }: PartLimits): Generator<KernelTable> {
    for (let after = -1n; ; ) {
      const last = this.#bound.all(after, BigInt(rowsMax), BigInt(bytesMax))[0]?.[0];
      if (typeof last !== "bigint") return;
      this.#images.clear();
      const outcome = this.#images.collect(this.#find.bind(after, last));
      this.#find.reset();
      if (outcome.kind === "failed") throw outcome.error;
      yield this.#images.table;
      after = last;
    }
  }

  free(): void {
    this.#bound.finalize();
    this.#find.finalize();
    this.#images.free();
  }
}

/**
 * The sessions in a table of what left the kernel (`cold-table.ts`) by when something is due for
 * them: those that a watermark closes come back in parts, so that any number of them may close at
 * once. Parts follow each other by that time and then by creation, which is the order in which
 * sessions come out.
 */
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { quoteName } from "../sqlite/quote.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import type { KernelTable } from "./state.ts";

export const timeColumns = [
  { name: "due", kind: "integer" },
  { name: "created", kind: "integer" },
] as const;

/** A place in the order in which sessions come out. */
export interface ColdPart {
  readonly due: bigint;
  readonly created: bigint;
  /** No session behind it is due by the time that was asked for. */
  readonly isLast: boolean;
}

export interface PartLimits {
  readonly rowsMax: number;
  /** Of images; the first of a part may be larger. */
  readonly bytesMax: number;
}

/** Less than any image has. */
const imageBytesMin = 32;

/**
 * Where a part ends is found among the first `rowsMax` rows, so these must not be many more than it
 * can have: with little memory they would be gone through anew for each few.
 */
export function partLimits({ rowsMax, bytesMax }: PartLimits): PartLimits {
  const rowsFit = 1 + Math.floor(bytesMax / imageBytesMin);
  return { rowsMax: Math.min(rowsMax, rowsFit), bytesMax: Math.floor(bytesMax) };
}

export class ColdTimes {
  readonly #next: SqliteStatement;
  readonly #bound: SqliteStatement;
  readonly #rest: SqliteStatement;
  readonly #exact: { readonly find: SqliteStatement; readonly drop: SqliteStatement };
  readonly #wholeKeys: { readonly find: SqliteStatement; readonly drop: SqliteStatement };
  readonly #images: Collector;
  /** When the first is due; null: there is none; undefined: to be looked up. */
  #nextDue: bigint | null | undefined;

  /** `rows`: the table's name, quoted; `matches`: names of its key columns. */
  constructor(
    database: SqliteDatabase,
    table: { readonly name: string; readonly rows: string; readonly matches: readonly string[] },
  ) {
    const { name, rows, matches } = table;
    const index = quoteName(`${name}_due`);
    database.run(`CREATE INDEX IF NOT EXISTS ${index} ON ${rows} (due, created)`);
    this.#next = database.prepare(`SELECT min(due) FROM ${rows}`);
    const order = "(ORDER BY due, created)";
    this.#bound = database.prepare(
      `SELECT due, created FROM (SELECT due, created, sum(bytes) OVER ${order} AS total, ` +
        `row_number() OVER ${order} AS n FROM (SELECT due, created, length(image) AS bytes ` +
        `FROM ${rows} WHERE due <= ?1 ORDER BY due, created LIMIT ?2)) ` +
        "WHERE n = 1 OR total <= ?3 ORDER BY n DESC LIMIT 1",
    );
    const behind = "(due, created) > (?2, ?3)";
    this.#rest = database.prepare(`SELECT 1 FROM ${rows} WHERE due <= ?1 AND ${behind} LIMIT 1`);
    const keys = matches.join(", ");
    const same = matches.map((key) => `c.${key} IS r.${key}`).join(" AND ");
    const statements = (where: string) => ({
      find: database.prepare(`SELECT image FROM ${rows} WHERE ${where}`),
      drop: database.prepare(`DELETE FROM ${rows} WHERE ${where}`),
    });
    this.#exact = statements("(due, created) <= (?1, ?2)");
    this.#wholeKeys = statements(
      `rowid IN (SELECT c.rowid FROM (SELECT DISTINCT ${keys} FROM ${rows} WHERE due <= ?1) r ` +
        `CROSS JOIN ${rows} c ON ${same})`,
    );
    this.#images = new Collector(database.host, ["blob"]);
  }

  /** Rows came or went. */
  note(): void {
    this.#nextDue = undefined;
  }

  hasDue(until: bigint): boolean {
    if (this.#nextDue === undefined) {
      const due = this.#next.all()[0]?.[0];
      this.#nextDue = typeof due === "bigint" ? due : null;
    }
    return this.#nextDue !== null && this.#nextDue <= until;
  }

  /** How far the next part of what is due goes; null: nothing is. */
  partOf(until: bigint, { rowsMax, bytesMax }: PartLimits): ColdPart | null {
    const bound = this.#bound.all(until, BigInt(rowsMax), BigInt(bytesMax))[0];
    const [due, created] = bound ?? [];
    if (typeof due !== "bigint" || typeof created !== "bigint") return null;
    return { due, created, isLast: this.#rest.all(until, due, created).length === 0 };
  }

  /** Takes the sessions up to the end of a part, and no others. */
  take({ due, created }: ColdPart): KernelTable {
    return this.#took(this.#exact, [due, created]);
  }

  /** Takes all sessions of the keys for which something is due. */
  takeKeys(due: bigint): KernelTable {
    return this.#took(this.#wholeKeys, [due]);
  }

  #took(
    { find, drop }: { readonly find: SqliteStatement; readonly drop: SqliteStatement },
    values: readonly bigint[],
  ): KernelTable {
    this.#images.clear();
    const outcome = this.#images.collect(find.bind(...values));
    find.reset();
    if (outcome.kind === "failed") throw outcome.error;
    drop.change(...values);
    this.note();
    return this.#images.table;
  }

  free(): void {
    const statements = [this.#next, this.#bound, this.#rest];
    for (const { find, drop } of [this.#exact, this.#wholeKeys]) statements.push(find, drop);
    for (const statement of statements) statement.finalize();
    this.#images.free();
  }
}

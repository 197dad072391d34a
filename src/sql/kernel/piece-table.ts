/**
 * Pieces of panes in two tables of the task's database (`window-pieces.ts`), whose pages go to
 * scratch disk and to checkpoints as those of any other. Rows are only added, and dropped with their
 * pane, so that a checkpoint's delta has what left since the last one, and nothing again.
 *
 * `heads` has a row for each time that a pane left: its generation, how many entries it had and how
 * many bytes they took, and the seed by which they were cut into parts, which stays the same as long
 * as there are pieces.
 */
import type { SqliteDatabase } from "../sqlite/database.ts";
import { quoteName } from "../sqlite/quote.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";

export interface PieceTablePlace {
  readonly database: SqliteDatabase;
  readonly name: string;
}

export interface PieceHead {
  readonly start: number;
  readonly generation: number;
  readonly entries: number;
  readonly bytes: number;
}

export interface Piece extends Pick<PieceHead, "start" | "generation"> {
  readonly part: number;
  readonly image: Uint8Array;
}

export class PieceTable {
  readonly seed: bigint;
  readonly #addHead: SqliteStatement;
  readonly #add: SqliteStatement;
  readonly #heads: SqliteStatement;
  readonly #parts: SqliteStatement;
  readonly #find: SqliteStatement;
  readonly #drop: readonly SqliteStatement[];

  /** `seed`: for pieces when there are none yet. */
  constructor({ database, name }: PieceTablePlace, seed: bigint) {
    const heads = quoteName(`${name}_heads`);
    const pieces = quoteName(name);
    database.run(
      `CREATE TABLE IF NOT EXISTS ${heads} (pane INTEGER, generation INTEGER, entries INTEGER, ` +
        "bytes INTEGER, seed INTEGER, PRIMARY KEY (pane, generation)) WITHOUT ROWID",
    );
    database.run(
      `CREATE TABLE IF NOT EXISTS ${pieces} (pane INTEGER, part INTEGER, generation INTEGER, ` +
        "image BLOB NOT NULL)",
    );
    const index = quoteName(`${name}_by`);
    database.run(`CREATE INDEX IF NOT EXISTS ${index} ON ${pieces} (part, pane, generation)`);
    const known = database.query(`SELECT seed FROM ${heads} LIMIT 1`)[0]?.[0];
    this.seed = typeof known === "bigint" ? known : seed;
    this.#addHead = database.prepare(
      `INSERT INTO ${heads} (pane, generation, entries, bytes, seed) VALUES (?1, ?2, ?3, ?4, ?5)`,
    );
    this.#add = database.prepare(
      `INSERT INTO ${pieces} (pane, part, generation, image) VALUES (?1, ?2, ?3, ?4)`,
    );
    this.#heads = database.prepare(
      `SELECT pane, generation, entries, bytes FROM ${heads} ORDER BY pane, generation`,
    );
    this.#parts = database.prepare(
      `SELECT DISTINCT part FROM ${pieces} WHERE pane >= ?1 AND pane < ?2`,
    );
    this.#find = database.prepare(
      `SELECT pane, generation, image FROM ${pieces} WHERE part = ?1 AND pane >= ?2 ` +
        "AND pane < ?3 ORDER BY pane, generation, rowid",
    );
    this.#drop = [heads, pieces].map((table) =>
      database.prepare(`DELETE FROM ${table} WHERE pane < ?1`),
    );
  }

  static isThere({ database, name }: PieceTablePlace): boolean {
    return database.query("SELECT 1 FROM sqlite_master WHERE name = ?1", name).length > 0;
  }

  addHead({ start, generation, entries, bytes }: PieceHead): void {
    const counts = [BigInt(entries), BigInt(bytes)] as const;
    this.#addHead.all(BigInt(start), BigInt(generation), ...counts, this.seed);
  }

  add({ start, generation, part, image }: Piece): void {
    this.#add.all(BigInt(start), BigInt(part), BigInt(generation), image);
  }

  /** By pane, and within it by when they left. */
  heads(): PieceHead[] {
    return this.#heads.all().map(([start, generation, entries, bytes]) => ({
      ...{ start: Number(start), generation: Number(generation) },
      ...{ entries: Number(entries), bytes: Number(bytes) },
    }));
  }

  /** Parts of which these panes have pieces. */
  parts({ startMs, endMs }: { readonly startMs: number; readonly endMs: number }): number[] {
    return this.#parts.all(BigInt(startMs), BigInt(endMs)).map(([part]) => Number(part));
  }

  /** Pieces of a part of these panes, in the order in which they left; one at a time. */
  *pieces(
    part: number,
    { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
  ): Generator<Piece> {
    const find = this.#find.bind(BigInt(part), BigInt(startMs), BigInt(endMs));
    try {
      while (find.step()) {
        const [start, generation, image] = find.row();
        if (!(image instanceof Uint8Array)) continue;
        yield { start: Number(start), generation: Number(generation), part, image };
      }
    } finally {
      find.reset();
    }
  }

  dropBefore(startMs: number): void {
    for (const statement of this.#drop) statement.all(BigInt(startMs));
  }

  free(): void {
    const finds = [this.#heads, this.#parts, this.#find];
    for (const each of [this.#addHead, this.#add, ...finds, ...this.#drop]) each.finalize();
  }
}

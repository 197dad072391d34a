/**
 * Pieces of panes in tables of the task's database (`window-pieces.ts`), whose pages go to scratch
 * disk and to checkpoints as those of any other. Rows are only added, and dropped with their pane,
 * so that a checkpoint's delta has what left since the last one, and nothing again.
 *
 * `heads` has a row for each time that a pane left: its generation, how many entries it had and
 * how many bytes they took, and the seed by which they were cut into parts, which stays the same
 * as long as there are pieces.
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

/** Panes that start from `startMs` to before `endMs`. */
interface Bounds {
  readonly startMs: number;
  readonly endMs: number;
}

/** Images by pane, part and generation. */
class ImageTable {
  readonly #add: SqliteStatement;
  readonly #parts: SqliteStatement;
  readonly #bytes: SqliteStatement;
  readonly #find: SqliteStatement;
  readonly #drop: SqliteStatement;

  constructor(database: SqliteDatabase, name: string) {
    const rows = quoteName(name);
    database.run(
      `CREATE TABLE IF NOT EXISTS ${rows} (pane INTEGER, part INTEGER, generation INTEGER, ` +
        "image BLOB NOT NULL)",
    );
    const index = quoteName(`${name}_by`);
    database.run(`CREATE INDEX IF NOT EXISTS ${index} ON ${rows} (part, pane, generation)`);
    const panes = quoteName(`${name}_of`);
    database.run(`CREATE INDEX IF NOT EXISTS ${panes} ON ${rows} (pane, part)`);
    this.#add = database.prepare(
      `INSERT INTO ${rows} (pane, part, generation, image) VALUES (?1, ?2, ?3, ?4)`,
    );
    this.#parts = database.prepare(
      `SELECT DISTINCT part FROM ${rows} WHERE pane >= ?1 AND pane < ?2`,
    );
    const where = "WHERE part = ?1 AND pane >= ?2 AND pane < ?3";
    this.#bytes = database.prepare(`SELECT coalesce(sum(length(image)), 0) FROM ${rows} ${where}`);
    this.#find = database.prepare(
      `SELECT pane, generation, image FROM ${rows} ${where} ORDER BY pane, generation, rowid`,
    );
    this.#drop = database.prepare(`DELETE FROM ${rows} WHERE pane < ?1`);
  }

  add({ start, generation, part, image }: Piece): void {
    this.#add.all(BigInt(start), BigInt(part), BigInt(generation), image);
  }

  /** Parts of which these panes have images. */
  parts({ startMs, endMs }: Bounds): number[] {
    return this.#parts.all(BigInt(startMs), BigInt(endMs)).map(([part]) => Number(part));
  }

  bytesOf(part: number, { startMs, endMs }: Bounds): number {
    return Number(this.#bytes.all(BigInt(part), BigInt(startMs), BigInt(endMs))[0]?.[0]);
  }

  /** Images of a part of these panes, in the order in which they left; one at a time. */
  *ofPart(part: number, { startMs, endMs }: Bounds): Generator<Piece> {
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
    this.#drop.change(BigInt(startMs));
  }

  free(): void {
    for (const each of [this.#add, this.#parts, this.#bytes, this.#find, this.#drop]) {
      each.finalize();
    }
  }
}

export class PieceTable {
  readonly seed: bigint;
  /** Groups. */
  readonly pieces: ImageTable;
  /** Values that they have counted. */
  readonly members: ImageTable;
  readonly #addHead: SqliteStatement;
  readonly #heads: SqliteStatement;
  readonly #drop: SqliteStatement;

  /** `seed`: for pieces when there are none yet. */
  constructor({ database, name }: PieceTablePlace, seed: bigint) {
    const heads = quoteName(`${name}_heads`);
    database.run(
      `CREATE TABLE IF NOT EXISTS ${heads} (pane INTEGER, generation INTEGER, entries INTEGER, ` +
        "bytes INTEGER, seed INTEGER, PRIMARY KEY (pane, generation)) WITHOUT ROWID",
    );
    this.pieces = new ImageTable(database, name);
    this.members = new ImageTable(database, `${name}_members`);
    const known = database.query(`SELECT seed FROM ${heads} LIMIT 1`)[0]?.[0];
    this.seed = typeof known === "bigint" ? known : seed;
    this.#addHead = database.prepare(
      `INSERT INTO ${heads} (pane, generation, entries, bytes, seed) VALUES (?1, ?2, ?3, ?4, ?5)`,
    );
    this.#heads = database.prepare(
      `SELECT pane, generation, entries, bytes FROM ${heads} ORDER BY pane, generation`,
    );
    this.#drop = database.prepare(`DELETE FROM ${heads} WHERE pane < ?1`);
  }

  static isThere({ database, name }: PieceTablePlace): boolean {
    return database.query("SELECT 1 FROM sqlite_master WHERE name = ?1", name).length > 0;
  }

  addHead({ start, generation, entries, bytes }: PieceHead): void {
    const counts = [BigInt(entries), BigInt(bytes)] as const;
    this.#addHead.all(BigInt(start), BigInt(generation), ...counts, this.seed);
  }

  /** By pane, and within it by when they left. */
  heads(): PieceHead[] {
    return this.#heads.all().map(([start, generation, entries, bytes]) => ({
      ...{ start: Number(start), generation: Number(generation) },
      ...{ entries: Number(entries), bytes: Number(bytes) },
    }));
  }

  dropBefore(startMs: number): void {
    this.#drop.change(BigInt(startMs));
    this.pieces.dropBefore(startMs);
    this.members.dropBefore(startMs);
  }

  free(): void {
    for (const each of [this.#addHead, this.#heads, this.#drop]) each.finalize();
    this.pieces.free();
    this.members.free();
  }
}

/**
 * Scratch disk of a query's state as rows of a table, many pages in each: a Durable Object's rows
 * are billed by their number, whatever they hold, and reading one costs next to nothing.
 *
 * Pages are written one behind the other into the row that is being filled, whatever their numbers,
 * so that any pages that leave memory fill rows. A page that is written again leaves its old place
 * empty. A row without a page that counts is written anew; where more than half of all places are
 * empty, pages of the emptiest row move into the one that is being filled, which frees it.
 */
import { assert, present } from "../../base/assert.ts";
import { freeBytes } from "../../base/free-bytes.ts";
import type { ScratchDisk } from "../../sql/sqlite/scratch-disk.ts";

/**
 * 32 pages of state. A page is read without the rest of its row, but SQLite walks through what lies
 * before it.
 */
export const scratchRowBytes = 128 * 1024;

/** Rows of `scratchRowBytes`, by numbers that they give. */
export interface RowStore {
  /** A number that is nobody's. @throws StreamError `sql_memory_exceeded`: there are no more. */
  take(): number;
  giveBack(rows: readonly number[]): void;
  write(row: number, bytes: Uint8Array): void;
  /** Fills `target` with a part of what was last written there. */
  read(row: number, position: number, target: Uint8Array): void;
}

/** A row of this disk, for as long as it has it. */
interface Row {
  readonly number: number;
  /** Page of each place, also where it is newer elsewhere. */
  readonly pages: number[];
  /** Places whose page is nowhere newer. */
  liveCount: number;
}

interface Place {
  readonly row: Row;
  readonly index: number;
}

/** Below this there is nothing worth moving. */
const movedRowsMin = 4;

export class ScratchRows implements ScratchDisk {
  readonly #store: RowStore;
  readonly #places = new Map<number, Place>();
  readonly #rows = new Set<Row>();
  /** The row that is being filled, and its bytes. */
  #filling: Row | null = null;
  #bytes = new Uint8Array(0);

  constructor(store: RowStore) {
    this.#store = store;
  }

  read(pageNumber: number, page: Uint8Array): void {
    const { row, index } = present(this.#places.get(pageNumber), "a page that was written");
    const position = index * page.length;
    if (row === this.#filling) page.set(this.#bytes.subarray(position, position + page.length));
    else this.#store.read(row.number, position, page);
  }

  write(pageNumber: number, page: Uint8Array): void {
    const place = this.#places.get(pageNumber);
    if (place !== undefined && place.row === this.#filling) {
      this.#bytes.set(page, place.index * page.length);
      return;
    }
    if (this.#filling === null && this.#isHalfEmpty(page.length)) this.#moveEmptiest(page.length);
    this.#append(pageNumber, page);
  }

  close(): void {
    this.#store.giveBack([...this.#rows].map(({ number }) => number));
    this.#rows.clear();
    this.#places.clear();
    this.#filling = null;
    this.#bytes = new Uint8Array(0);
  }

  #append(pageNumber: number, page: Uint8Array): void {
    const row = this.#filling ?? this.#begin();
    const index = row.pages.length;
    assert((index + 1) * page.length <= scratchRowBytes, "pages are of one size, and fill a row");
    this.#bytes.set(page, index * page.length);
    row.pages.push(pageNumber);
    row.liveCount++;
    const before = this.#places.get(pageNumber);
    this.#places.set(pageNumber, { row, index });
    if ((index + 2) * page.length > scratchRowBytes) {
      this.#store.write(row.number, this.#bytes);
      this.#filling = null;
    }
    if (before !== undefined) this.#leave(before.row);
  }

  #begin(): Row {
    const row: Row = { number: this.#store.take(), pages: [], liveCount: 0 };
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(scratchRowBytes);
    this.#rows.add(row);
    this.#filling = row;
    return row;
  }

  #leave(row: Row): void {
    row.liveCount--;
    if (row.liveCount > 0 || row === this.#filling) return;
    this.#rows.delete(row);
    this.#store.giveBack([row.number]);
  }

  #isHalfEmpty(pageBytes: number): boolean {
    if (this.#rows.size < movedRowsMin) return false;
    const places = this.#rows.size * Math.floor(scratchRowBytes / pageBytes);
    return this.#places.size * 2 < places;
  }

  /** It is less than half full, so the row that is begun has room for more than its pages. */
  #moveEmptiest(pageBytes: number): void {
    let emptiest: Row | undefined;
    for (const row of this.#rows) {
      if (row.liveCount < (emptiest?.liveCount ?? Number.POSITIVE_INFINITY)) emptiest = row;
    }
    const row = present(emptiest, "a row of a disk that has some");
    const bytes = new Uint8Array(scratchRowBytes);
    this.#store.read(row.number, 0, bytes);
    for (const [index, pageNumber] of row.pages.entries()) {
      const place = this.#places.get(pageNumber);
      if (place?.row !== row || place.index !== index) continue;
      this.#append(pageNumber, bytes.subarray(index * pageBytes, (index + 1) * pageBytes));
    }
    freeBytes(bytes);
  }
}

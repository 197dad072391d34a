/**
 * Scratch disk of a query's state as one file, pages side by side by their number. The file has no
 * name from the start on, so that nothing is left behind whatever ends the process.
 */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { StreamError } from "../../base/stream-error.ts";
import type { ScratchDisk } from "../../sql/sqlite/scratch-disk.ts";

export class ScratchFile implements ScratchDisk {
  readonly #path: string;
  #file: number | null = null;

  /** `path`: not yet there, in a folder with room. The file is made when the first page comes. */
  constructor(path: string) {
    this.#path = path;
  }

  read(pageNumber: number, page: Uint8Array): void {
    let done = 0;
    while (done < page.length) {
      const position = pageNumber * page.length + done;
      const count = readSync(this.#open(), page, done, page.length - done, position);
      if (count === 0) throw this.#torn(pageNumber);
      done += count;
    }
  }

  write(pageNumber: number, page: Uint8Array): void {
    let done = 0;
    while (done < page.length) {
      const position = pageNumber * page.length + done;
      done += writeSync(this.#open(), page, done, page.length - done, position);
    }
  }

  #open(): number {
    if (this.#file === null) {
      this.#file = openSync(this.#path, "wx+", 0o600);
      unlinkSync(this.#path);
    }
    return this.#file;
  }

  #torn(pageNumber: number): StreamError {
    const message = `Cannot read page ${pageNumber} of ${this.#path}: it ends before`;
    return new StreamError("corrupt_state", message);
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}

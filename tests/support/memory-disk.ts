import { assert } from "../../src/base/assert.ts";
import type { ScratchDisk } from "../../src/sql/sqlite/scratch-disk.ts";

/** Scratch disk in memory; `pages` shows what lies there. */
export class MemoryDisk implements ScratchDisk {
  readonly pages = new Map<number, Uint8Array>();
  reads = 0;
  writes = 0;

  read(pageNumber: number, page: Uint8Array): void {
    const bytes = this.pages.get(pageNumber);
    assert(bytes !== undefined && bytes.length === page.length, "the page was written");
    page.set(bytes);
    this.reads++;
  }

  write(pageNumber: number, page: Uint8Array): void {
    this.pages.set(pageNumber, page.slice());
    this.writes++;
  }

  close(): void {
    this.pages.clear();
  }
}

/**
 * Where pages of a query's state go that do not fit its memory: a file, or the storage of a Durable
 * Object. What it holds need not outlive the task, which restores from its checkpoint.
 *
 * Synchronous, since SQLite asks for a page in the middle of a statement. `page` is a view of
 * shared memory: it is filled, or written away, before the call returns, and never kept.
 */
export interface ScratchDisk {
  /** Fills `page` with what was last written under that number. */
  read(pageNumber: number, page: Uint8Array): void;
  /** Pages of a disk are all of one size. @throws StreamError where it knows what to do. */
  write(pageNumber: number, page: Uint8Array): void;
  /** Nobody reads or writes it any more. */
  close(): void;
}

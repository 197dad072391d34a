/** The part of IndexedDB that the queue uses: only the types of pages know of it. */

export interface IdbRequest<T> {
  readonly result: T;
  readonly error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}

export interface IdbFactory {
  open(
    name: string,
    version: number,
  ): IdbRequest<IdbDatabase> & { onupgradeneeded: (() => void) | null };
}

export interface IdbDatabase {
  createObjectStore(name: string): unknown;
  transaction(
    tables: string | readonly string[],
    mode?: "readonly" | "readwrite",
  ): {
    readonly error: unknown;
    oncomplete: (() => void) | null;
    onabort: (() => void) | null;
    objectStore(name: string): IdbTable;
  };
}

export interface IdbTable {
  put(value: unknown, key: unknown): unknown;
  delete(keys: unknown): unknown;
  getAll(keys?: unknown): IdbRequest<unknown[]>;
  getAllKeys(keys?: unknown): IdbRequest<unknown[]>;
}

/** All keys from `lower` to `upper`, both included. */
export function keyRange(lower: unknown, upper: unknown): unknown {
  const { IDBKeyRange } = globalThis as unknown as {
    readonly IDBKeyRange: { bound(lower: unknown, upper: unknown): unknown };
  };
  return IDBKeyRange.bound(lower, upper);
}

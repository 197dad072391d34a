/**
 * Where a task begins: the pages of its tables, and of a state that is restored what its operators
 * will ask for. States are added one after the other, since together they may be more than memory
 * takes: pages lie in the file, or beyond, by then.
 */
import { StreamError } from "../../base/stream-error.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import type { ScratchDisk } from "../sqlite/scratch-disk.ts";
import { StateFile } from "../sqlite/vfs.ts";
import { decodeStateBlob } from "./state-blob.ts";

export interface SavedState {
  readonly kind: "full" | "delta";
  readonly bytes: Uint8Array;
}

export interface SavedParts {
  readonly kind: SavedState["kind"];
  readonly parts: ReadonlyMap<string, Uint8Array>;
}

/** Name of the pages' part of a state. */
export const pagesPart = "pages";

/** Pages of SQLite's tables may take this part of the memory; kernels and rows have the rest. */
const pagesShare = 4;

export class TaskPages {
  readonly file: StateFile;
  readonly saved: SavedParts[] = [];

  /**
   * `scratch`: where pages go beyond `cachedBytesMax`, by default a quarter of the memory; without
   * it all stay, within the memory's bound.
   */
  constructor(host: SqliteHost, scratch?: ScratchDisk, cachedBytes?: number) {
    const cachedBytesMax = cachedBytes ?? Math.floor(host.memory.bytesMax / pagesShare);
    this.file = new StateFile(host, {
      name: "state",
      ...(scratch !== undefined && { scratch, cachedBytesMax }),
    });
  }

  /**
   * Adds a state, of which nothing is kept; a full one first, then deltas, oldest first.
   * @throws StreamError `corrupt_state`, `sql_memory_exceeded`
   */
  add({ kind, bytes }: SavedState): void {
    const parts = decodeStateBlob(bytes);
    this.file.restore(partOf(parts, pagesPart));
    parts.delete(pagesPart);
    // Views of their own: a state is mostly pages.
    this.saved.push({
      kind,
      parts: new Map([...parts].map(([name, part]) => [name, part.slice()])),
    });
  }
}

/** @throws StreamError `corrupt_state` */
export function partOf(parts: SavedParts["parts"], name: string): Uint8Array {
  const bytes = parts.get(name);
  if (bytes !== undefined) return bytes;
  throw new StreamError("corrupt_state", `Cannot restore a query: no part "${name}" is there`);
}

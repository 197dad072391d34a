/**
 * Open files of a folder store, kept for reading. Bounded in number, the least recently used closed
 * first; a handle in use is closed when its last reader leaves.
 */
import type { FileSystem, OpenFile } from "../base/file-system.ts";

interface Handle {
  readonly file: Promise<OpenFile>;
  users: number;
  dropped: boolean;
}

export class HandleCache {
  readonly #fileSystem: FileSystem;
  readonly #handlesMax: number;
  /** By path, least recently used first. */
  readonly #handles = new Map<string, Handle>();

  constructor(fileSystem: FileSystem, options: { handlesMax: number }) {
    this.#fileSystem = fileSystem;
    this.#handlesMax = options.handlesMax;
  }

  /** Runs `use` with the open file. Errors: `object_missing`, and whatever `use` throws. */
  async with<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
    const handle = this.#acquire(path);
    try {
      return await use(await handle.file);
    } finally {
      handle.users -= 1;
      if (handle.dropped && handle.users === 0) await closeQuietly(handle);
    }
  }

  /** Forgets a path, e.g. before the file is removed. */
  async drop(path: string): Promise<void> {
    const handle = this.#handles.get(path);
    if (handle === undefined) return;
    this.#handles.delete(path);
    handle.dropped = true;
    if (handle.users === 0) await closeQuietly(handle);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#handles.keys()].map((path) => this.drop(path)));
  }

  #acquire(path: string): Handle {
    let handle = this.#handles.get(path);
    if (handle === undefined) {
      handle = { file: this.#fileSystem.open(path), users: 0, dropped: false };
      handle.file.catch(() => this.#forget(path));
    }
    this.#handles.delete(path);
    this.#handles.set(path, handle);
    handle.users += 1;
    this.#evict();
    return handle;
  }

  /** A path that could not be opened must be tried afresh the next time. */
  #forget(path: string): void {
    this.#handles.delete(path);
  }

  #evict(): void {
    for (const [path, handle] of this.#handles) {
      if (this.#handles.size <= this.#handlesMax) return;
      if (handle.users === 0) void this.drop(path);
    }
  }
}

/** A reader has its bytes already; a failing close of a read handle harms nobody. */
async function closeQuietly(handle: Handle): Promise<void> {
  try {
    await (await handle.file).close();
  } catch {
    // The file never opened, or is gone: nothing is held.
  }
}

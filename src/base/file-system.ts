/**
 * The file system as the folder store needs it. `runtime/` implements it over node:fs for Bun and
 * Deno; the simulator implements it with writes that a power loss may drop until `sync`.
 */
export interface FileSystem {
  /** Creates `path` exclusively (an existing file is `object_exists`) and its missing folders. */
  create(path: string): Promise<OpenFile>;
  /** Opens an existing file for reading and truncating; a missing one is `object_missing`. */
  open(path: string): Promise<OpenFile>;
  /** Names of the files below `directory`, recursively, relative to it, with sizes. Any order. */
  list(directory: string): Promise<readonly { path: string; sizeBytes: number }[]>;
  /** Removes a file; a missing one is no error. */
  remove(path: string): Promise<void>;
}

export interface OpenFile {
  /**
   * Writes all of `bytes` at `position`. Where the file was made by `create` and the system takes
   * it, writes bypass the page cache: then position, length and address are multiples of 4096.
   * The implementation falls back by itself when one of them is not.
   */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Reads into `target` from `position`; returns the bytes read, fewer only at the end. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Resolves when all earlier writes and the file's directory entry survive power loss. */
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

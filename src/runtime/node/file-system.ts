/**
 * The file system port over node:fs, for Bun and Deno. A created file is written through a second
 * descriptor that bypasses the page cache (O_DIRECT, with O_DSYNC when writes must be durable) as
 * long as position, length and address are multiples of 4096; what is not, and file systems that
 * refuse the flag, go through the first, plain one.
 *
 * Two cores, ext4, three writes of 1 MiB in flight: 1 480 MB/s this way and durable, 420 through
 * the page cache with fdatasync; 890 through the page cache without. But an undurable write of 4
 * KiB takes 20 µs through the page cache and 600 past it, so `fast` decides by length.
 *
 * Long reads of an opened file bypass the page cache under the same conditions, as long as the disk
 * is quick; see `direct-reads.ts`.
 */
import { constants, writeSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { FileSystem, OpenFile } from "../../base/file-system.ts";
import { StreamError } from "../../base/stream-error.ts";
import { DirectReads, directReadBytesMin } from "./direct-reads.ts";

export interface NodeFileSystemOptions {
  /**
   * How created files are written. `durable`: past the page cache, each write durable when it
   * resolves, so that `sync` has nothing left to do. `fast`: large writes past the page cache,
   * small ones into it, nothing durable before `sync`. `buffered`: all into the page cache, and
   * all reads through it.
   */
  readonly writes: "durable" | "fast" | "buffered";
  /** See `busyNow` of DirectReads. */
  readonly waitedMs?: () => number;
}

const directAlignment = 4096;
/** Below this length `fast` prefers the page cache. */
const fastDirectBytesMin = 262_144;
/**
 * Up to here `fast` copies into the page cache on the event loop, which takes less time than to
 * hand a write to another thread and hear of it: 16 KB batches gained a fifth to a quarter.
 */
const fastInlineBytesMax = 131_072;
/** Refusals in a row after which a file gives up writing past the page cache. */
const directRefusalsMax = 3;

/** The descriptor past the page cache, with what it is good for. */
interface DirectHandle {
  readonly handle: FileHandle;
  readonly durable: boolean;
  readonly bytesMin: number;
}

export function nodeFileSystem(options: NodeFileSystemOptions): FileSystem {
  const { writes, waitedMs } = options;
  const now = () => performance.now();
  const directReads = writes === "buffered" ? undefined : new DirectReads(now, waitedMs);
  return {
    async create(path) {
      const firstFolder = await mkdir(dirname(path), { recursive: true });
      const plain = await openPlain(path, "wx+", "object_exists");
      const direct = await openDirect(path, writes);
      const inlineBytesMax = writes === "fast" ? fastInlineBytesMax : 0;
      const unsyncedFolders = foldersToSync(path, firstFolder);
      return new NodeFile({ plain, direct, inlineBytesMax, unsyncedFolders });
    },
    async open(path) {
      const plain = await openPlain(path, "r+", "object_missing");
      const reads = directReads === undefined ? undefined : { path, directReads };
      return new NodeFile({ plain, reads, inlineBytesMax: 0, unsyncedFolders: [] });
    },
    async list(directory) {
      const files: { path: string; sizeBytes: number }[] = [];
      await listInto(files, directory, "");
      return files;
    },
    async remove(path) {
      await rm(path, { force: true });
    },
  };
}

interface NodeFileParts {
  readonly plain: FileHandle;
  /** For writes. */
  readonly direct?: DirectHandle | undefined;
  /** Where and whether long reads may go past the page cache; absent: they do not. */
  readonly reads?: { readonly path: string; readonly directReads: DirectReads } | undefined;
  /** Plain writes up to here are done on the event loop. */
  readonly inlineBytesMax: number;
  /** Folders that got a new entry with the file, which a sync must cover too. */
  readonly unsyncedFolders: readonly string[];
}

class NodeFile implements OpenFile {
  readonly #plain: FileHandle;
  readonly #direct: DirectHandle | undefined;
  readonly #reads: NodeFileParts["reads"];
  /** Opened with the first long read; undefined inside: refused. */
  #readsDirect: Promise<FileHandle | undefined> | undefined;
  readonly #inlineBytesMax: number;
  #directRefusals = 0;
  /** Whether there may be writes that power loss would undo. */
  #unsynced = false;
  #unsyncedFolders: readonly string[];

  constructor({ plain, direct, reads, inlineBytesMax, unsyncedFolders }: NodeFileParts) {
    this.#plain = plain;
    this.#direct = direct;
    this.#reads = reads;
    this.#inlineBytesMax = inlineBytesMax;
    this.#unsyncedFolders = unsyncedFolders;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const part = written === 0 ? bytes : bytes.subarray(written);
      const direct = await this.#writeDirect(part, position + written);
      written += direct > 0 ? direct : await this.#writePlain(part, position + written);
    }
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    // What is missing then is the end of the file, or was refused.
    let readBytes = await this.#readDirect(target, position);
    while (readBytes < target.length) {
      const left = target.length - readBytes;
      const { bytesRead } = await this.#plain.read(target, readBytes, left, position + readBytes);
      if (bytesRead === 0) break;
      readBytes += bytesRead;
    }
    return readBytes;
  }

  async sync(): Promise<void> {
    // The mark is lifted first: a write that ends meanwhile sets it again, and its own sync
    // follows.
    if (this.#unsynced) {
      this.#unsynced = false;
      try {
        await this.#plain.datasync();
      } catch (error) {
        this.#unsynced = true;
        throw error;
      }
    }
    if (this.#unsyncedFolders.length > 0) {
      const folders = this.#unsyncedFolders;
      for (const folder of folders) await syncFolder(folder);
      this.#unsyncedFolders = [];
    }
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#plain.truncate(sizeBytes);
    this.#unsynced = true;
  }

  async size(): Promise<number> {
    return (await this.#plain.stat()).size;
  }

  async close(): Promise<void> {
    try {
      await this.#direct?.handle.close();
      await (await this.#readsDirect)?.close();
    } finally {
      await this.#plain.close();
    }
  }

  /** Reads past the page cache; 0 when that is not possible or not wanted here. */
  async #readDirect(target: Uint8Array, position: number): Promise<number> {
    const { length, byteOffset, buffer } = target;
    if (this.#reads === undefined || length < directReadBytesMin) return 0;
    // Memory of its own begins anywhere on some runtimes; that of kernels and caches at a page.
    if (buffer.byteLength === length) return 0;
    if ((length | byteOffset | (position % directAlignment)) % directAlignment !== 0) return 0;
    const { path, directReads } = this.#reads;
    if (!directReads.areWanted) return 0;
    this.#readsDirect ??= openDirectly(path, constants.O_RDONLY);
    const handle = await this.#readsDirect;
    if (handle === undefined) return 0;
    return (await directReads.read(() => handle.read(target, 0, length, position))) ?? 0;
  }

  /** Writes past the page cache; 0 when that is not possible here. */
  async #writeDirect(bytes: Uint8Array, position: number): Promise<number> {
    const direct = this.#direct;
    if (direct === undefined || this.#directRefusals >= directRefusalsMax) return 0;
    if (bytes.length < direct.bytesMin) return 0;
    const misaligned = bytes.length | bytes.byteOffset | (position % directAlignment);
    if (misaligned % directAlignment !== 0) return 0;
    try {
      const { bytesWritten } = await direct.handle.write(bytes, 0, bytes.length, position);
      this.#directRefusals = 0;
      if (!direct.durable) this.#unsynced = true;
      return bytesWritten;
    } catch (error) {
      // The address of a buffer is not to be seen from here, only that the kernel refuses it.
      if (codeOf(error) !== "EINVAL") throw error;
      this.#directRefusals += 1;
      return 0;
    }
  }

  async #writePlain(bytes: Uint8Array, position: number): Promise<number> {
    if (bytes.length <= this.#inlineBytesMax) {
      this.#unsynced = true;
      return writeSync(this.#plain.fd, bytes, 0, bytes.length, position);
    }
    const { bytesWritten } = await this.#plain.write(bytes, 0, bytes.length, position);
    this.#unsynced = true;
    return bytesWritten;
  }
}

async function openPlain(
  path: string,
  flags: "wx+" | "r+",
  refusal: "object_exists" | "object_missing",
): Promise<FileHandle> {
  try {
    return await open(path, flags);
  } catch (error) {
    const code = codeOf(error);
    if (code === "EEXIST" && refusal === "object_exists") {
      throw new StreamError(refusal, `Cannot create ${path}: it exists`, { cause: error });
    }
    if ((code === "ENOENT" || code === "ENOTDIR") && refusal === "object_missing") {
      throw new StreamError(refusal, `Cannot open ${path}: there is no such file`, {
        cause: error,
      });
    }
    throw error;
  }
}

/** The descriptor that writes past the page cache. */
async function openDirect(
  path: string,
  writes: NodeFileSystemOptions["writes"],
): Promise<DirectHandle | undefined> {
  if (writes === "buffered") return undefined;
  const durable = writes === "durable";
  const { O_DSYNC = 0 } = constants as Partial<typeof constants>;
  const handle = await openDirectly(path, constants.O_WRONLY | (durable ? O_DSYNC : 0));
  return handle && { handle, durable, bytesMin: durable ? 0 : fastDirectBytesMin };
}

/**
 * A second descriptor on a file that exists, so that a refused flag leaves nothing behind;
 * undefined where there is no such thing.
 */
async function openDirectly(path: string, flags: number): Promise<FileHandle | undefined> {
  const { O_DIRECT } = constants as Partial<typeof constants>;
  if (process.platform !== "linux" || O_DIRECT === undefined) return undefined;
  try {
    return await open(path, flags | O_DIRECT);
  } catch (error) {
    if (codeOf(error) === "EINVAL" || codeOf(error) === "EOPNOTSUPP") return undefined;
    throw error;
  }
}

/** The folders whose entries are new: that of the file, and parents of those made for it. */
function foldersToSync(path: string, firstFolder: string | undefined): string[] {
  const folders = [dirname(resolve(path))];
  if (firstFolder === undefined) return folders;
  const top = dirname(resolve(firstFolder));
  for (let folder = dirname(resolve(path)); folder !== top; ) {
    folder = dirname(folder);
    folders.push(folder);
  }
  return folders;
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function listInto(
  files: { path: string; sizeBytes: number }[],
  root: string,
  below: string,
): Promise<void> {
  for (const entry of await readFolder(join(root, below))) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) await listInto(files, root, path);
    else if (entry.isFile()) {
      const sizeBytes = await sizeOf(join(root, path));
      if (sizeBytes !== undefined) files.push({ path, sizeBytes });
    }
  }
}

async function readFolder(path: string) {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** Undefined when the file went away between listing and asking. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

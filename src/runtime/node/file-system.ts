/**
 * The file system port over node:fs, for Bun and Deno. A created file is written through a second
 * descriptor that bypasses the page cache (O_DIRECT, with O_DSYNC when writes must be durable) as
 * long as position, length and address are multiples of 4096; what is not, and file systems that
 * refuse the flag, go through the first, plain one.
 */
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { FileSystem, OpenFile } from "../../base/file-system.ts";
import { StreamError } from "../../base/stream-error.ts";

export interface NodeFileSystemOptions {
  /**
   * How created files are written. `direct`: past the page cache, each write durable when it
   * resolves, so that `sync` is free; `buffered`: into the page cache, and `sync` is an fdatasync.
   */
  readonly writes: "direct" | "buffered";
}

const directAlignment = 4096;
/** Refusals in a row after which a file gives up writing past the page cache. */
const directRefusalsMax = 3;

export function nodeFileSystem(options: NodeFileSystemOptions): FileSystem {
  return {
    async create(path) {
      const firstFolder = await mkdir(dirname(path), { recursive: true });
      const plain = await openPlain(path, "wx+", "object_exists");
      const direct = options.writes === "direct" ? await openDirect(path) : undefined;
      return new NodeFile(plain, direct, foldersToSync(path, firstFolder));
    },
    async open(path) {
      return new NodeFile(await openPlain(path, "r+", "object_missing"), undefined, []);
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

class NodeFile implements OpenFile {
  readonly #plain: FileHandle;
  #direct: FileHandle | undefined;
  #directRefusals = 0;
  #plainWritten = false;
  #unsyncedFolders: readonly string[];

  constructor(plain: FileHandle, direct: FileHandle | undefined, unsyncedFolders: string[]) {
    this.#plain = plain;
    this.#direct = direct;
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
    let readBytes = 0;
    while (readBytes < target.length) {
      const left = target.length - readBytes;
      const { bytesRead } = await this.#plain.read(target, readBytes, left, position + readBytes);
      if (bytesRead === 0) break;
      readBytes += bytesRead;
    }
    return readBytes;
  }

  async sync(): Promise<void> {
    // Direct writes are durable already. The mark is lifted first: a write that ends meanwhile
    // sets it again, and its own sync follows.
    if (this.#plainWritten) {
      this.#plainWritten = false;
      try {
        await this.#plain.datasync();
      } catch (error) {
        this.#plainWritten = true;
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
    this.#plainWritten = true;
  }

  async size(): Promise<number> {
    return (await this.#plain.stat()).size;
  }

  async close(): Promise<void> {
    await this.#direct?.close();
    await this.#plain.close();
  }

  /** Writes past the page cache; 0 when that is not possible here. */
  async #writeDirect(bytes: Uint8Array, position: number): Promise<number> {
    const direct = this.#direct;
    if (direct === undefined || this.#directRefusals >= directRefusalsMax) return 0;
    const misaligned = bytes.length | bytes.byteOffset | (position % directAlignment);
    if (misaligned % directAlignment !== 0) return 0;
    try {
      const { bytesWritten } = await direct.write(bytes, 0, bytes.length, position);
      this.#directRefusals = 0;
      return bytesWritten;
    } catch (error) {
      // The address of a buffer is not to be seen from here, only that the kernel refuses it.
      if (codeOf(error) !== "EINVAL") throw error;
      this.#directRefusals += 1;
      return 0;
    }
  }

  async #writePlain(bytes: Uint8Array, position: number): Promise<number> {
    const { bytesWritten } = await this.#plain.write(bytes, 0, bytes.length, position);
    this.#plainWritten = true;
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

/** A second descriptor on a file that exists, so that a refused flag leaves nothing behind. */
async function openDirect(path: string): Promise<FileHandle | undefined> {
  if (process.platform !== "linux") return undefined;
  const flags = constants.O_WRONLY | constants.O_DSYNC | constants.O_DIRECT;
  try {
    return await open(path, flags);
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

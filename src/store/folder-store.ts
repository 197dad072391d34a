/**
 * Objects in a folder. Segments are appended to rolling files (rolling-files.ts) because creating a
 * file per flush is what the kernel would spend its time on; every other object is a file of its
 * own. The key is the path below the folder.
 */
import { assert } from "../base/assert.ts";
import type { FileSystem, OpenFile } from "../base/file-system.ts";
import type { Logger } from "../base/log.ts";
import { isStreamError, StreamError } from "../base/stream-error.ts";
import { HandleCache } from "./handle-cache.ts";
import { checkKey } from "./object-keys.ts";
import type { ObjectLocation, ObjectStore, SegmentBytes } from "./object-store.ts";
import { RollingFiles } from "./rolling-files.ts";
import {
  missingObject,
  otherBytes,
  sameBytes,
  shortObject,
  storeClosed,
  storeUnavailable,
} from "./store-errors.ts";

/** A rolling file ends near this size unless the options say otherwise. */
const rollingFileBytes = 256 * 1024 * 1024;
/** Two system calls, side by side. */
const folderReadBytes = 2 * 1024 * 1024;
/** Files kept open for readers. */
const readHandlesMax = 128;

export interface FolderStoreOptions {
  readonly fileSystem: FileSystem;
  /** Root of the store, without a slash at its end. Made when the first object is. */
  readonly directory: string;
  /** Whether writes survive power loss before they resolve. */
  readonly fsync: "on" | "off";
  readonly fileBytesMax?: number;
  readonly log: Logger;
}

export class FolderStore implements ObjectStore {
  readonly description: string;
  readonly readBytesMax = folderReadBytes;
  readonly #options: FolderStoreOptions;
  readonly #handles: HandleCache;
  readonly #closings: Promise<void>[] = [];
  #rolling: { readonly workerEpoch: number; readonly files: RollingFiles } | undefined;
  #closed = false;

  constructor(options: FolderStoreOptions) {
    this.#options = options;
    this.description = `folder ${options.directory}`;
    this.#handles = new HandleCache(options.fileSystem, { handlesMax: readHandlesMax });
  }

  /** As the port says; the files belong to the segment's worker epoch, which never goes back. */
  writeSegment(segment: SegmentBytes): Promise<ObjectLocation> {
    if (this.#closed) return Promise.reject(storeClosed("write a segment"));
    return this.#rollingOf(segment.workerEpoch).append(segment.bytes);
  }

  /** Whether a rolling file may still grow; until it cannot, nobody may delete or trim it. */
  isOpen(key: string): boolean {
    return this.#rolling?.files.isOpen(key) ?? false;
  }

  async create(key: string, bytes: Uint8Array): Promise<void> {
    checkKey(key);
    if (this.#closed) throw storeClosed(`create ${key}`);
    const { fileSystem, fsync } = this.#options;
    const path = this.#path(key);
    try {
      const file = await fileSystem.create(path);
      try {
        await file.write(bytes, 0);
        if (fsync === "on") await file.sync();
      } catch (error) {
        await fileSystem.remove(path);
        throw error;
      } finally {
        await file.close();
      }
    } catch (error) {
      if (!isStreamError(error, "object_exists")) throw storeUnavailable(`create ${path}`, error);
      if (!(await this.#holds(key, bytes))) throw otherBytes(key, this.description);
    }
  }

  async read(location: ObjectLocation, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const target = new Uint8Array(location.length);
    await this.readInto(location, [target]);
    return target;
  }

  /** A read per target, side by side; settles when none of them is under way any more. */
  async readInto(location: ObjectLocation, targets: readonly Uint8Array[]): Promise<void> {
    checkKey(location.key);
    await this.#withFile(location.key, async (file) => {
      let position = location.position;
      const reads = targets.map(async (target) => {
        const start = position;
        position += target.length;
        const readBytes = await file.read(target, start);
        if (readBytes < target.length) throw shortObject(location, await file.size());
      });
      for (const result of await Promise.allSettled(reads)) {
        if (result.status === "rejected") throw result.reason;
      }
    });
  }

  async sizeOf(key: string): Promise<number | undefined> {
    checkKey(key);
    try {
      return await this.#withFile(key, (file) => file.size());
    } catch (error) {
      if (isStreamError(error, "object_missing")) return undefined;
      throw error;
    }
  }

  async settle(key: string): Promise<void> {
    checkKey(key);
    try {
      await this.#withFile(key, (file) => file.sync());
    } catch (error) {
      if (!isStreamError(error, "object_missing")) throw error;
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      checkKey(key);
      assert(!this.isOpen(key), `${key} is closed before it is deleted`);
    }
    for (const key of keys) {
      await this.#handles.drop(this.#path(key));
      try {
        await this.#options.fileSystem.remove(this.#path(key));
      } catch (error) {
        throw storeUnavailable(`delete ${this.#path(key)}`, error);
      }
    }
  }

  async *list(prefix: string, afterKey = ""): AsyncIterable<{ key: string; sizeBytes: number }> {
    const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    if (folder !== "") checkKey(folder.slice(0, -1));
    for (const file of await this.#options.fileSystem.list(
      `${this.#options.directory}/${folder}`,
    )) {
      const key = `${folder}${file.path}`;
      if (key.startsWith(prefix) && key > afterKey) yield { key, sizeBytes: file.sizeBytes };
    }
  }

  async trimTornTail(key: string, endPosition: number): Promise<void> {
    checkKey(key);
    if (this.isOpen(key)) {
      throw new StreamError(
        "invalid_request",
        `Cannot cut ${key} to ${endPosition} bytes: this worker still writes it`,
      );
    }
    await this.#withFile(key, async (file) => {
      if ((await file.size()) <= endPosition) return;
      await file.truncate(endPosition);
      if (this.#options.fsync === "on") await file.sync();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#rolling !== undefined) this.#closings.push(this.#rolling.files.close());
    await Promise.all(this.#closings);
    await this.#handles.close();
  }

  #path(key: string): string {
    return `${this.#options.directory}/${key}`;
  }

  #rollingOf(workerEpoch: number): RollingFiles {
    if (this.#rolling?.workerEpoch === workerEpoch) return this.#rolling.files;
    if (this.#rolling !== undefined) {
      assert(workerEpoch > this.#rolling.workerEpoch, "worker epochs only rise");
      this.#closings.push(this.#rolling.files.close());
    }
    const { fileSystem, directory, fsync, log } = this.#options;
    const fileBytesMax = this.#options.fileBytesMax ?? rollingFileBytes;
    const shared = { fileSystem, directory, fileBytesMax, log };
    const files = new RollingFiles({ ...shared, workerEpoch, fsync: fsync === "on" });
    this.#rolling = { workerEpoch, files };
    return files;
  }

  async #withFile<T>(key: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
    try {
      return await this.#handles.with(this.#path(key), use);
    } catch (error) {
      if (isStreamError(error, "object_missing")) throw missingObject(key, this.description, error);
      if (isStreamError(error)) throw error;
      throw storeUnavailable(`read ${this.#path(key)}`, error);
    }
  }

  /**
   * Whether an existing object is what somebody wanted to create: then creating it again is done.
   */
  async #holds(key: string, bytes: Uint8Array): Promise<boolean> {
    if ((await this.sizeOf(key)) !== bytes.length) return false;
    return sameBytes(await this.read({ key, position: 0, length: bytes.length }), bytes);
  }
}

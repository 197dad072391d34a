/**
 * The rolling files of one worker epoch. Flushes are appended to the current file at positions
 * reserved in call order, several writes in flight; past the limit the next file begins, made ahead
 * so that no flush waits for it. Files are created exclusively and never reopened for append.
 *
 * A write that failed leaves its position behind as a hole that nothing refers to, and retires its
 * file: whatever the disk did to it, later flushes lie elsewhere.
 */
import { present } from "../base/assert.ts";
import type { FileSystem, OpenFile } from "../base/file-system.ts";
import type { Logger } from "../base/log.ts";
import { isStreamError } from "../base/stream-error.ts";
import { GroupSync } from "./group-sync.ts";
import { rollingFileKey } from "./object-keys.ts";
import type { ObjectLocation } from "./object-store.ts";
import { storeClosed, storeUnavailable } from "./store-errors.ts";

export interface RollingFilesOptions {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly workerEpoch: number;
  /** A file past this many bytes is closed; a larger segment still gets a file of its own. */
  readonly fileBytesMax: number;
  /** Whether a segment must survive power loss before `append` resolves. */
  readonly fsync: boolean;
  readonly log: Logger;
}

interface RollingFile {
  readonly key: string;
  readonly path: string;
  readonly file: OpenFile;
  readonly groupSync: GroupSync;
  /** End of the last reserved position. */
  reservedEnd: number;
  writesInFlight: number;
  /** Some segment lies in it that its writer was told of. */
  isUsed: boolean;
  retired: boolean;
}

/** A failed write is tried once more, in a new file; a full disk fails both. */
const attemptsMax = 2;

export class RollingFiles {
  readonly #options: RollingFilesOptions;
  /** Files open for writing: the current one and retired ones with writes in flight. */
  readonly #open = new Map<string, RollingFile>();
  readonly #appends = new Set<Promise<ObjectLocation>>();
  readonly #closings = new Set<Promise<void>>();
  #current: RollingFile | undefined;
  #ahead: Promise<RollingFile> | undefined;
  #fileNumber = 0;
  /** Reservations queue here, so that positions follow the order of the calls. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: RollingFilesOptions) {
    this.#options = options;
  }

  /** Whether the file of `key` may still grow. */
  isOpen(key: string): boolean {
    return this.#open.has(key);
  }

  /**
   * Appends a segment. Errors: `store_unavailable` when it could not be written in two files,
   * `object_exists` when another process holds this epoch's files, `shutting_down` after `close`.
   */
  append(bytes: Uint8Array): Promise<ObjectLocation> {
    if (this.#closed) return Promise.reject(storeClosed("write a segment"));
    const append = this.#append(bytes).finally(() => this.#appends.delete(append));
    this.#appends.add(append);
    return append;
  }

  /** Resolves when the writes in flight are done and all files are closed. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#appends.size > 0) await Promise.allSettled(this.#appends);
    await this.#ahead?.catch(() => undefined);
    for (const file of [...this.#open.values()]) this.#retire(file);
    await Promise.all(this.#closings);
  }

  async #append(bytes: Uint8Array): Promise<ObjectLocation> {
    for (let attempt = 1; ; attempt += 1) {
      const { target, position } = await this.#reserve(bytes.length);
      try {
        await target.file.write(bytes, position);
        if (this.#options.fsync) await target.groupSync.sync();
        target.isUsed = true;
        return { key: target.key, position, length: bytes.length };
      } catch (error) {
        this.#retire(target);
        const fields = { key: target.key, position, length: bytes.length, error: String(error) };
        this.#options.log.error("A segment could not be written; its file is given up", fields);
        if (attempt === attemptsMax)
          throw storeUnavailable(`write a segment to ${target.path}`, error);
      } finally {
        target.writesInFlight -= 1;
        this.#closeWhenDone(target);
      }
    }
  }

  #reserve(length: number): Promise<{ target: RollingFile; position: number }> {
    const reservation = this.#turn.then(async () => {
      const target = await this.#fileWithRoom(length);
      const position = target.reservedEnd;
      target.reservedEnd += length;
      target.writesInFlight += 1;
      if (target.reservedEnd > this.#options.fileBytesMax / 2) this.#createAhead();
      return { target, position };
    });
    this.#turn = reservation.catch(() => undefined);
    return reservation;
  }

  async #fileWithRoom(length: number): Promise<RollingFile> {
    const current = this.#current;
    if (current !== undefined) {
      const fits = current.reservedEnd + length <= this.#options.fileBytesMax;
      if (fits || current.reservedEnd === 0) return current;
      this.#retire(current);
    }
    this.#createAhead();
    const ahead = present(this.#ahead, "file made ahead");
    this.#ahead = undefined;
    try {
      this.#current = await ahead;
    } catch (error) {
      if (isStreamError(error, "object_exists")) throw error;
      throw storeUnavailable(`create a segment file in ${this.#options.directory}`, error);
    }
    return this.#current;
  }

  /** Begins to make the next file unless that is under way. */
  #createAhead(): void {
    if (this.#ahead !== undefined) return;
    const ahead = this.#createFile();
    this.#ahead = ahead;
    // Whoever waits for it meets the error; who comes later tries afresh.
    ahead.catch(() => {
      if (this.#ahead === ahead) this.#ahead = undefined;
    });
  }

  async #createFile(): Promise<RollingFile> {
    const { fileSystem, directory, workerEpoch, fsync } = this.#options;
    const key = rollingFileKey({ workerEpoch, fileNumber: this.#fileNumber });
    this.#fileNumber += 1;
    const path = `${directory}/${key}`;
    const file = await fileSystem.create(path);
    const created = {
      key,
      path,
      file,
      groupSync: new GroupSync(file),
      reservedEnd: 0,
      writesInFlight: 0,
      isUsed: false,
      retired: false,
    };
    this.#open.set(key, created);
    try {
      if (fsync) await created.groupSync.sync();
    } catch (error) {
      this.#retire(created);
      throw error;
    }
    return created;
  }

  /** Takes a file out of use; it is closed when its writes are done. */
  #retire(file: RollingFile): void {
    file.retired = true;
    if (this.#current === file) this.#current = undefined;
    this.#closeWhenDone(file);
  }

  #closeWhenDone(file: RollingFile): void {
    if (!file.retired || file.writesInFlight > 0 || !this.#open.delete(file.key)) return;
    const closing = this.#closeFile(file).finally(() => this.#closings.delete(closing));
    this.#closings.add(closing);
  }

  /**
   * Closes a file, and removes it when no segment of it can ever be named: while a disk is full,
   * each failed flush would leave one behind.
   */
  async #closeFile(file: RollingFile): Promise<void> {
    try {
      // Once per file, also where flushes are not synced: only a worker's last file, which the
      // start after a power loss looks through, may then have lost anything.
      try {
        if (!this.#options.fsync && file.reservedEnd > 0) await file.file.sync();
      } finally {
        await file.file.close();
      }
      if (!file.isUsed) await this.#options.fileSystem.remove(file.path);
    } catch (error) {
      const fields = { key: file.key, error: String(error) };
      this.#options.log.warn("A segment file could not be closed", fields);
    }
  }
}

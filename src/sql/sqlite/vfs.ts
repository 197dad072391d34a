/**
 * A database whose pages the engine keeps: in shared memory up to a bound, the coldest on scratch
 * disk, and those written since the last checkpoint known by name. The kernel is `wasm/sql/vfs.ts`.
 *
 * A checkpoint is bytes, little-endian:
 *
 *    0  u8  version   1
 *    1  u8  kind      0 full: every page; 1 delta: those written since the checkpoint before it
 *    2  u16 0
 *    4  u32 pageBytes 4096
 *    8  u32 pageCount of the whole database; a delta may make it shorter
 *   12  u32 count     of the pages that follow
 *   16  u32[count]    their numbers from 0, ascending
 *    …  the pages
 *
 * Restoring takes the newest full one and the deltas behind it in order, before the database is
 * opened.
 */
import { assert } from "../../base/assert.ts";
import { StreamError } from "../../base/stream-error.ts";
import { SqliteDatabase } from "./database.ts";
import { sqliteCode } from "./exports.ts";
import type { SqliteHost } from "./host.ts";
import type { ScratchDisk } from "./scratch-disk.ts";

export const statePageBytes = 4096;

const checkpointVersion = 1;
const headerBytes = 16;
const kindCodes = { full: 0, delta: 1 } as const;
export type CheckpointKind = keyof typeof kindCodes;

export interface StateFileOptions {
  /** Not yet taken in this host. */
  readonly name: string;
  /** Pages beyond go to `scratch`; without it all stay, within the bound of the task. */
  readonly cachedBytesMax?: number;
  readonly scratch?: ScratchDisk;
}

interface VfsKernel {
  nextPage(record: number, start: number, isFull: number): number;
  copyPage(record: number, page: number, to: number): number;
  clearDirty(record: number): void;
  resize(record: number, pageCount: number): number;
  putPage(record: number, page: number, from: number): number;
  release(record: number): void;
}

const fileBytes = 64;
/** Places in the kernel's File. */
const field = {
  next: 0,
  name: 4,
  number: 8,
  pageCount: 12,
  frameCount: 28,
  framesMax: 36,
  dirtyCount: 48,
} as const;

const framesMin = 16;
const unboundedFrames = 2 ** 31;

export class StateFile {
  readonly name: string;
  readonly #vfs: StateVfs;
  readonly #record: number;
  #database: SqliteDatabase | null = null;

  constructor(host: SqliteHost, options: StateFileOptions) {
    const { name, scratch, cachedBytesMax = Number.POSITIVE_INFINITY } = options;
    this.name = name;
    this.#vfs = vfsOf(host);
    const frames = Math.max(framesMin, Math.floor(cachedBytesMax / statePageBytes));
    const framesMax = scratch === undefined ? unboundedFrames : Math.min(frames, unboundedFrames);
    this.#record = this.#vfs.add({ name, framesMax, scratch });
  }

  /** The database in the file; opened once, after what is to be restored was. */
  open(): SqliteDatabase {
    assert(this.#database === null, "a state file is opened once");
    const database = new SqliteDatabase(this.#vfs.host, { name: this.name, vfs: vfsName });
    database.run(`PRAGMA page_size = ${statePageBytes}`);
    database.run("PRAGMA locking_mode = EXCLUSIVE");
    database.run("PRAGMA journal_mode = MEMORY");
    database.run("PRAGMA synchronous = OFF");
    database.run("PRAGMA temp_store = MEMORY");
    // Pages lie in our memory already: SQLite needs copies only of those that it works on.
    database.run("PRAGMA cache_size = -512");
    this.#database = database;
    return database;
  }

  /** Pages of the database. */
  get pageCount(): number {
    return this.#get(field.pageCount);
  }

  /** Pages that a delta would hold now. */
  get dirtyPageCount(): number {
    return this.#get(field.dirtyCount);
  }

  /** Pages that have a place in memory. */
  get cachedPageCount(): number {
    return this.#get(field.frameCount);
  }

  /** Why the last page could not be read from or written to scratch disk. */
  get scratchFailure(): unknown {
    return this.#vfs.host.scratchFailure;
  }

  #get(at: number): number {
    return this.#vfs.host.memory.readUint32(this.#record + at);
  }

  /**
   * The checkpoint of what is committed; the next delta counts from here. Not within a transaction,
   * whose pages may be there in part.
   * @throws StreamError `sql_evaluation_failed` when scratch disk cannot be read; nothing changed.
   */
  checkpoint(kind: CheckpointKind): Uint8Array {
    const { kernel, host } = this.#vfs;
    const { memory } = host;
    const isCommitted =
      this.#database === null || host.exports.sqlite3_get_autocommit(this.#database.address) !== 0;
    assert(isCommitted, "a checkpoint is taken between transactions");
    const isFull = kind === "full" ? 1 : 0;
    const count = isFull === 1 ? this.pageCount : this.dirtyPageCount;
    const bytes = new Uint8Array(headerBytes + count * (4 + statePageBytes));
    const view = new DataView(bytes.buffer);
    view.setUint8(0, checkpointVersion);
    view.setUint8(1, kindCodes[kind]);
    view.setUint32(4, statePageBytes, true);
    view.setUint32(8, this.pageCount, true);
    view.setUint32(12, count, true);
    memory.withScratch(statePageBytes, (at) => {
      let page = kernel.nextPage(this.#record, 0, isFull);
      for (let index = 0; index < count; index++) {
        this.#check(kernel.copyPage(this.#record, page, at), "read a page of a query's state");
        view.setUint32(headerBytes + 4 * index, page, true);
        const position = headerBytes + 4 * count + statePageBytes * index;
        bytes.set(memory.bytes.subarray(at, at + statePageBytes), position);
        page = kernel.nextPage(this.#record, page + 1, isFull);
      }
      assert(page >= this.pageCount, "every dirty page is counted");
    });
    kernel.clearDirty(this.#record);
    return bytes;
  }

  /**
   * Applies a checkpoint, the full one first.
   * @throws StreamError `corrupt_state`, `sql_memory_exceeded`
   */
  restore(checkpoint: Uint8Array): void {
    assert(this.#database === null, "a state file is restored before it is opened");
    const { pageCount, count, view } = readHeader(checkpoint);
    const { kernel, host } = this.#vfs;
    const act = "restore a query's state";
    if (view.getUint8(1) === kindCodes.full) this.#check(kernel.resize(this.#record, 0), act);
    this.#check(kernel.resize(this.#record, pageCount), act);
    host.memory.withScratch(statePageBytes, (at) => {
      for (let index = 0; index < count; index++) {
        const page = view.getUint32(headerBytes + 4 * index, true);
        if (page >= pageCount) throw corrupt(`page ${page} of ${pageCount}`);
        const position = headerBytes + 4 * count + statePageBytes * index;
        host.memory.bytes.set(checkpoint.subarray(position, position + statePageBytes), at);
        this.#check(kernel.putPage(this.#record, page, at), act);
      }
    });
    kernel.clearDirty(this.#record);
  }

  #check(code: number, act: string): void {
    if (code === sqliteCode.ok) return;
    const { scratchFailure, memory } = this.#vfs.host;
    if (code === ioNoMemory) throw memory.exceeded(act);
    if (scratchFailure instanceof StreamError) throw scratchFailure;
    throw new StreamError("sql_evaluation_failed", `Cannot ${act}: scratch disk failed`, {
      cause: scratchFailure,
    });
  }

  /** Ends the file; its database must be closed. */
  free(): void {
    this.#vfs.remove(this.#record);
  }
}

/** SQLITE_IOERR_NOMEM */
const ioNoMemory = 3082;

function readHeader(checkpoint: Uint8Array) {
  const { buffer, byteOffset, byteLength } = checkpoint;
  const view = new DataView(buffer, byteOffset, byteLength);
  if (byteLength < headerBytes) throw corrupt(`${byteLength} bytes`);
  if (view.getUint8(0) !== checkpointVersion) throw corrupt(`version ${view.getUint8(0)}`);
  if (view.getUint8(1) > kindCodes.delta) throw corrupt(`kind ${view.getUint8(1)}`);
  if (view.getUint32(4, true) !== statePageBytes) throw corrupt("another size of pages");
  const count = view.getUint32(12, true);
  if (byteLength !== headerBytes + count * (4 + statePageBytes)) {
    throw corrupt(`${byteLength} bytes for ${count} pages`);
  }
  return { view, count, pageCount: view.getUint32(8, true) };
}

function corrupt(what: string): StreamError {
  const message = `Cannot restore a query's state: its checkpoint has ${what}`;
  return new StreamError("corrupt_state", message);
}

const vfsName = "millrace";
const vfsBytes = 88;
const dataBytes = 8;
const methodsBytes = 52;
const pathBytesMax = 512;

/** Callbacks of sqlite3_vfs and sqlite3_io_methods, both of version 1, by byte position. */
const vfsSlots = {
  24: "open",
  28: "remove",
  32: "access",
  36: "fullPathname",
  56: "randomness",
  60: "sleep",
  64: "currentTime",
  68: "lastError",
} as const;
const methodSlots = {
  4: "close",
  8: "read",
  12: "write",
  16: "truncate",
  20: "accept",
  24: "fileSize",
  28: "accept",
  32: "accept",
  36: "checkReservedLock",
  40: "fileControl",
  44: "sectorSize",
  48: "deviceCharacteristics",
} as const;

/** The VFS of a host: a list of files, found by name. */
class StateVfs {
  readonly host: SqliteHost;
  readonly kernel: VfsKernel;
  readonly #data: number;
  readonly #scratch: (ScratchDisk | undefined)[] = [];

  constructor(host: SqliteHost) {
    this.host = host;
    const { memory } = host;
    this.kernel = host.link<VfsKernel>("vfs", {
      emscripten_date_now: () => host.clock.now(),
      scratchRead: (file: number, page: number, to: number) =>
        this.#transfer(file, to, (disk, bytes) => disk.read(page, bytes)),
      scratchWrite: (file: number, page: number, from: number) =>
        this.#transfer(file, from, (disk, bytes) => disk.write(page, bytes)),
    });
    const methods = memory.allocateZeroed(methodsBytes);
    memory.writeUint32(methods, 1);
    this.#fill(methods, methodSlots);
    this.#data = memory.allocateZeroed(dataBytes);
    memory.writeUint32(this.#data, methods);
    const vfs = memory.allocateZeroed(vfsBytes);
    const head = [1, dataBytes, pathBytesMax, 0, memory.placeText(vfsName).address, this.#data];
    for (const [index, word] of head.entries()) memory.writeUint32(vfs + 4 * index, word);
    this.#fill(vfs, vfsSlots);
    const code = host.exports.sqlite3_vfs_register(vfs, 0);
    assert(code === sqliteCode.ok, `the VFS is registered (${code})`);
  }

  #fill(structure: number, slots: Readonly<Record<number, string>>): void {
    const callbacks = this.kernel as unknown as Readonly<Record<string, CallableFunction>>;
    for (const [position, name] of Object.entries(slots)) {
      const pointer = this.host.functionPointer(callbacks[name]);
      this.host.memory.writeUint32(structure + Number(position), pointer);
    }
  }

  /** Never throws: an exception would leave SQLite in the middle of a statement. */
  #transfer(file: number, at: number, act: (disk: ScratchDisk, bytes: Uint8Array) => void): number {
    try {
      const disk = this.#scratch[file];
      assert(disk !== undefined, "a file without scratch disk evicts nothing");
      act(disk, this.host.memory.bytes.subarray(at, at + statePageBytes));
      return 0;
    } catch (error) {
      this.host.scratchFailure = error;
      return 1;
    }
  }

  /** Address of a new file's record. */
  add(file: {
    readonly name: string;
    readonly framesMax: number;
    readonly scratch: ScratchDisk | undefined;
  }): number {
    const { memory } = this.host;
    for (let other = this.#first(); other !== 0; other = memory.readUint32(other + field.next)) {
      const name = memory.textToZero(memory.readUint32(other + field.name));
      assert(name !== file.name, "a state file's name is its own");
    }
    const record = memory.allocateZeroed(fileBytes);
    memory.writeUint32(record + field.next, this.#first());
    memory.writeUint32(record + field.name, memory.placeText(file.name).address);
    memory.writeUint32(record + field.number, this.#scratch.push(file.scratch) - 1);
    memory.writeUint32(record + field.framesMax, file.framesMax);
    memory.writeUint32(this.#data + 4, record);
    return record;
  }

  #first(): number {
    return this.host.memory.readUint32(this.#data + 4);
  }

  remove(record: number): void {
    const { memory } = this.host;
    let link = this.#data + 4;
    while (memory.readUint32(link) !== record) link = memory.readUint32(link) + field.next;
    memory.writeUint32(link, memory.readUint32(record + field.next));
    this.#scratch[memory.readUint32(record + field.number)] = undefined;
    this.kernel.release(record);
    memory.free(memory.readUint32(record + field.name));
    memory.free(record);
  }
}

const registered = new WeakMap<SqliteHost, StateVfs>();

function vfsOf(host: SqliteHost): StateVfs {
  const known = registered.get(host);
  if (known !== undefined) return known;
  const vfs = new StateVfs(host);
  registered.set(host, vfs);
  return vfs;
}

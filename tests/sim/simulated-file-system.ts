/**
 * The disk of a run. A process that dies leaves what it has written, except that a write under way
 * may be torn; a power loss also takes what was not synced: any page of an unsynced write may be
 * missing, and files whose directory entry was not synced are gone.
 */
import type { FileSystem, OpenFile } from "../../src/base/file-system.ts";
import { StreamError } from "../../src/base/stream-error.ts";
import type { Dice } from "./dice.ts";
import type { ProcessGate } from "./process-gate.ts";
import type { World } from "./world.ts";

const pageBytes = 4096;

interface UnsyncedWrite {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** `content` is what readers see; `durable` what survives. */
class DiskFile {
  content = new Uint8Array(0);
  durable = new Uint8Array(0);
  isLinked = false;
  /** Whose page cache holds what is not synced; a file has one writer. */
  readonly machine: string;
  unsynced: UnsyncedWrite[] = [];

  constructor(machine: string) {
    this.machine = machine;
  }

  write(write: UnsyncedWrite): void {
    this.content = written(this.content, write);
    this.unsynced.push(write);
  }

  sync(): void {
    this.durable = this.content.slice();
    this.unsynced = [];
    this.isLinked = true;
  }

  losePower(dice: Dice, keepPages: number): void {
    let content = this.durable;
    for (const { position, bytes } of this.unsynced) {
      for (let start = 0; start < bytes.length; start += pageBytes) {
        if (!dice.chance(keepPages)) continue;
        const page = bytes.subarray(start, start + pageBytes);
        content = written(content, { position: position + start, bytes: page });
      }
    }
    this.content = content.slice();
    this.durable = content.slice();
    this.unsynced = [];
    this.isLinked = true;
  }
}

export class SimulatedDisk {
  readonly #world: World;
  readonly #dice: Dice;
  readonly files = new Map<string, DiskFile>();

  /** `syncFails`: a sync may fail, after which nobody knows what is on the disk. */
  readonly syncFails: boolean;

  constructor(world: World, options: { readonly dice: Dice; readonly syncFails: boolean }) {
    this.#world = world;
    this.#dice = options.dice;
    this.syncFails = options.syncFails;
  }

  /**
   * `machine`: only what that one has written and not synced. Its files stay: what peers can open was
   * made where the folder is.
   */
  losePower(machine?: string): void {
    const dice = this.#dice;
    // Sometimes nothing was written back yet, sometimes nearly everything.
    const keepPages = dice.pick([0, 0.5, 0.9, 1]);
    for (const [path, file] of [...this.files]) {
      if (machine !== undefined && file.machine !== machine) continue;
      if (machine === undefined && !file.isLinked && !dice.chance(keepPages)) {
        this.files.delete(path);
        continue;
      }
      file.losePower(dice, keepPages);
    }
    const where = machine === undefined ? "" : ` at ${machine}`;
    this.#world.note(`power is lost${where}, ${keepPages} of the unsynced pages stay`);
  }

  /** The file system as one process uses it. */
  mount(gate: ProcessGate): FileSystem {
    return new MountedFileSystem({ world: this.#world, disk: this, dice: this.#dice, gate });
  }
}

interface Mount {
  readonly world: World;
  readonly disk: SimulatedDisk;
  readonly dice: Dice;
  readonly gate: ProcessGate;
}

class MountedFileSystem implements FileSystem {
  readonly #mount: Mount;

  constructor(mount: Mount) {
    this.#mount = mount;
  }

  create(path: string): Promise<OpenFile> {
    return this.#ask(() => {
      const { files } = this.#mount.disk;
      if (files.has(path)) throw new StreamError("object_exists", `${path} is there`);
      const file = new DiskFile(machineOf(this.#mount.gate));
      files.set(path, file);
      return new MountedFile(this.#mount, path, file);
    });
  }

  open(path: string): Promise<OpenFile> {
    return this.#ask(() => {
      const file = this.#mount.disk.files.get(path);
      if (file === undefined) throw new StreamError("object_missing", `${path} is not there`);
      return new MountedFile(this.#mount, path, file);
    });
  }

  list(directory: string): Promise<readonly { path: string; sizeBytes: number }[]> {
    return this.#ask(() => {
      const prefix = directory.endsWith("/") ? directory : `${directory}/`;
      return [...this.#mount.disk.files]
        .filter(([path]) => path.startsWith(prefix))
        .map(([path, file]) => ({
          path: path.slice(prefix.length),
          sizeBytes: file.content.length,
        }));
    });
  }

  remove(path: string): Promise<void> {
    return this.#ask(() => {
      this.#mount.world.note(`${this.#mount.gate.name} removes ${path}`);
      this.#mount.disk.files.delete(path);
    });
  }

  #ask<T>(work: () => T): Promise<T> {
    return askDisk(this.#mount, work);
  }
}

class MountedFile implements OpenFile {
  readonly #mount: Mount;
  readonly #path: string;
  readonly #file: DiskFile;

  constructor(mount: Mount, path: string, file: DiskFile) {
    this.#mount = mount;
    this.#path = path;
    this.#file = file;
  }

  /** In two halves: a process that dies between them leaves a torn write. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    const { world, gate, dice } = this.#mount;
    const sent = bytes.slice();
    const half = Math.floor((sent.length * dice.random.uniform()) / pageBytes) * pageBytes;
    const fails = dice.chance(world.faults.storeRefused);
    await askDisk(this.#mount, () => {
      this.#file.write({ position, bytes: sent.subarray(0, half) });
      if (fails) throw new Error("EIO");
    });
    await askDisk(this.#mount, () => {
      if (gate.isDead) return;
      this.#file.write({ position: position + half, bytes: sent.subarray(half) });
      world.note(`${gate.name} wrote ${this.#path} ${position}+${sent.length}`);
    });
  }

  read(target: Uint8Array, position: number): Promise<number> {
    const { world, dice } = this.#mount;
    // A disk that reads wrongly now and then is rarer than a store that does not answer.
    const fails = dice.chance(world.faults.storeReadFails / 20);
    return askDisk(this.#mount, () => {
      if (fails) throw new Error("EIO");
      const bytes = this.#file.content.subarray(position, position + target.length);
      target.set(bytes);
      return bytes.length;
    });
  }

  sync(): Promise<void> {
    const { world, dice, disk } = this.#mount;
    const fails = dice.chance(world.faults.storeRefused / 2) && disk.syncFails;
    return askDisk(this.#mount, () => {
      if (fails) throw new Error("EIO");
      this.#file.sync();
    });
  }

  truncate(sizeBytes: number): Promise<void> {
    return askDisk(this.#mount, () => {
      this.#file.content = this.#file.content.slice(0, sizeBytes);
    });
  }

  size(): Promise<number> {
    return askDisk(this.#mount, () => this.#file.content.length);
  }

  close(): Promise<void> {
    return askDisk(this.#mount, () => {});
  }
}

/** A worker's processes, one after the other, run on one machine. */
function machineOf({ name }: ProcessGate): string {
  return name.split(".")[0] ?? name;
}

function askDisk<T>({ world, gate, dice }: Mount, work: () => T): Promise<T> {
  const slow = dice.chance(world.faults.slow) ? dice.between(2, 50) : 1;
  const legMs = () => dice.random.uniform() * 0.5 * slow;
  return gate.ask({ thereMs: legMs(), backMs: legMs() }, work);
}

function written(content: Uint8Array, { position, bytes }: UnsyncedWrite): Uint8Array<ArrayBuffer> {
  const size = Math.max(content.length, position + bytes.length);
  const grown = new Uint8Array(size);
  grown.set(content);
  grown.set(bytes, position);
  return grown;
}

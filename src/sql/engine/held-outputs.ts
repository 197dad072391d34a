/**
 * What a task has made and nobody has taken yet, in the order in which it was made. Past a bound it
 * waits on scratch disk, and is taken in parts of that bound: any number of windows may close at
 * once, and any number of groups change (ADR 71).
 */
import type { BufferPool } from "../../base/buffer-pool.ts";
import type { ScratchDisk } from "../sqlite/scratch-disk.ts";
import type { OutputBatch } from "./task-output.ts";

/** Large, since a block is a call to the system. */
const blockBytes = 64 * 1024;

export interface HeldOutputsOptions {
  /** Of what is in memory, and of a part; one batch is one whatever it has. */
  readonly bytesMax: number;
  /** A disk for what is more, closed when all was taken; absent: all stays, and is one part. */
  readonly openDisk?: (() => ScratchDisk) | undefined;
  /** Where the bytes of batches come from, and go to when they are on disk. */
  readonly buffers?: BufferPool | undefined;
}

/** On disk, one batch behind the other. */
interface Stored extends Omit<OutputBatch, "bytes"> {
  readonly length: number;
}

export class HeldOutputs {
  readonly #options: HeldOutputsOptions;
  #batches: OutputBatch[] = [];
  #batchBytes = 0;
  #disk: ScratchDisk | null = null;
  #stored: Stored[] = [];
  /** On disk, from its beginning: what was written, and what of it was taken. */
  #end = 0;
  #start = 0;
  /** The last block that was written, not all of it on disk; or the one that is read. */
  readonly #block = new Uint8Array(blockBytes);
  #blockNumber = -1;

  constructor(options: HeldOutputsOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#batchBytes + this.#end - this.#start;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0 && this.#stored.length === 0;
  }

  /** Takes a batch, with its bytes. @throws StreamError as the disk does */
  add(batch: OutputBatch): void {
    const { bytesMax, openDisk } = this.#options;
    const fits = this.#batchBytes + batch.bytes.length <= bytesMax || this.#batches.length === 0;
    if (openDisk === undefined || (fits && this.#stored.length === 0)) {
      this.#batches.push(batch);
      this.#batchBytes += batch.bytes.length;
      return;
    }
    this.#disk ??= openDisk();
    const { bytes, ...about } = batch;
    this.#stored.push({ ...about, length: bytes.length });
    this.#write(this.#disk, bytes);
    this.#options.buffers?.give(bytes);
  }

  /** The next part, which is the caller's. More of it: see `isEmpty`. */
  take(): OutputBatch[] {
    const taken = this.#batches;
    let bytes = this.#batchBytes;
    this.#batches = [];
    this.#batchBytes = 0;
    for (let next = this.#stored[0]; next !== undefined; next = this.#stored[0]) {
      if (taken.length > 0 && bytes + next.length > this.#options.bytesMax) return taken;
      this.#stored.shift();
      taken.push(this.#read(next));
      bytes += next.length;
    }
    this.#disk?.close();
    this.#disk = null;
    this.#start = 0;
    this.#end = 0;
    this.#blockNumber = -1;
    return taken;
  }

  #write(disk: ScratchDisk, bytes: Uint8Array): void {
    this.#load(disk, Math.floor(this.#end / blockBytes));
    for (let done = 0; done < bytes.length; ) {
      const at = this.#end % blockBytes;
      if (at === 0) this.#blockNumber = this.#end / blockBytes;
      const more = bytes.subarray(done, done + blockBytes - at);
      this.#block.set(more, at);
      done += more.length;
      this.#end += more.length;
      // Also one that is not full: what is read next may be another.
      disk.write(this.#blockNumber, this.#block);
    }
  }

  #read({ length, ...about }: Stored): OutputBatch {
    const bytes = this.#options.buffers?.take(length) ?? new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const at = this.#start % blockBytes;
      this.#load(this.#disk, Math.floor(this.#start / blockBytes));
      const more = this.#block.subarray(at, at + length - done);
      bytes.set(more, done);
      done += more.length;
      this.#start += more.length;
    }
    return { ...about, bytes };
  }

  /** Has a block in memory that is on disk, if any of it is. */
  #load(disk: ScratchDisk | null, number: number): void {
    if (number === this.#blockNumber) return;
    if (number * blockBytes < this.#end) disk?.read(number, this.#block);
    this.#blockNumber = number;
  }
}

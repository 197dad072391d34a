/**
 * What a task has made and nobody has taken yet, in the order in which it was made. Past a bound it
 * waits on scratch disk, and is taken in parts of that bound: any number of windows may close at
 * once, and any number of groups change (ADR 71).
 */
import type { BufferPool } from "../../base/buffer-pool.ts";
import type { ScratchDisk } from "../sqlite/scratch-disk.ts";
import type { OutputBatch } from "./task-output.ts";

/** A batch begins with a block of its own. */
const blockBytes = 16 * 1024;

export interface HeldOutputsOptions {
  /** Of what is in memory, and of a part; one batch is one whatever it has. */
  readonly bytesMax: number;
  /** A disk for what is more, closed when all was taken; absent: all stays, and is one part. */
  readonly openDisk?: (() => ScratchDisk) | undefined;
  /** Where the bytes of batches come from, and go to when they are on disk. */
  readonly buffers?: BufferPool | undefined;
}

/** On disk, in blocks from a number on. */
interface Stored extends Omit<OutputBatch, "bytes"> {
  readonly length: number;
}

export class HeldOutputs {
  readonly #options: HeldOutputsOptions;
  #batches: OutputBatch[] = [];
  #bytes = 0;
  #disk: ScratchDisk | null = null;
  readonly #stored: Stored[] = [];
  /** Blocks that were written, and those of them that were taken. */
  #written = 0;
  #taken = 0;
  /** Pages of a disk are of one size: for the last block of a batch. */
  readonly #block = new Uint8Array(blockBytes);

  constructor(options: HeldOutputsOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#batches.length + this.#stored.length === 0;
  }

  /** Takes a batch, with its bytes. @throws StreamError as the disk does */
  add(batch: OutputBatch): void {
    const { bytesMax, openDisk, buffers } = this.#options;
    const { bytes, ...about } = batch;
    this.#bytes += bytes.length;
    const fits = this.#bytes <= bytesMax || this.isEmpty;
    if (openDisk === undefined || (fits && this.#stored.length === 0)) {
      this.#batches.push(batch);
      return;
    }
    this.#disk ??= openDisk();
    this.#stored.push({ ...about, length: bytes.length });
    for (let at = 0; at < bytes.length; at += blockBytes) {
      this.#block.set(bytes.subarray(at, at + blockBytes));
      this.#disk.write(this.#written++, this.#block);
    }
    buffers?.give(bytes);
  }

  /** The next part, which is the caller's. More of it: see `isEmpty`. */
  take(): OutputBatch[] {
    const taken = this.#batches;
    this.#batches = [];
    let bytes = taken.reduce((sum, each) => sum + each.bytes.length, 0);
    for (const next of [...this.#stored]) {
      if (bytes > 0 && bytes + next.length > this.#options.bytesMax) break;
      this.#stored.shift();
      taken.push(this.#read(next));
      bytes += next.length;
    }
    this.#bytes -= bytes;
    if (this.#stored.length > 0) return taken;
    this.#disk?.close();
    this.#disk = null;
    this.#written = 0;
    this.#taken = 0;
    return taken;
  }

  #read({ length, ...about }: Stored): OutputBatch {
    const bytes = this.#options.buffers?.take(length) ?? new Uint8Array(length);
    for (let at = 0; at < length; at += blockBytes) {
      this.#disk?.read(this.#taken++, this.#block);
      bytes.set(this.#block.subarray(0, length - at), at);
    }
    return { ...about, bytes };
  }
}

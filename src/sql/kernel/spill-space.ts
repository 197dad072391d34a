/**
 * What the kernels of a task may hold in memory together, and the scratch disk for what is more.
 * Runs of bytes go there in blocks and come back whole; nothing there outlives the task, which
 * restores from its checkpoint.
 */
import { assert } from "../../base/assert.ts";
import { StreamError } from "../../base/stream-error.ts";
import type { SqliteMemory } from "../sqlite/memory.ts";
import type { ScratchDisk } from "../sqlite/scratch-disk.ts";

/** Large, since a block is a call to the system. */
export const spillBlockBytes = 64 * 1024;

/** Part of a task's memory past which it is short. */
const tightShare = 7 / 8;

/** Of the memory beyond what kernels may hold: what they may take until a commit lets state go. */
const farShare = 1 / 16;

/** Bytes on scratch disk. */
export interface SpilledRun {
  readonly bytes: number;
  readonly blocks: readonly number[];
}

export class SpillSpace {
  readonly #memory: SqliteMemory;
  readonly #disk: ScratchDisk;
  /** What kernels may hold together. */
  readonly bytesMax: number;
  readonly #holders = new Set<{ readonly bytesHeld: number }>();
  readonly #free: number[] = [];
  #leaveCount = 0;
  #blockCount = 0;
  /** For the last block of a run, which need not be whole. */
  readonly #tail = new Uint8Array(spillBlockBytes);

  /** `disk`: its pages are blocks of this space, and nobody else's. */
  constructor(
    memory: SqliteMemory,
    options: { readonly disk: ScratchDisk; readonly bytesMax: number },
  ) {
    this.#memory = memory;
    this.#disk = options.disk;
    this.bytesMax = options.bytesMax;
  }

  addHolder(holder: { readonly bytesHeld: number }): void {
    this.#holders.add(holder);
  }

  removeHolder(holder: { readonly bytesHeld: number }): void {
    this.#holders.delete(holder);
  }

  /** Bytes for which there is room even if nothing can leave; less than 0: they run out soon. */
  get bytesUnderFar(): number {
    const roomBytes = this.#memory.bytesMax - this.bytesMax;
    return this.bytesMax + roomBytes * farShare - this.#bytesHeld;
  }

  get #bytesHeld(): number {
    let held = 0;
    for (const { bytesHeld } of this.#holders) held += bytesHeld;
    return held;
  }

  /** Bytes that should leave memory; 0 or less: none need to. */
  get bytesOver(): number {
    const held = this.#bytesHeld;
    // Memory never shrinks. Once it is nearly all there, what others need must come from here.
    const { bytes } = this.#memory;
    const isTight = bytes.length > this.#memory.bytesMax * tightShare;
    return held - (isTight ? this.bytesMax / 2 : this.bytesMax);
  }

  /** State left memory by another way than `write`. */
  noteLeft(): void {
    this.#leaveCount++;
  }

  /** How often state has left memory. */
  get leaveCount(): number {
    return this.#leaveCount;
  }

  /** Blocks that hold something. */
  get blocksUsed(): number {
    return this.#blockCount - this.#free.length;
  }

  /** @throws StreamError `sql_evaluation_failed` when scratch disk fails */
  write(address: number, bytes: number): SpilledRun {
    const blocks: number[] = [];
    if (bytes > 0) this.#leaveCount++;
    for (let done = 0; done < bytes; done += spillBlockBytes) {
      const block = this.#free.pop() ?? this.#blockCount++;
      blocks.push(block);
      const rest = Math.min(spillBlockBytes, bytes - done);
      const source = this.#memory.bytes.subarray(address + done, address + done + rest);
      if (rest < spillBlockBytes) this.#tail.set(source);
      this.#try(() => this.#disk.write(block, rest < spillBlockBytes ? this.#tail : source));
    }
    return { bytes, blocks };
  }

  /** Fills memory with a run, which stays. @throws as `write` */
  read(run: SpilledRun, address: number): void {
    for (const [index, block] of run.blocks.entries()) {
      const done = index * spillBlockBytes;
      const rest = Math.min(spillBlockBytes, run.bytes - done);
      const target = this.#memory.bytes.subarray(address + done, address + done + rest);
      this.#try(() => this.#disk.read(block, rest < spillBlockBytes ? this.#tail : target));
      if (rest < spillBlockBytes) target.set(this.#tail.subarray(0, rest));
    }
  }

  free(run: SpilledRun): void {
    this.#free.push(...run.blocks);
    assert(this.#free.length <= this.#blockCount, "a run is freed once");
  }

  #try(act: () => void): void {
    try {
      act();
    } catch (cause) {
      if (cause instanceof StreamError) throw cause;
      const message = "Cannot move a query's state: scratch disk failed";
      throw new StreamError("sql_evaluation_failed", message, { cause });
    }
  }
}

/**
 * How many bytes of places a task is given at once. A slice costs the event loop the same however
 * large it is, so slices grow as long as the task has done with one soon, and little comes of it;
 * what a commit, a stop or a LIMIT waits for stays short.
 *
 * Where much comes of them, results are what costs, commits come often, and the event loop reads
 * further ahead of the task than the task itself would: then there are no places.
 */

/** What a task is given at once at first, and where results are large or slow. */
export const sliceBytes = 3.5 * 1024 * 1024;
const sliceBytesMax = 28 * 1024 * 1024;
/** A task has two slices before it, and its state has this part of its memory for what they add. */
const memoryShare = 8;
/** Slices that take less are doubled; those that take much longer are halved. */
const sliceMs = 30;

export class PlacePace {
  readonly #bytesMax: number;
  #bytes = sliceBytes;

  /** `memoryBytesMax`: of the task. */
  constructor(memoryBytesMax: number) {
    const bounded = Math.min(sliceBytesMax, memoryBytesMax / memoryShare);
    this.#bytesMax = Math.max(sliceBytes, bounded);
  }

  /** For the next slice; 0: none. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A slice took the task so long; `isHeavy`: much came of it, or memory is short. */
  note(tookMs: number, isHeavy: boolean): void {
    if (isHeavy) this.#bytes = 0;
    else if (this.#bytes === 0) this.#bytes = sliceBytes;
    else if (tookMs > 3 * sliceMs) this.#bytes = Math.max(sliceBytes, this.#bytes / 2);
    else if (tookMs < sliceMs) this.#bytes = Math.min(this.#bytesMax, this.#bytes * 2);
  }
}

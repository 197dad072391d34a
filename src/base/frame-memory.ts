/**
 * Memory for requests while they are worked on, used again and again: fresh buffers cost more than
 * the copy into them, and what they leave behind has to be collected. It lies in the memory of the
 * checksum kernel, so that what arrives in it is summed in place.
 *
 * First fit over free stretches in order: there are at most a few hundred at a time, and low
 * addresses are used first, so that a quiet server touches few pages. When it is full, `take` says
 * so and the caller uses memory of its own.
 */
import { assert } from "./assert.ts";

const pageBytes = 4096;

interface Stretch {
  readonly start: number;
  readonly length: number;
}

/** What a receiver of requests needs of it. */
export interface FrameBuffers {
  /** Exactly `length` bytes, their content undefined, the caller's until given back. */
  take(length: number): Uint8Array | undefined;
  /** Nothing may read or write `bytes` from then on. What was not taken here is let be. */
  give(bytes: Uint8Array): void;
}

export class FrameMemory implements FrameBuffers {
  readonly #memory: Uint8Array;
  /** In order of their starts, never adjacent. */
  readonly #free: Stretch[];
  /** Bytes of what is taken, by start. */
  readonly #taken = new Map<number, number>();

  /** `memory` belongs to it. */
  constructor(memory: Uint8Array) {
    this.#memory = memory;
    const length = memory.length - (memory.length % pageBytes);
    this.#free = length === 0 ? [] : [{ start: 0, length }];
  }

  /** Bytes that are taken, in whole pages. */
  get takenBytes(): number {
    let sum = 0;
    for (const length of this.#taken.values()) sum += length;
    return sum;
  }

  take(length: number): Uint8Array | undefined {
    assert(length > 0, `${length} bytes for a frame`);
    const wanted = Math.ceil(length / pageBytes) * pageBytes;
    const index = this.#free.findIndex((stretch) => stretch.length >= wanted);
    const found = this.#free[index];
    if (found === undefined) return undefined;
    const { start } = found;
    if (found.length === wanted) this.#free.splice(index, 1);
    else this.#free[index] = { start: start + wanted, length: found.length - wanted };
    this.#taken.set(start, wanted);
    return this.#memory.subarray(start, start + length);
  }

  give(bytes: Uint8Array): void {
    if (bytes.buffer !== this.#memory.buffer) return;
    const start = bytes.byteOffset - this.#memory.byteOffset;
    const length = this.#taken.get(start);
    if (length === undefined) return;
    this.#taken.delete(start);
    let index = this.#free.findIndex((stretch) => stretch.start > start);
    if (index < 0) index = this.#free.length;
    const before = this.#free[index - 1];
    const after = this.#free[index];
    const joinsBefore = before !== undefined && before.start + before.length === start;
    const joinsAfter = after !== undefined && start + length === after.start;
    const joined = {
      start: joinsBefore ? before.start : start,
      length: length + (joinsBefore ? before.length : 0) + (joinsAfter ? after.length : 0),
    };
    const first = joinsBefore ? index - 1 : index;
    this.#free.splice(first, Number(joinsBefore) + Number(joinsAfter), joined);
  }
}

/**
 * The memory in which segments are built, from which they are written and in which they then stay
 * as the tail cache: one ring of bytes. A new segment takes the place of the oldest ones, so the
 * cache is always the newest part of what this worker wrote and its bound is the ring's size.
 *
 * A slot is pinned while its segment is being written and published. Readers copy out of the ring
 * in one synchronous step, or are lent views of it (base/lent-bytes.ts), and pin nothing, so a slow
 * reader cannot hold the writers up.
 */
import { assert } from "../base/assert.ts";
import { Lendable } from "../base/lent-bytes.ts";

/** The unit of allocation, which is what direct disk writes want: 4 KiB. */
const ringAlignmentBytes = 4096;

export class RingSlot extends Lendable {
  /** The segment's bytes, a view of the ring. Meaningless once evicted. */
  readonly bytes: Uint8Array;
  readonly position: number;
  readonly #onEvict: (() => void)[] = [];
  #pinned = true;
  #evicted = false;

  constructor(bytes: Uint8Array, position: number) {
    super();
    this.bytes = bytes;
    this.position = position;
  }

  get pinned(): boolean {
    return this.#pinned;
  }

  get evicted(): boolean {
    return this.#evicted;
  }

  /** Called once when the bytes are about to be overwritten. */
  onEvict(callback: () => void): void {
    this.#onEvict.push(callback);
  }

  unpin(): void {
    this.#pinned = false;
  }

  evict(): void {
    assert(!this.#pinned, "a pinned slot is not evicted");
    this.#evicted = true;
    for (const callback of this.#onEvict) callback();
    this.#onEvict.length = 0;
  }
}

export class SegmentRing {
  readonly #memory: Uint8Array;
  readonly #onEvict: (slot: RingSlot) => void;
  /** Oldest first; in ring order from the head on. */
  readonly #slots: RingSlot[] = [];
  #head = 0;

  /**
   * `memory` belongs to the ring; where it starts at an aligned address, so do all slots. `onEvict`
   * hears of each slot before its bytes are overwritten.
   */
  constructor(memory: Uint8Array, onEvict: (slot: RingSlot) => void = () => {}) {
    assert(memory.length >= ringAlignmentBytes, "a ring of at least one page");
    this.#onEvict = onEvict;
    this.#memory = memory.subarray(0, memory.length - (memory.length % ringAlignmentBytes));
  }

  get capacityBytes(): number {
    return this.#memory.length;
  }

  /**
   * A pinned slot of `length` bytes (a multiple of 4096), its content undefined; or undefined when
   * the oldest segments in the way are still pinned. What is evicted for it stays evicted.
   */
  allocate(length: number): RingSlot | undefined {
    assert(length % ringAlignmentBytes === 0, "slots are whole pages");
    assert(length > 0 && length <= this.#memory.length, `a slot of ${length} bytes fits the ring`);
    if (this.#slots.length === 0) this.#head = 0;
    let start = this.#head;
    if (start + length > this.#memory.length) {
      // What lies between the head and the end is older than what lies at the beginning.
      if (!this.#evictWhile((slot) => slot.position >= this.#head)) return undefined;
      start = 0;
      this.#head = 0;
    }
    const end = start + length;
    const overlaps = (slot: RingSlot) =>
      slot.position < end && slot.position + slot.bytes.length > start;
    if (!this.#evictWhile(overlaps)) return undefined;
    const slot = new RingSlot(this.#memory.subarray(start, end), start);
    this.#slots.push(slot);
    this.#head = end;
    return slot;
  }

  /** Evicts from the oldest on while `inTheWay`; false when it met a pinned one. */
  #evictWhile(inTheWay: (slot: RingSlot) => boolean): boolean {
    for (let oldest = this.#slots[0]; oldest && inTheWay(oldest); oldest = this.#slots[0]) {
      if (oldest.pinned) return false;
      this.#slots.shift();
      oldest.evict();
      this.#onEvict(oldest);
    }
    return true;
  }
}

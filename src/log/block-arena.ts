/**
 * The memory of the block cache, cut into slots of one block. Neighbouring slots are given out
 * together where that is possible: neighbours of an object then lie side by side, are read by one
 * system call and summed and sent as one view.
 *
 * A hand goes round and takes what nobody uses; what was used again since it last passed is passed
 * over once (the clock algorithm), so that a long scan does not drive out what many readers share.
 */
import { assert } from "../base/assert.ts";

/** What lies in a slot, as far as the hand looks at it. */
export interface Tenant {
  /** Used again since the hand last passed. */
  usedAgain: boolean;
  /** May not be taken now. */
  readonly isPinned: boolean;
}

export interface SlotRun {
  readonly first: number;
  readonly count: number;
}

export class BlockArena<T extends Tenant> {
  readonly slotBytes: number;
  /** View of each slot. */
  readonly #views: Uint8Array[] = [];
  readonly #tenants: (T | undefined)[] = [];
  #hand = 0;
  #tenantCount = 0;

  /** The memories belong to the arena; what they have beyond whole slots lies idle. */
  constructor(memories: readonly Uint8Array[], slotBytes: number) {
    this.slotBytes = slotBytes;
    for (const memory of memories) {
      for (let end = slotBytes; end <= memory.length; end += slotBytes) {
        this.#views.push(memory.subarray(end - slotBytes, end));
      }
    }
    this.#tenants.length = this.#views.length;
  }

  get slotCount(): number {
    return this.#views.length;
  }

  /** Slots in use. */
  get tenantCount(): number {
    return this.#tenantCount;
  }

  /**
   * Up to `countMax` free slots that lie side by side, at least one; `evict` is told whom they are
   * taken from. The caller puts its tenants in with `occupy` before anything else happens. Some
   * slot must not be pinned.
   */
  take(countMax: number, evict: (tenant: T) => void): SlotRun {
    const { length } = this.#views;
    // One round to lift all marks, one to take; pinned ones in between cost no more.
    let stepsLeft = 2 * length + 1;
    for (; ; this.#hand++) {
      if (this.#hand >= length) this.#hand = 0;
      if (this.#isFree(this.#hand)) return this.#run(countMax, evict);
      assert(--stepsLeft > 0, "some slot is not pinned");
    }
  }

  occupy(slot: number, tenant: T): void {
    assert(this.#tenants[slot] === undefined, "a slot has one tenant");
    this.#tenants[slot] = tenant;
    this.#tenantCount++;
  }

  leave(slot: number): void {
    assert(this.#tenants[slot] !== undefined, "a slot that is left was taken");
    this.#tenants[slot] = undefined;
    this.#tenantCount--;
  }

  /** `length` bytes of neighbouring slots from `position` in the first of them. */
  view(slot: number, position: number, length: number): Uint8Array {
    const { buffer, byteOffset } = this.#views[slot] as Uint8Array;
    return new Uint8Array(buffer, byteOffset + position, length);
  }

  /** Whether the slot behind `slot` is the next one of the same memory. */
  adjoins(slot: number, next: number): boolean {
    const here = this.#views[slot] as Uint8Array;
    const there = this.#views[next];
    return (
      there !== undefined &&
      there.buffer === here.buffer &&
      there.byteOffset === here.byteOffset + this.slotBytes
    );
  }

  /** Whether the hand may take it; lifts its mark when not. */
  #isFree(slot: number): boolean {
    const tenant = this.#tenants[slot];
    if (tenant === undefined) return true;
    if (tenant.isPinned) return false;
    const { usedAgain } = tenant;
    tenant.usedAgain = false;
    return !usedAgain;
  }

  #run(countMax: number, evict: (tenant: T) => void): SlotRun {
    const first = this.#hand;
    do {
      const tenant = this.#tenants[this.#hand];
      if (tenant !== undefined) evict(tenant);
      this.#hand++;
    } while (
      this.#hand - first < countMax &&
      this.adjoins(this.#hand - 1, this.#hand) &&
      this.#isFree(this.#hand)
    );
    return { first, count: this.#hand - first };
  }
}

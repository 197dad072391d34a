import { fetchBytesFloor } from "./limits.ts";

/**
 * Counts the bytes of fetched records that wait for their readers, and gives each fetch a share of
 * what is free. The share shrinks as answers pile up (an eighth of the rest), so slow readers
 * leave room for fast ones, and nobody waits: under pressure answers get smaller.
 */
export class ResponseMemory {
  readonly #capacityBytes: number;
  #waitingBytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Most bytes that the next fetch should read. */
  get share(): number {
    const free = this.#capacityBytes - this.#waitingBytes;
    return Math.max(fetchBytesFloor, Math.floor(free / 8));
  }

  add(bytes: number): void {
    this.#waitingBytes += bytes;
  }

  remove(bytes: number): void {
    this.#waitingBytes -= bytes;
  }
}

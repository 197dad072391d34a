/**
 * Whether long reads are to go past the page cache (ADR 25). There they cost a tenth of what the
 * kernel spends to bring a page in and copy it, but whoever reads the same again asks the disk
 * again: right as long as the disk is quick. So the pace of such reads is watched, over the time in
 * which one at least was under way; below `slowBytesPerSecond` they go through the page cache for
 * a while, as they do where the kernel refuses them.
 */

/** Shorter reads are of somebody who looks for something, or whose neighbours come for more. */
export const directReadBytesMin = 256 * 1024;

/** A disk below this pace is what others should not have to wait for again. */
const slowBytesPerSecond = 150_000_000;
/** Bytes by which the pace is judged. */
const judgedBytes = 64 * 1024 * 1024;
/** Until it is tried again. */
const pauseMs = 30_000;
/** Refusals in a row that end the attempts for now. */
const refusalsMax = 3;

export class DirectReads {
  readonly #now: () => number;
  readonly #busyNow: () => number;
  #underWay = 0;
  /** When the first of those under way began. */
  #busySince = 0;
  #busyMs = 0;
  #readBytes = 0;
  #refusals = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;

  /**
   * `now`: monotonic milliseconds. `busyNow`: the clock by which reads take their time; for who
   * works while they are under way, and hears of their ends late, one that stands meanwhile.
   */
  constructor(now: () => number, busyNow = now) {
    this.#now = now;
    this.#busyNow = busyNow;
  }

  get areWanted(): boolean {
    return this.#now() >= this.#pausedUntil;
  }

  /**
   * Runs a read that goes past the page cache and gives its bytes; undefined when the kernel
   * refuses it: addresses cannot be seen from here, only that it wants another.
   */
  async read(begin: () => Promise<{ readonly bytesRead: number }>): Promise<number | undefined> {
    if (this.#underWay++ === 0) this.#busySince = this.#busyNow();
    try {
      const { bytesRead } = await begin();
      this.#refusals = 0;
      this.#readBytes += bytesRead;
      return bytesRead;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#refusals += 1;
      if (this.#refusals >= refusalsMax) this.#pause();
      return undefined;
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#busyMs += this.#busyNow() - this.#busySince;
      if (this.#readBytes >= judgedBytes) this.#judge();
    }
  }

  #judge(): void {
    let busyMs = this.#busyMs;
    if (this.#underWay > 0) {
      busyMs += this.#busyNow() - this.#busySince;
      this.#busySince = this.#busyNow();
    }
    if (this.#readBytes * 1000 < busyMs * slowBytesPerSecond) this.#pause();
    this.#readBytes = 0;
    this.#busyMs = 0;
  }

  #pause(): void {
    this.#pausedUntil = this.#now() + pauseMs;
    this.#refusals = 0;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EINVAL";
}

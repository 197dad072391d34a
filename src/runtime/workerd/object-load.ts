/**
 * How much of what a log object should take it takes: requests and bytes of the last second, and
 * bytes that wait for their receipt. Its callers are told with each answer, and spread over more
 * objects when it is full (ADR 61).
 */
import type { Clock } from "../../base/platform.ts";

/** How an object says it with an answer that is a Response; the front takes it away. */
export const loadHeader = "Millrace-Load";

const windowMs = 1_000;

export interface ObjectLoadLimits {
  /** Requests a second of a full object. */
  readonly rateMax: number;
  /** Bytes a second of a full object. */
  readonly bytesPerSecondMax: number;
  /** Bytes that wait in a full object. */
  readonly waitingBytesMax: number;
}

interface Window {
  startedAt: number;
  requests: number;
  bytes: number;
}

export class ObjectLoad {
  readonly #limits: ObjectLoadLimits;
  readonly #clock: Pick<Clock, "monotonic">;
  #window: Window;
  #before = { requests: 0, bytes: 0 };
  #waitingBytes = 0;

  constructor(limits: ObjectLoadLimits, clock: Pick<Clock, "monotonic">) {
    this.#limits = limits;
    this.#clock = clock;
    this.#window = { startedAt: clock.monotonic(), requests: 0, bytes: 0 };
  }

  /** Notes so many requests that came together; call what it gives when they are answered. */
  took(requests: number, bytes: number): () => void {
    this.#turn();
    this.#window.requests += requests;
    this.#window.bytes += bytes;
    this.#waitingBytes += bytes;
    let isOver = false;
    return () => {
      if (!isOver) this.#waitingBytes -= bytes;
      isOver = true;
    };
  }

  /** 100 is a full object; it may be more. */
  percent(): number {
    this.#turn();
    const { rateMax, bytesPerSecondMax, waitingBytesMax } = this.#limits;
    const { startedAt, requests, bytes } = this.#window;
    // What of the window before lies within the last second.
    const share = Math.max(0, 1 - (this.#clock.monotonic() - startedAt) / windowMs);
    const rate = this.#before.requests * share + requests;
    const bytesPerSecond = this.#before.bytes * share + bytes;
    const shares = [
      rate / rateMax,
      bytesPerSecond / bytesPerSecondMax,
      this.#waitingBytes / waitingBytesMax,
    ];
    return Math.round(100 * Math.max(...shares));
  }

  #turn(): void {
    const now = this.#clock.monotonic();
    const { startedAt, requests, bytes } = this.#window;
    const elapsedMs = now - startedAt;
    if (elapsedMs < windowMs) return;
    const isNeighbour = elapsedMs < 2 * windowMs;
    this.#before = isNeighbour ? { requests, bytes } : { requests: 0, bytes: 0 };
    const turnedAt = isNeighbour ? startedAt + windowMs : now;
    this.#window = { startedAt: turnedAt, requests: 0, bytes: 0 };
  }
}

/**
 * What the client takes from where it runs: time, chance, and pauses. The one file of the client
 * that asks for them by name, so that tests put others in their place.
 */
import type { IdbFactory } from "./indexed-db.ts";

export interface ClientPlatform {
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 up to 1. */
  random(): number;
  /** A name that nobody else takes. */
  id(): string;
  /** Resolves after `ms`, sooner when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** The same, and sooner also when the device comes back online. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Timers of browsers hold 31 bits; a longer one would fire at once. */
const timerMsMax = 2 ** 31 - 1;
const idBytes = 12;

export const platform: ClientPlatform = {
  now: () => Date.now(),
  random: () => Math.random(),
  id: () =>
    Array.from(crypto.getRandomValues(new Uint8Array(idBytes)), (byte) =>
      byte.toString(36).padStart(2, "0"),
    ).join(""),
  sleep: (ms, signal) => wait(ms, signal, false),
  pause: (ms, signal) => wait(ms, signal, true),
};

function wait(ms: number, signal: AbortSignal | undefined, endsOnline: boolean): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      if (endsOnline) page.removeEventListener?.("online", done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, timerMsMax));
    signal?.addEventListener("abort", done);
    if (endsOnline) page.addEventListener?.("online", done);
    if (signal?.aborted === true) done();
  });
}

/** What only pages have; absent elsewhere. */
export interface PageScope {
  readonly location?: { readonly origin: string; readonly href: string };
  readonly document?: { readonly visibilityState: string };
  readonly navigator?: {
    sendBeacon?(url: string, body: Blob): boolean;
    readonly locks?: LockManagerLike;
  };
  readonly indexedDB?: IdbFactory;
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

/** The part of the Web Locks API that the queue uses. */
export interface LockManagerLike {
  request<T>(
    name: string,
    options: { readonly ifAvailable?: boolean },
    hold: (lock: object | null) => Promise<T>,
  ): Promise<T>;
}

export const page: PageScope = globalThis as unknown as PageScope;

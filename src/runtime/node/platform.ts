/** The Platform of Bun and Deno. */
import { type Crc32cKernel, createCrc32c } from "../../base/crc32c-kernel.ts";
import type { Logger } from "../../base/log.ts";
import type { Clock, Platform, Random, Timers } from "../../base/platform.ts";
import { createCodecs } from "./codecs.ts";
import { loadWasmModule } from "./wasm-modules.ts";

export interface NodePlatform extends Platform {
  readonly crc32c: Crc32cKernel;
}

/**
 * Builds the Platform of a process. Its timers keep the process alive: a program that waits for
 * one must not end before it fires.
 */
export function createPlatform(options: {
  readonly log: Logger;
  /** Memory that checksums are wanted of without a copy; see createCrc32c. */
  readonly memory?: WebAssembly.Memory;
}): NodePlatform {
  const { log, memory } = options;
  const codecs = createCodecs({ snappy: loadWasmModule("snappy"), lz4: loadWasmModule("lz4") });
  const isShared = !(memory?.buffer instanceof ArrayBuffer) && memory !== undefined;
  const module = loadWasmModule(isShared ? "crc32c-shared" : "crc32c");
  const crc32c = createCrc32c(memory === undefined ? { module } : { module, memory });
  return { clock, timers, random, codecs, crc32c, log };
}

export const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** Node's timers take no longer delay: it would fire at once. */
const delayMsMax = 2 ** 31 - 1;

export const timers: Timers = {
  after(delayMs, callback) {
    if (delayMs <= 0) {
      const immediate = setImmediate(callback);
      return { cancel: () => clearImmediate(immediate) };
    }
    const timer = setTimeout(callback, Math.min(delayMs, delayMsMax));
    return { cancel: () => clearTimeout(timer) };
  },
  sleep(delayMs, signal) {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(Math.max(0, delayMs), delayMsMax));
      signal?.addEventListener("abort", wake, { once: true });
    });
  },
};

export const random: Random = {
  uniform: () => Math.random(),
  bytes(length) {
    const bytes = new Uint8Array(length);
    // getRandomValues refuses more than 64 KiB at once.
    for (let start = 0; start < length; start += 65_536) {
      crypto.getRandomValues(bytes.subarray(start, start + 65_536));
    }
    return bytes;
  },
};

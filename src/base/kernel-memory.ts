/**
 * The memory of a codec kernel: its own 64 KiB, then buffers that one call uses. WebAssembly memory
 * never shrinks, so after an unusually large call it is thrown away with its instance.
 */
import { StreamError } from "./stream-error.ts";

const pageBytes = 65536;

/** Where the buffers start: below is the kernel's. */
export const bufferPosition = pageBytes;

/** The kernels copy in steps of 16 bytes: so much room lies behind each buffer. */
export const bufferSlackBytes = 32;

/** A memory larger than this is not kept for the next call. */
const keptBytesMax = 16 * 1024 * 1024;

export class KernelMemory<Exports> {
  readonly #module: WebAssembly.Module;
  #memory: WebAssembly.Memory;
  #kernel: Exports;
  #bytes: Uint8Array;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
    this.#memory = new WebAssembly.Memory({ initial: 2 });
    this.#kernel = this.#instantiate();
    this.#bytes = new Uint8Array(this.#memory.buffer);
  }

  get kernel(): Exports {
    return this.#kernel;
  }

  /** The whole memory. Valid until the next `reserve` or `release`. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /**
   * Makes the memory at least `end` bytes and slack long; what it holds stays.
   * @throws StreamError `record_too_large` when the runtime has no such memory.
   */
  reserve(end: number): void {
    const missing = end + bufferSlackBytes - this.#bytes.length;
    if (missing <= 0) return;
    // Grow by half, so that output of unknown size costs few growths.
    const wanted = Math.max(missing, this.#bytes.length >>> 1);
    try {
      this.#memory.grow(Math.ceil(wanted / pageBytes));
    } catch (cause) {
      const message = `Cannot hold ${end} bytes while compressing or decompressing records`;
      throw new StreamError("record_too_large", message, { cause });
    }
    this.#bytes = new Uint8Array(this.#memory.buffer);
  }

  /** Copies bytes out, to be owned by the caller. */
  take(position: number, length: number): Uint8Array {
    return this.#bytes.slice(position, position + length);
  }

  /** Ends a call: gives up a memory that is too large to keep. */
  release(): void {
    if (this.#bytes.length <= keptBytesMax) return;
    this.#memory = new WebAssembly.Memory({ initial: 2 });
    this.#kernel = this.#instantiate();
    this.#bytes = new Uint8Array(this.#memory.buffer);
  }

  #instantiate(): Exports {
    const imports = { env: { memory: this.#memory } };
    return new WebAssembly.Instance(this.#module, imports).exports as Exports;
  }
}

/**
 * The memory that SQLite and all kernels of a query task share, and its allocator, which is
 * SQLite's. Growth detaches every view of it: take `bytes` and `view` again after any call into
 * WebAssembly, never keep them over one.
 */
import { StreamError } from "../../base/stream-error.ts";
import { slackBytes } from "../memory/column-layout.ts";

interface Allocator {
  malloc(bytes: number): number;
  free(address: number): void;
}

const encoder = new TextEncoder();
// Text is data: a byte order mark at its start belongs to it.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class SqliteMemory {
  /** What a task may allocate; a statement that needs more fails with `sql_memory_exceeded`. */
  readonly bytesMax: number;
  readonly #memory: WebAssembly.Memory;
  readonly #allocator: Allocator;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;

  constructor(options: {
    readonly memory: WebAssembly.Memory;
    readonly allocator: Allocator;
    readonly bytesMax: number;
  }) {
    this.#memory = options.memory;
    this.#allocator = options.allocator;
    this.bytesMax = options.bytesMax;
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#view = new DataView(this.#memory.buffer);
  }

  /** The whole memory; valid until the next call into WebAssembly. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  get view(): DataView<ArrayBuffer> {
    return this.#view;
  }

  /**
   * For whoever makes the memory grow, which leaves its views without a byte: to look for that at
   * each use costs ten times the use itself.
   */
  renew(): void {
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#view = new DataView(this.#memory.buffer);
  }

  /**
   * Address of `bytes` bytes, with the slack that readers may load behind them. Holds anything.
   * @throws StreamError `sql_memory_exceeded`
   */
  allocate(bytes: number): number {
    // Past 2 GiB a size would wrap to a negative one.
    const isPossible = bytes < 2 ** 31 - slackBytes;
    const address = isPossible ? this.#allocator.malloc(bytes + slackBytes) >>> 0 : 0;
    if (address === 0) throw this.exceeded(`allocate ${bytes} bytes`);
    return address;
  }

  /** As `allocate`, filled with zeros. */
  allocateZeroed(bytes: number): number {
    const address = this.allocate(bytes);
    this.bytes.fill(0, address, address + bytes);
    return address;
  }

  /** Gives back what `allocate` or a kernel's malloc gave; 0 is nothing. */
  free(address: number): void {
    if (address !== 0) this.#allocator.free(address);
  }

  /** A copy of `bytes` in this memory, to be freed by the caller. */
  place(bytes: Uint8Array): number {
    const address = this.allocate(bytes.length);
    this.bytes.set(bytes, address);
    return address;
  }

  /** A copy of `text` with a zero behind it, as C wants names; `length` is without the zero. */
  placeText(text: string): { readonly address: number; readonly length: number } {
    const bytes = encoder.encode(text);
    const address = this.allocate(bytes.length + 1);
    this.bytes.set(bytes, address);
    this.bytes[address + bytes.length] = 0;
    return { address, length: bytes.length };
  }

  /** Calls `use` with a zero-terminated copy of `text` that is freed afterwards. */
  withText<Result>(text: string, use: (address: number, length: number) => Result): Result {
    const { address, length } = this.placeText(text);
    try {
      return use(address, length);
    } finally {
      this.free(address);
    }
  }

  /** Calls `use` with the address of `bytes` zeroed bytes, which are freed afterwards. */
  withScratch<Result>(bytes: number, use: (address: number) => Result): Result {
    const address = this.allocateZeroed(bytes);
    try {
      return use(address);
    } finally {
      this.free(address);
    }
  }

  /** The text of `length` bytes at `address`; bytes that are no UTF-8 become U+FFFD. */
  text(address: number, length: number): string {
    return decoder.decode(this.bytes.subarray(address, address + length));
  }

  /** The text at `address` up to its zero; "" at 0. */
  textToZero(address: number): string {
    if (address === 0) return "";
    return this.text(address, this.bytes.indexOf(0, address) - address);
  }

  /** A copy that the caller owns. */
  take(address: number, length: number): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(address, address + length);
  }

  readUint32(address: number): number {
    return this.view.getUint32(address, true);
  }

  writeUint32(address: number, value: number): void {
    this.view.setUint32(address, value, true);
  }

  /** The error of an act that found no memory. */
  exceeded(act: string): StreamError {
    const message =
      `Cannot ${act}: the query may use ${this.bytesMax} bytes of memory, ` +
      `and has ${this.#memory.buffer.byteLength}. Raise its memory bound, or let it hold less`;
    return new StreamError("sql_memory_exceeded", message, {
      details: { memoryBytesMax: this.bytesMax },
    });
  }
}

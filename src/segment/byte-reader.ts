/**
 * Reads big-endian fields of segments and receipt objects. Every read is checked against the end,
 * so that a cut or a lie in a length is `corrupt_segment` with its place, never a RangeError.
 */
import { StreamError } from "../base/stream-error.ts";

const two32 = 4_294_967_296;

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  readonly #origin: number;
  #position: number;

  /**
   * `what` names the object in errors; `origin` is the place of the first byte in it, so that
   * errors count from the object's own start also when only its tail was read.
   */
  constructor(bytes: Uint8Array, what: string, origin = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
    this.#origin = origin;
    this.#position = 0;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  u8(field: string): number {
    return this.#view.getUint8(this.#take(1, field));
  }

  u16(field: string): number {
    return this.#view.getUint16(this.#take(2, field));
  }

  i16(field: string): number {
    return this.#view.getInt16(this.#take(2, field));
  }

  u32(field: string): number {
    return this.#view.getUint32(this.#take(4, field));
  }

  i32(field: string): number {
    return this.#view.getInt32(this.#take(4, field));
  }

  /** An int64 that must be a safe integer. */
  i64(field: string): number {
    const at = this.#take(8, field);
    const value = this.#view.getInt32(at) * two32 + this.#view.getUint32(at + 4);
    if (!Number.isSafeInteger(value)) throw this.corrupt(`${field} is beyond 2^53`, at);
    return value;
  }

  /** An int64 that must be a safe integer and not negative. */
  count(field: string): number {
    const value = this.i64(field);
    if (value < 0) throw this.corrupt(`${field} is ${value}, below zero`, this.#position - 8);
    return value;
  }

  /** A view of `length` bytes, not a copy. */
  bytes(length: number, field: string): Uint8Array {
    const at = this.#take(length, field);
    return this.#bytes.subarray(at, at + length);
  }

  text(length: number, field: string): string {
    const at = this.#position;
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(this.bytes(length, field));
    } catch (error) {
      if (error instanceof StreamError) throw error;
      throw this.corrupt(`${field} is not UTF-8`, at);
    }
  }

  /** Refuses a count of items that the bytes left cannot hold. */
  expectItems(count: number, itemLengthMin: number, field: string): void {
    if (count * itemLengthMin > this.remaining) {
      throw this.corrupt(`${count} ${field} cannot lie in ${this.remaining} bytes`);
    }
  }

  /** Refuses bytes after the last field. */
  expectEnd(): void {
    if (this.remaining > 0) throw this.corrupt(`${this.remaining} bytes follow the last field`);
  }

  corrupt(fact: string, position = this.#position): StreamError {
    return corruptSegment(`Cannot read ${this.#what}: ${fact}`, this.#origin + position);
  }

  #take(length: number, field: string): number {
    if (length > this.remaining) {
      throw this.corrupt(`${field} takes ${length} bytes, ${this.remaining} are left`);
    }
    const at = this.#position;
    this.#position += length;
    return at;
  }
}

/** A `corrupt_segment` that names the position in the object. */
export function corruptSegment(message: string, position: number): StreamError {
  return new StreamError("corrupt_segment", `${message} (at byte ${position})`, {
    details: { position },
  });
}

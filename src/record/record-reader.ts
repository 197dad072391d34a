/**
 * A cursor over the decompressed records of a batch. Every read is bounded by the record it belongs
 * to, so a hostile length can neither leave the buffer nor reach into the next record.
 */
import { StreamError } from "../base/stream-error.ts";

const twoTo27 = 2 ** 27;
const twoTo55 = 2 ** 55;

export class RecordReader {
  readonly bytes: Uint8Array;
  position = 0;
  /** Where the record at hand ends: nothing is read past it. */
  limit: number;
  /** Index of the record at hand, for messages. */
  recordIndex = -1;
  readonly #code: "invalid_record" | "corrupt_record";

  /** `code`: what malformed bytes are called, by where they came from. */
  constructor(bytes: Uint8Array, code: "invalid_record" | "corrupt_record") {
    this.bytes = bytes;
    this.limit = bytes.length;
    this.#code = code;
  }

  /** Enters the next record: reads its length, sets `limit`, skips its unused attributes. */
  enter(): void {
    this.recordIndex++;
    this.limit = this.bytes.length;
    const length = this.varint();
    const limit = this.position + length;
    if (length < 1 || limit > this.bytes.length) {
      throw this.refuse(`states ${length} bytes, ${this.bytes.length - this.position} are left`);
    }
    this.limit = limit;
    this.position++;
  }

  /** Leaves the record at hand, which must have been read to its end. */
  leave(): void {
    if (this.position === this.limit) return;
    throw this.refuse(`is ${this.limit - this.position} bytes longer than its fields`);
  }

  /** A zigzag int32. */
  varint(): number {
    const position = this.position;
    if (position < this.limit) {
      const byte = this.bytes[position] as number;
      if (byte < 0x80) {
        this.position = position + 1;
        return (byte >>> 1) ^ -(byte & 1);
      }
    }
    const raw = this.#longVarint();
    return (raw >>> 1) ^ -(raw & 1);
  }

  /** A zigzag int64, refused when it is no safe integer. */
  varlong(): number {
    let low = 0;
    let shift = 0;
    for (; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1);
    }
    return this.#longVarlong(low);
  }

  /** Reads a length (−1: null) and checks that so many bytes are left; they are not skipped. */
  length(what: string): number {
    const length = this.varint();
    if (length < -1) throw this.refuse(`has ${what} of ${length} bytes`);
    if (length > this.limit - this.position) {
      throw this.refuse(`has ${what} of ${length} bytes, ${this.limit - this.position} are left`);
    }
    return length;
  }

  /** Reads a length and skips as many bytes; −1 is null and skips none. Gives the length. */
  skip(what: string): number {
    const length = this.length(what);
    if (length > 0) this.position += length;
    return length;
  }

  /** Reads nullable bytes as a view. */
  view(what: string): Uint8Array | null {
    const length = this.length(what);
    if (length < 0) return null;
    const start = this.position;
    this.position = start + length;
    return this.bytes.subarray(start, this.position);
  }

  /** Reads the number of headers: each takes two bytes at least. */
  headerCount(): number {
    const count = this.varint();
    if (count < 0 || count > (this.limit - this.position) >>> 1) {
      throw this.refuse(`counts ${count} headers in ${this.limit - this.position} bytes`);
    }
    return count;
  }

  /** An error that names the record at hand. */
  refuse(what: string): StreamError {
    const message = `Cannot read record ${this.recordIndex} of a batch: it ${what}`;
    return new StreamError(this.#code, message, { details: { recordIndex: this.recordIndex } });
  }

  #byte(): number {
    if (this.position >= this.limit) throw this.refuse("ends within a number");
    return this.bytes[this.position++] as number;
  }

  #longVarint(): number {
    let raw = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      raw |= (byte & 0x7f) << shift;
      if (byte < 0x80) return raw;
    }
    throw this.refuse("has a 32-bit number of more than five bytes");
  }

  /** The rest of a varlong after its first four groups, 28 bits, in `low`. */
  #longVarlong(low: number): number {
    let middle = 0;
    let high = 0;
    for (let shift = 28; ; shift += 7) {
      if (shift === 70) throw this.refuse("has a 64-bit number of more than ten bytes");
      const byte = this.#byte();
      if (shift < 56) middle |= (byte & 0x7f) << (shift - 28);
      else high |= (byte & 0x7f) << (shift - 56);
      if (byte < 0x80) break;
    }
    const magnitude = (low >>> 1) + middle * twoTo27 + high * twoTo55;
    const value = (low & 1) === 0 ? magnitude : -magnitude - 1;
    if (!Number.isSafeInteger(value)) throw this.refuse("has a timestamp beyond 2^53");
    return value;
  }
}

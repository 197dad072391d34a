/**
 * Reads Kafka's primitive types, big-endian, from one buffer. Nothing is copied but strings and
 * uuids. Every read is checked against `end`; a length is checked before anything is made of it.
 */
import { int64Max } from "./field-table.ts";
import { WireFault } from "./wire-fault.ts";

// Kafka's Java broker replaces malformed UTF-8 as well; a BOM is part of the text.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Longest text that Kafka takes in a string field, in bytes, in compact form too. */
export const stringBytesMax = 0x7fff;

/** Texts up to this length are read by character, which costs less than a TextDecoder call. */
const shortTextBytesMax = 24;

export class WireReader {
  readonly bytes: Uint8Array;
  /** The next byte to be read, counted in `bytes`. */
  position: number;
  /** One past the last byte that may be read. */
  end: number;
  readonly #view: DataView;
  #elementsLeft: number;

  /** `elementsMax` bounds the array elements of the whole message, so the objects made of it. */
  constructor(bytes: Uint8Array, position: number, elementsMax: number) {
    this.bytes = bytes;
    this.position = position;
    this.end = bytes.length;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#elementsLeft = elementsMax;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** Steps over `length` bytes and returns where they began. */
  #advance(length: number): number {
    const start = this.position;
    if (length > this.end - start) {
      throw this.fault(`expected ${length} more bytes, ${this.end - start} are left`);
    }
    this.position = start + length;
    return start;
  }

  fault(problem: string): WireFault {
    return new WireFault(problem, this.position);
  }

  bool(): boolean {
    return this.#view.getInt8(this.#advance(1)) !== 0;
  }

  int8(): number {
    return this.#view.getInt8(this.#advance(1));
  }

  int16(): number {
    return this.#view.getInt16(this.#advance(2));
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4));
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  float64(): number {
    return this.#view.getFloat64(this.#advance(8));
  }

  int64(): number {
    const start = this.#advance(8);
    const high = this.#view.getInt32(start);
    const low = this.#view.getUint32(start + 4);
    const value = high * 0x1_0000_0000 + low;
    if (Number.isSafeInteger(value)) return value;
    if (high === 0x7fff_ffff && low === 0xffff_ffff) return int64Max;
    this.position = start;
    throw this.fault("the 64-bit integer is not below 2^53");
  }

  /** An unsigned varint of at most 32 bits. */
  uvarint(): number {
    const start = this.position;
    let value = 0;
    for (let index = 0; index < 5; index++) {
      const byte = this.#view.getUint8(this.#advance(1));
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break;
        return value;
      }
    }
    this.position = start;
    throw this.fault("the varint does not end within 32 bits");
  }

  /** Bytes that follow, as a view. */
  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.bytes.subarray(start, start + length);
  }

  uuid(): string {
    return this.take(16).toBase64({ alphabet: "base64url", omitPadding: true });
  }

  /** `length` bytes of UTF-8. */
  text(length: number): string {
    if (length > stringBytesMax) {
      throw this.fault(`the string has ${length} bytes, at most ${stringBytesMax} are allowed`);
    }
    const start = this.#advance(length);
    if (length <= shortTextBytesMax) {
      let text = "";
      let position = start;
      for (; position < start + length; position++) {
        const byte = this.#view.getUint8(position);
        if (byte >= 0x80) break;
        text += String.fromCharCode(byte);
      }
      if (position === start + length) return text;
    }
    return decoder.decode(this.bytes.subarray(start, start + length));
  }

  /** Length of a string (`int16`), or -1 for null; compact: uvarint of length + 1, 0 for null. */
  stringLength(compact: boolean): number {
    return this.#checkedLength(compact ? this.uvarint() - 1 : this.int16());
  }

  /** Length of bytes or records and count of an array, likewise, but `int32`. */
  length(compact: boolean): number {
    return this.#checkedLength(compact ? this.uvarint() - 1 : this.int32());
  }

  #checkedLength(length: number): number {
    if (length < -1) throw this.fault(`the length ${length} is negative`);
    return length;
  }

  /** Refuses a count of elements that what is left cannot hold, at `elementBytesMin` each. */
  checkCount(count: number, elementBytesMin: number): void {
    if (count * elementBytesMin > this.remaining) {
      throw this.fault(`${count} elements cannot be in the ${this.remaining} bytes left`);
    }
    this.#elementsLeft -= count;
    if (this.#elementsLeft < 0) throw this.fault("the message has too many array elements");
  }

  /** Steps over a tagged section of which no tag is known. */
  skipTags(): void {
    const count = this.uvarint();
    this.checkCount(count, 2);
    for (let index = 0; index < count; index++) {
      this.uvarint();
      this.#advance(this.uvarint());
    }
  }
}

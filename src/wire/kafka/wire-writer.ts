/**
 * Writes Kafka's primitive types, big-endian, into one growing buffer. Large byte values are not
 * copied into it but handed on as chunks of their own, so that a fetched batch goes from the store
 * to the socket untouched.
 */
import { int64Max } from "./field-table.ts";
import { WireFault } from "./wire-fault.ts";
import { stringBytesMax } from "./wire-reader.ts";

const encoder = new TextEncoder();

/** Below this a copy costs less than another chunk to write to the socket. */
const passThroughBytesMin = 1024;

const initialBytes = 256;

interface PassedChunk {
  /** Bytes of the gathered buffer that come before the chunk. */
  readonly position: number;
  readonly chunk: Uint8Array;
}

export class WireWriter {
  #bytes = new Uint8Array(initialBytes);
  #view = new DataView(this.#bytes.buffer);
  #position = 0;
  #passed: PassedChunk[] = [];
  #passedBytes = 0;
  /** Above 0 within a tagged field, whose size must be known in the gathered buffer. */
  #sizedDepth = 0;

  /** Bytes written so far, passed chunks included. */
  get byteLength(): number {
    return this.#position + this.#passedBytes;
  }

  fault(problem: string): WireFault {
    return new WireFault(problem, this.byteLength);
  }

  /** Makes room for `length` bytes and returns where they go; the view may be a new one then. */
  #reserve(length: number): number {
    const start = this.#position;
    const end = start + length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, start));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#position = end;
    return start;
  }

  #checkInteger(value: number, min: number, max: number): void {
    if (!Number.isInteger(value) || value < min || value > max) {
      throw this.fault(`${value} is no integer from ${min} to ${max}`);
    }
  }

  bool(value: boolean): void {
    const start = this.#reserve(1);
    this.#view.setInt8(start, value ? 1 : 0);
  }

  int8(value: number): void {
    this.#checkInteger(value, -0x80, 0x7f);
    const start = this.#reserve(1);
    this.#view.setInt8(start, value);
  }

  int16(value: number): void {
    this.#checkInteger(value, -0x8000, 0x7fff);
    const start = this.#reserve(2);
    this.#view.setInt16(start, value);
  }

  uint16(value: number): void {
    this.#checkInteger(value, 0, 0xffff);
    const start = this.#reserve(2);
    this.#view.setUint16(start, value);
  }

  int32(value: number): void {
    if ((value | 0) !== value) this.#checkInteger(value, -0x8000_0000, 0x7fff_ffff);
    const start = this.#reserve(4);
    this.#view.setInt32(start, value);
  }

  uint32(value: number): void {
    this.#checkInteger(value, 0, 0xffff_ffff);
    const start = this.#reserve(4);
    this.#view.setUint32(start, value);
  }

  float64(value: number): void {
    const start = this.#reserve(8);
    this.#view.setFloat64(start, value);
  }

  int64(value: number): void {
    const start = this.#reserve(8);
    if (Number.isSafeInteger(value)) {
      this.#view.setInt32(start, Math.floor(value / 0x1_0000_0000));
      this.#view.setUint32(start + 4, value >>> 0);
    } else if (value === int64Max) {
      this.#view.setInt32(start, 0x7fff_ffff);
      this.#view.setUint32(start + 4, 0xffff_ffff);
    } else {
      throw this.fault(`${value} is no integer below 2^53`);
    }
  }

  uvarint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      const start = this.#reserve(1);
      this.#view.setUint8(start, (rest & 0x7f) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    const start = this.#reserve(1);
    this.#view.setUint8(start, rest);
  }

  uuid(value: string): void {
    const start = this.#reserve(16);
    const target = this.#bytes.subarray(start, start + 16);
    if (value.length === 22 && setFromBase64(target, value) === 16) return;
    throw this.fault(`"${value}" is no base64url text of 16 bytes`);
  }

  /** A string with its length before it; null must be allowed by the caller. */
  string(value: string | null, compact: boolean): void {
    if (value === null) {
      this.#stringLength(-1, compact);
    } else if (isAscii(value)) {
      this.#stringLength(value.length, compact);
      const start = this.#reserve(value.length);
      for (let index = 0; index < value.length; index++) {
        this.#bytes[start + index] = value.charCodeAt(index);
      }
    } else {
      const encoded = encoder.encode(value);
      this.#stringLength(encoded.length, compact);
      this.raw(encoded);
    }
  }

  #stringLength(length: number, compact: boolean): void {
    if (length > stringBytesMax) {
      throw this.fault(`the string has ${length} bytes, at most ${stringBytesMax} are allowed`);
    }
    if (compact) this.uvarint(length + 1);
    else this.int16(length);
  }

  /** Length of bytes or records, or count of an array; -1 for null. */
  length(length: number, compact: boolean): void {
    if (compact) this.uvarint(length + 1);
    else this.int32(length);
  }

  /** Copies small `bytes`, passes large ones through; those must not change until they are sent. */
  raw(bytes: Uint8Array): void {
    if (bytes.length < passThroughBytesMin || this.#sizedDepth > 0) {
      const start = this.#reserve(bytes.length);
      this.#bytes.set(bytes, start);
      return;
    }
    this.#passed.push({ position: this.#position, chunk: bytes });
    this.#passedBytes += bytes.length;
  }

  /** Runs `write` and puts the size of what it wrote before it, as a tagged field has it. */
  sized(write: () => void): void {
    const start = this.#reserve(1);
    this.#sizedDepth++;
    write();
    this.#sizedDepth--;
    const end = this.#position;
    const size = end - start - 1;
    const extraBytes = uvarintBytes(size) - 1;
    if (extraBytes > 0) {
      this.#reserve(extraBytes);
      this.#bytes.copyWithin(start + 1 + extraBytes, start + 1, end);
    }
    this.#position = start;
    this.uvarint(size);
    this.#position = end + extraBytes;
  }

  /** Overwrites four bytes at `position`, which lies before the first passed chunk. */
  patchInt32(position: number, value: number): void {
    this.#view.setInt32(position, value);
  }

  /** All that was written, in order. The writer is spent; the chunks belong to the caller. */
  finish(): Uint8Array[] {
    const chunks: Uint8Array[] = [];
    let done = 0;
    for (const { position, chunk } of this.#passed) {
      if (position > done) chunks.push(this.#bytes.subarray(done, position));
      chunks.push(chunk);
      done = position;
    }
    if (this.#position > done || chunks.length === 0) {
      chunks.push(this.#bytes.subarray(done, this.#position));
    }
    return chunks;
  }
}

function uvarintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) count++;
  return count;
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) >= 0x80) return false;
  }
  return true;
}

/** Bytes of `target` that were set, or -1 when `text` is not base64url. */
function setFromBase64(target: Uint8Array, text: string): number {
  try {
    return target.setFromBase64(text, { alphabet: "base64url" }).written;
  } catch {
    return -1;
  }
}

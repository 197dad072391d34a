/**
 * Writes FlatBuffers, in which Arrow says what its bytes are. A table stands before what it refers
 * to, behind its own vtable:
 *
 * | part | bytes |
 * |---|---|
 * | vtable | u16 its own size, u16 the table's, u16 for each slot: where in the table it is, 0: absent |
 * | table | i32 how far the vtable is before it, then its fields, each at a multiple of its size |
 * | vector | u32 count, then elements; of references u32 each, how far ahead of themselves |
 * | string | u32 bytes, UTF-8, a NUL |
 *
 * All is little-endian. Numbers are written also where they are a schema's default.
 */
import { assert } from "../base/assert.ts";

/** A field of a table; undefined leaves it out. */
export type FlatField =
  | { readonly size: 1 | 2 | 4 | 8; readonly value: number }
  /** Writes what the field refers to, and says where it is. */
  | ((writer: FlatBuffer) => number)
  | undefined;

export const byte = (value: number): FlatField => ({ size: 1, value });
export const short = (value: number): FlatField => ({ size: 2, value });
export const int = (value: number): FlatField => ({ size: 4, value });
export const long = (value: number): FlatField => ({ size: 8, value });
export const flag = (value: boolean): FlatField => byte(value ? 1 : 0);
/** A table whose slots these are. */
export const table =
  (...fields: readonly FlatField[]): FlatField =>
  (writer) =>
    writer.table(fields);
export const text =
  (value: string): FlatField =>
  (writer) =>
    writer.text(value);
export const tables =
  (each: readonly FlatField[]): FlatField =>
  (writer) =>
    writer.references(each);
/** A vector of structs, each of the same count of longs. */
export const longs =
  (structs: readonly (readonly number[])[]): FlatField =>
  (writer) =>
    writer.structs(structs);

const utf8 = new TextEncoder();
const referenceBytes = 4;
const smallestBytes = 1024;

/** The bytes of a buffer whose root this is, padded to a multiple of eight. */
export function flatBuffer(root: FlatField): Uint8Array<ArrayBuffer> {
  return new FlatBuffer().finish(root);
}

class FlatBuffer {
  #bytes = new Uint8Array(smallestBytes);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  finish(root: FlatField): Uint8Array<ArrayBuffer> {
    this.#refer(this.#take(referenceBytes), root);
    this.#align(8);
    return this.#bytes.slice(0, this.#length);
  }

  table(fields: readonly FlatField[]): number {
    // The largest first, so that none needs a gap before it.
    const placed = fields
      .map((field, slot) => ({ field, slot, size: sizeOf(field) }))
      .filter(({ size }) => size > 0)
      .sort((left, right) => right.size - left.size);
    const places = new Array<number>(fields.length).fill(0);
    const isWide = placed[0]?.size === 8;
    let tableBytes = isWide ? 8 : referenceBytes;
    for (const { slot, size } of placed) {
      places[slot] = tableBytes;
      tableBytes += size;
    }
    const vtableBytes = 4 + 2 * fields.length;
    this.#align(2);
    while ((this.#length + vtableBytes) % 8 !== 0) this.#take(2);
    const vtable = this.#take(vtableBytes);
    const start = this.#take(tableBytes);
    this.#view.setUint16(vtable, vtableBytes, true);
    this.#view.setUint16(vtable + 2, tableBytes, true);
    for (const [slot, place] of places.entries()) {
      this.#view.setUint16(vtable + 4 + 2 * slot, place, true);
    }
    this.#view.setInt32(start, start - vtable, true);
    this.#align(referenceBytes);
    for (const { field, slot } of placed) this.#put(start + (places[slot] ?? 0), field);
    return start;
  }

  text(value: string): number {
    const encoded = utf8.encode(value);
    this.#align(referenceBytes);
    const start = this.#take(referenceBytes + encoded.length + 1);
    this.#view.setUint32(start, encoded.length, true);
    this.#bytes.set(encoded, start + referenceBytes);
    return start;
  }

  references(each: readonly FlatField[]): number {
    this.#align(referenceBytes);
    const start = this.#take(referenceBytes * (1 + each.length));
    this.#view.setUint32(start, each.length, true);
    for (const [index, field] of each.entries()) {
      this.#refer(start + referenceBytes * (1 + index), field);
    }
    return start;
  }

  structs(structs: readonly (readonly number[])[]): number {
    // The elements, not the count before them, stand at a multiple of eight.
    this.#align(8);
    this.#take(referenceBytes);
    const start = this.#take(referenceBytes);
    this.#view.setUint32(start, structs.length, true);
    for (const value of structs.flat()) this.#putLong(this.#take(8), value);
    return start;
  }

  #put(position: number, field: FlatField): void {
    if (field === undefined) return;
    if (typeof field === "function") {
      this.#refer(position, field);
      return;
    }
    const { size, value } = field;
    if (size === 8) this.#putLong(position, value);
    else if (size === 4) this.#view.setInt32(position, value, true);
    else if (size === 2) this.#view.setInt16(position, value, true);
    else this.#view.setUint8(position, value);
  }

  #putLong(position: number, value: number): void {
    this.#view.setBigInt64(position, BigInt(value), true);
  }

  #refer(position: number, field: FlatField): void {
    assert(typeof field === "function", "a reference is to a table, a text or a vector");
    const target = field(this);
    // Taken anew: the buffer may have grown.
    this.#view.setUint32(position, target - position, true);
  }

  #align(bytes: number): void {
    this.#take((bytes - (this.#length % bytes)) % bytes);
  }

  /** The next bytes, all zero. */
  #take(bytes: number): number {
    const start = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return start;
  }
}

function sizeOf(field: FlatField): number {
  if (field === undefined) return 0;
  return typeof field === "function" ? referenceBytes : field.size;
}

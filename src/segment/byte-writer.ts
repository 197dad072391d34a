/** Writes big-endian fields into a buffer that the caller sized. */
const two32 = 4_294_967_296;

export class ByteWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = position;
  }

  get position(): number {
    return this.#position;
  }

  u8(value: number): void {
    this.#view.setUint8(this.#position, value);
    this.#position += 1;
  }

  u16(value: number): void {
    this.#view.setUint16(this.#position, value);
    this.#position += 2;
  }

  i16(value: number): void {
    this.#view.setInt16(this.#position, value);
    this.#position += 2;
  }

  u32(value: number): void {
    this.#view.setUint32(this.#position, value);
    this.#position += 4;
  }

  i32(value: number): void {
    this.#view.setInt32(this.#position, value);
    this.#position += 4;
  }

  /** A safe integer as int64; written in halves because BigInt allocates. */
  i64(value: number): void {
    const high = Math.floor(value / two32);
    this.#view.setInt32(this.#position, high);
    this.#view.setUint32(this.#position + 4, value - high * two32);
    this.#position += 8;
  }

  bytes(value: Uint8Array): void {
    this.#bytes.set(value, this.#position);
    this.#position += value.length;
  }
}

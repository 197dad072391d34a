/** Bytes of JSON written one behind the other into one buffer: nothing is allocated per event. */
const zero = 48;

export class JsonTarget {
  readonly bytes: Uint8Array;
  /** Where the next byte goes. */
  length = 0;
  /** The minute whose text stands in `#minuteText`. */
  #minute = Number.NaN;
  readonly #minuteText = new Uint8Array(17);

  constructor(bytesMax: number) {
    this.bytes = new Uint8Array(bytesMax);
  }

  put(piece: Uint8Array): void {
    const { bytes } = this;
    let at = this.length;
    // A call of `set` costs more than the few bytes that pieces have.
    for (let index = 0; index < piece.length; index++) bytes[at++] = piece[index] as number;
    this.length = at;
  }

  /** A whole number from 0 to 2^53. */
  putNumber(value: number): void {
    let digits = 1;
    for (let limit = 10; value >= limit; limit *= 10) digits++;
    let left = value;
    let at = this.length + digits;
    this.length = at;
    for (let index = 0; index < digits; index++) {
      const tenth = Math.floor(left / 10);
      this.bytes[--at] = zero + left - tenth * 10;
      left = tenth;
    }
  }

  /** `2020-01-01 00:00:00.000`, without quotation marks. */
  putTimestamp(milliseconds: number): void {
    const minute = Math.floor(milliseconds / 60_000);
    if (minute !== this.#minute) {
      this.#minute = minute;
      const text = new Date(minute * 60_000).toISOString().slice(0, 17).replace("T", " ");
      new TextEncoder().encodeInto(text, this.#minuteText);
    }
    this.put(this.#minuteText);
    const inMinute = milliseconds - minute * 60_000;
    const second = Math.floor(inMinute / 1000);
    const rest = inMinute - second * 1000;
    const { bytes } = this;
    const at = this.length;
    bytes[at] = zero + Math.floor(second / 10);
    bytes[at + 1] = zero + (second % 10);
    bytes[at + 2] = 46;
    bytes[at + 3] = zero + Math.floor(rest / 100);
    bytes[at + 4] = zero + (Math.floor(rest / 10) % 10);
    bytes[at + 5] = zero + (rest % 10);
    this.length = at + 6;
  }
}

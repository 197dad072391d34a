/** Zigzag varints and UTF-8 as records hold them; each writer gives the position after. */

/** Bytes of a zigzag int32. */
export function varintLength(value: number): number {
  const raw = ((value << 1) ^ (value >> 31)) >>> 0;
  if (raw < 0x80) return 1;
  if (raw < 0x4000) return 2;
  if (raw < 0x20_0000) return 3;
  return raw < 0x1000_0000 ? 4 : 5;
}

/** Bytes of a zigzag int64; `value` is a safe integer or the difference of two. */
export function varlongLength(value: number): number {
  let rest = value >= 0 ? value : -value - 1;
  // The first byte holds six bits beside the sign, each further one seven.
  let length = 1;
  for (rest = Math.floor(rest / 0x40); rest > 0; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

export function writeVarint(target: Uint8Array, start: number, value: number): number {
  let position = start;
  let raw = ((value << 1) ^ (value >> 31)) >>> 0;
  while (raw >= 0x80) {
    target[position++] = raw | 0x80;
    raw >>>= 7;
  }
  target[position++] = raw;
  return position;
}

export function writeVarlong(target: Uint8Array, start: number, value: number): number {
  let position = start;
  const magnitude = value >= 0 ? value : -value - 1;
  let group = (magnitude % 0x40) * 2 + (value >= 0 ? 0 : 1);
  let rest = Math.floor(magnitude / 0x40);
  while (rest > 0) {
    target[position++] = group | 0x80;
    group = rest % 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[position++] = group;
  return position;
}

const encoder = new TextEncoder();

/** Bytes of `text` in UTF-8; a lone surrogate takes the three of U+FFFD, as TextEncoder has it. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    if (unit < 0x800) {
      length += 1;
      continue;
    }
    length += 2;
    if (unit < 0xd800 || unit > 0xdbff || index + 1 === text.length) continue;
    const next = text.charCodeAt(index + 1);
    // A pair takes four bytes for its two units.
    if (next >= 0xdc00 && next <= 0xdfff) index++;
  }
  return length;
}

/** Writes the length as varint, then the text. */
export function writeUtf8(target: Uint8Array, start: number, text: string): number {
  const length = utf8Length(text);
  const position = writeVarint(target, start, length);
  encoder.encodeInto(text, target.subarray(position, position + length));
  return position + length;
}

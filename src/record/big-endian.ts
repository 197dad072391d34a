/**
 * Big-endian integers in a byte array. Plain byte access, since batches are read one header at a
 * time and a DataView per header costs more than the header. The caller has checked the bounds.
 */

export function readInt16(bytes: Uint8Array, position: number): number {
  return (readUint16(bytes, position) << 16) >> 16;
}

export function readUint16(bytes: Uint8Array, position: number): number {
  return (byteAt(bytes, position) << 8) | byteAt(bytes, position + 1);
}

export function readInt32(bytes: Uint8Array, position: number): number {
  return (readUint16(bytes, position) << 16) | readUint16(bytes, position + 2);
}

export function readUint32(bytes: Uint8Array, position: number): number {
  return readInt32(bytes, position) >>> 0;
}

/** An int64 as a number: exact within ±2^53, rounded beyond, which `Number.isSafeInteger` tells. */
export function readInt64(bytes: Uint8Array, position: number): number {
  return readInt32(bytes, position) * 0x1_0000_0000 + readUint32(bytes, position + 4);
}

export function writeInt16(bytes: Uint8Array, position: number, value: number): void {
  bytes[position] = value >> 8;
  bytes[position + 1] = value;
}

export function writeInt32(bytes: Uint8Array, position: number, value: number): void {
  bytes[position] = value >> 24;
  bytes[position + 1] = value >> 16;
  bytes[position + 2] = value >> 8;
  bytes[position + 3] = value;
}

/** Writes a safe integer as int64. */
export function writeInt64(bytes: Uint8Array, position: number, value: number): void {
  writeInt32(bytes, position, Math.floor(value / 0x1_0000_0000));
  writeInt32(bytes, position + 4, value >>> 0);
}

function byteAt(bytes: Uint8Array, position: number): number {
  return bytes[position] as number;
}

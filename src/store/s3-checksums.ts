/** A CRC-32C as S3 is told of it. */

/** In the object's metadata. */
export function crcHex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}

/** As the checksum header wants it: four bytes, big-endian, in base64. */
export function crcBase64(crc: number): string {
  return Uint8Array.of(crc >>> 24, crc >>> 16, crc >>> 8, crc).toBase64();
}

/**
 * The compression port. Kafka's record batches name their codec in the low three bits of the
 * attributes; the same four serve HTTP bodies where the web knows them (gzip, zstd).
 */
export const codecNames = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
export type CodecName = (typeof codecNames)[number];

export type CompressionEffort = "usual" | "little";

export interface Codecs {
  /**
   * Compresses whole input; the result is a fresh buffer owned by the caller. `effort`: what zstd
   * and gzip make smaller, with as much time as is usual, or with little.
   */
  compress(codec: CodecName, input: Uint8Array, effort?: CompressionEffort): Uint8Array;
  /**
   * Decompresses whole input into a fresh buffer. `sizeMax` bounds the output in bytes: a bomb gets
   * `record_too_large`, malformed input `corrupt_record`. Snappy is taken raw and xerial-framed.
   */
  decompress(codec: CodecName, input: Uint8Array, options: { sizeMax: number }): Uint8Array;
}

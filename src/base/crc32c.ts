/**
 * CRC-32C (Castagnoli, RFC 3720 B.4), the checksum of Kafka record batches and of our segments.
 * The kernel is `wasm/crc32c.ts`; this is its port. `runtime/` loads the module, since workerd
 * takes WebAssembly by static import only.
 */
export interface Crc32c {
  /** CRC of `bytes` as an unsigned 32-bit number; `previous` continues an earlier result. */
  of(bytes: Uint8Array, previous?: number): number;
}

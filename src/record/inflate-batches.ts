/**
 * Record batches with their records decompressed, for readers in this process alone. A header keeps
 * what it says but for length and codec; its checksum is still that of the batch as it was stored,
 * which whoever read it there has checked.
 */
import type { Codecs } from "../base/codecs.ts";
import { StreamError } from "../base/stream-error.ts";
import { batchesIn } from "./batch.ts";
import {
  attributeBits,
  batchHeaderBytes,
  batchPrefixBytes,
  batchLayout as layout,
} from "./batch-layout.ts";
import { writeInt16, writeInt32 } from "./big-endian.ts";

/** Parts of batches, one behind the other. */
export interface InflatedParts {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
}

/**
 * Decompresses the batches that lie end to end in each of `chunks`.
 * @throws StreamError `record_too_large` beyond `bytesMax` in all, `corrupt_record`
 */
export function inflateBatches(
  chunks: readonly Uint8Array[],
  { codecs, bytesMax }: { readonly codecs: Codecs; readonly bytesMax: number },
): InflatedParts {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const add = (part: Uint8Array) => {
    parts.push(part);
    bytes += part.length;
    if (bytes > bytesMax) {
      throw new StreamError(
        "record_too_large",
        `Cannot hold more than ${bytesMax} bytes of decompressed batches`,
      );
    }
  };
  for (const chunk of chunks) {
    for (const { bytes: batch, header } of batchesIn(chunk)) {
      if (header.codec === "none") {
        add(batch);
        continue;
      }
      const packed = batch.subarray(batchHeaderBytes);
      const records = codecs.decompress(header.codec, packed, { sizeMax: bytesMax - bytes });
      const head = new Uint8Array(batch.subarray(0, batchHeaderBytes));
      const sizeBytes = batchHeaderBytes + records.length;
      writeInt32(head, layout.batchLength, sizeBytes - batchPrefixBytes);
      writeInt16(head, layout.attributes, header.attributes & ~attributeBits.codec);
      add(head);
      add(records);
    }
  }
  return { parts, bytes };
}

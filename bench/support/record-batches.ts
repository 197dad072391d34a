/** Record batches for loads: as the Java producer builds them, of one size throughout. */
import type { Crc32c } from "../../src/base/crc32c.ts";
import { silentLogger } from "../../src/base/log.ts";
import { encodeBatch } from "../../src/record/batch-encode.ts";
import { batchLayout } from "../../src/record/batch-layout.ts";
import { writeInt32 } from "../../src/record/big-endian.ts";
import { createPlatform } from "../../src/runtime/node/platform.ts";

export const platform = createPlatform({ log: silentLogger });

export interface BatchShape {
  /** Bytes of one record's value. */
  readonly recordBytes: number;
  /** The batch is as large as whole records allow, at least one. */
  readonly batchBytes: number;
}

export interface BatchOfLoad {
  readonly bytes: Uint8Array;
  readonly recordCount: number;
}

/** Length, attributes, timestamp and offset delta, key and header count of a small record. */
const recordOverheadBytes = 10;

export function makeBatch(
  { recordBytes, batchBytes }: BatchShape,
  producerId: number,
): BatchOfLoad {
  const recordCount = Math.max(1, Math.floor(batchBytes / (recordBytes + recordOverheadBytes)));
  const timestamp = platform.clock.now();
  const value = randomLetters(recordBytes);
  const bytes = encodeBatch(
    {
      records: Array.from({ length: recordCount }, () => ({ timestamp, key: null, value })),
      codec: "none",
      ...(producerId >= 0 && { producerId, producerEpoch: 0, baseSequence: 0 }),
    },
    platform,
  );
  return { bytes, recordCount };
}

/** Letters as producer-perf sends them. */
export function randomLetters(length: number): Uint8Array {
  return platform.random.bytes(length).map((byte) => 65 + (byte % 26));
}

/** Makes a batch the one with that first sequence: its checksum is made anew. */
export function setSequence(batch: Uint8Array, sequence: number, crc32c: Crc32c): void {
  writeInt32(batch, batchLayout.baseSequence, sequence);
  writeInt32(batch, batchLayout.crc, crc32c.of(batch.subarray(batchLayout.attributes)));
}

/** The golden batches as requests, and their records as HTTP readers get them. */
import { readFileSync } from "node:fs";
import { stampBatch } from "../../src/record/batch.ts";
import type { RecordInput } from "../../src/record/batch-encode.ts";

export interface JsonRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly { readonly key: string; readonly value: string | null }[];
}

const utf8 = new TextDecoder();

/** A golden batch as its producer sent it: the base offset is the log's. */
export function sentBatch(name: string): Uint8Array<ArrayBuffer> {
  const file = new URL(`../golden/fixtures/record-batch/${name}.bin`, import.meta.url);
  const batch = new Uint8Array(readFileSync(file));
  stampBatch(batch, 0, { baseOffset: 0, leaderEpoch: -1 });
  return batch;
}

export function textOfBytes(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : utf8.decode(bytes);
}

/** Offset and timestamp are left out: they are the log's, and librdkafka sends its own time. */
export function textOfJson({ key, value, headers }: JsonRecord): unknown {
  return { key, value, headers: headers.map((header) => [header.key, header.value]) };
}

export function textOfInput({ key, value, headers = [] }: RecordInput): unknown {
  return {
    key: textOfBytes(key),
    value: textOfBytes(value),
    headers: headers.map((header) => [header.key, textOfBytes(header.value)]),
  };
}

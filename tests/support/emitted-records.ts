/** What an Emitter wrote, read back by the log's own reader. */
import { encloseRecords } from "../../src/record/batch-encode.ts";
import { decodeRecords } from "../../src/record/batch-records.ts";
import type { Emitter, RecordChunk } from "../../src/sql/sqlite/emitter.ts";
import { codecs, crc32c } from "./record-tools.ts";

export interface EmittedRecord {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** All records up to the end of the rows; none may fail. */
export function emitAll(emitter: Emitter): EmittedRecord[] {
  const records: EmittedRecord[] = [];
  for (;;) {
    const outcome = emitter.next();
    if (outcome.chunk !== null) records.push(...recordsOf(outcome.chunk));
    if (outcome.kind === "failed") throw outcome.error;
    if (outcome.kind === "done") return records;
  }
}

/** The records of a chunk or of a batch. */
export function recordsOf(source: RecordChunk | Uint8Array): EmittedRecord[] {
  const batch =
    source instanceof Uint8Array
      ? source
      : encloseRecords(source, { codec: "none" }, { codecs, crc32c });
  return Array.from(
    decodeRecords(batch, { codecs, sizeMax: 2 ** 30 }),
    ({ key, value, timestamp }) => ({
      key: key === null ? null : decoder.decode(key),
      value: value === null ? null : decoder.decode(value),
      timestamp,
    }),
  );
}

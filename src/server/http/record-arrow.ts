/**
 * Records as Arrow. Keys and values are bytes there, since one may be text and the next one not;
 * headers are the JSON that they are in other answers.
 */

import type { ArrowColumn } from "../../arrow/arrow-column.ts";
import { IpcStream } from "../../arrow/ipc-stream.ts";
import { joinedBytes } from "../../base/joined-bytes.ts";
import type { LogRecord } from "../../record/types.ts";
import { headersJson } from "./record-json.ts";
import { noTextYet } from "./text-body.ts";

const columns: readonly ArrowColumn[] = [
  { name: "partition", type: { kind: "int", bits: 32 } },
  { name: "offset", type: { kind: "int", bits: 64 } },
  { name: "timestamp", type: { kind: "timestamp", isUtc: true } },
  { name: "key", type: { kind: "binary" } },
  { name: "value", type: { kind: "binary" } },
  { name: "headers", type: { kind: "json" } },
];

/** Text of the rows of one record batch, about, in characters. */
const batchLengthMin = 1024 * 1024;
/** The latest moment of a JavaScript date. */
const timestampMax = 8.64e15;

const utf8 = new TextEncoder();

/** A record as a row for IpcStream. */
export function arrowRow(record: LogRecord, partition: number): string {
  const { offset, timestamp, key, value, headers } = record;
  const hasTime = timestamp >= 0 && timestamp <= timestampMax;
  const time = hasTime ? `"${new Date(timestamp).toISOString().replace("T", " ")}"` : null;
  const head = `{"partition":${partition},"offset":${offset},"timestamp":${time}`;
  const [keyCell, valueCell] = [cell(key), cell(value)];
  return `${head},"key":${keyCell},"value":${valueCell},"headers":${headersJson(headers)}}`;
}

function cell(bytes: Uint8Array | null): string {
  return bytes === null ? "null" : `"${bytes.toBase64()}"`;
}

/** A whole document of these rows. */
export function arrowDocument(rows: readonly string[]): Uint8Array<ArrayBuffer> {
  const stream = new IpcStream(columns);
  const parts = [stream.head()];
  if (rows.length > 0) parts.push(stream.batch(rows.map((row) => utf8.encode(row))));
  parts.push(stream.end());
  return joinedBytes(parts);
}

/**
 * The pieces of a document, a record batch each, as they are made; an empty one says that the next
 * cannot be made now.
 */
export function* arrowPieces(
  rows: Iterator<string, void, undefined>,
): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  const stream = new IpcStream(columns);
  yield stream.head() as Uint8Array<ArrayBuffer>;
  let batch: Uint8Array[] = [];
  let length = 0;
  try {
    for (let next = rows.next(); next.done !== true; next = rows.next()) {
      const row = next.value;
      if (row !== noTextYet) {
        batch.push(utf8.encode(row));
        length += row.length;
        if (length < batchLengthMin) continue;
      }
      yield batch.length === 0
        ? new Uint8Array(0)
        : (stream.batch(batch) as Uint8Array<ArrayBuffer>);
      batch = [];
      length = 0;
    }
  } finally {
    rows.return?.();
  }
  if (batch.length > 0) yield stream.batch(batch) as Uint8Array<ArrayBuffer>;
  yield stream.end() as Uint8Array<ArrayBuffer>;
}

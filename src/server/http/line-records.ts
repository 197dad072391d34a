/**
 * Cuts a body of lines into records, a line a value, on its bytes: nothing is decoded. A line ends
 * with LF or CR LF, the last one may end with the body; empty lines are skipped.
 */
import { StreamError } from "../../base/stream-error.ts";
import type { RecordToAppend } from "./batch-build.ts";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export interface LineOptions {
  readonly key: Uint8Array | null;
  readonly partition: number | undefined;
  readonly timestamp: number;
  readonly recordCountMax: number;
}

/** Values are views of `body`. @throws StreamError `invalid_request` for none or too many. */
export function lineRecords(body: Uint8Array, options: LineOptions): RecordToAppend[] {
  const { key, partition, timestamp, recordCountMax } = options;
  const records: RecordToAppend[] = [];
  let start = 0;
  while (start < body.length) {
    const lineEnd = body.indexOf(lineFeed, start);
    const next = lineEnd === -1 ? body.length : lineEnd + 1;
    let end = lineEnd === -1 ? body.length : lineEnd;
    if (end > start && body[end - 1] === carriageReturn) end--;
    if (end > start) {
      if (records.length === recordCountMax) throw refuse(`at most ${recordCountMax} lines`);
      records.push({ key, value: body.subarray(start, end), timestamp, partition });
    }
    start = next;
  }
  if (records.length === 0) throw refuse("at least one line that is not empty");
  return records;
}

function refuse(expected: string): StreamError {
  return new StreamError("invalid_request", `Cannot append the body: expected ${expected}`, {
    details: { field: "body", expected },
  });
}

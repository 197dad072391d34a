/**
 * One pass over a batch's decompressed records, to check their structure before they are stored.
 * This runs for each record that comes in: nothing is allocated per record.
 */
import { StreamError } from "../base/stream-error.ts";
import { noTimestamp } from "./batch-layout.ts";
import { RecordReader } from "./record-reader.ts";

/** Inclusive, milliseconds since 1970. */
export interface TimestampBounds {
  readonly min: number;
  readonly max: number;
}

export interface WalkRecordsOptions {
  readonly recordCount: number;
  readonly baseTimestamp: number;
  /** Bounds of each timestamp other than −1. */
  readonly timestampBounds: TimestampBounds | undefined;
  readonly keysRequired: boolean;
}

const unbounded: TimestampBounds = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };

/** Of records without a timestamp it is −1. */
export interface TimestampRange {
  readonly least: number;
  readonly greatest: number;
}

/**
 * Checks that `records` holds exactly `recordCount` records whose offset deltas count from 0, each
 * as long as it says, and gives their timestamps' range; the greatest is −1 at least.
 * @throws StreamError `invalid_record`, or `invalid_timestamp` for one outside of the bounds.
 */
export function walkRecords(records: Uint8Array, options: WalkRecordsOptions): TimestampRange {
  const { recordCount, baseTimestamp, keysRequired } = options;
  const { min, max } = options.timestampBounds ?? unbounded;
  const reader = new RecordReader(records, "invalid_record");
  let greatest = noTimestamp;
  let least = Number.MAX_SAFE_INTEGER;
  for (let index = 0; index < recordCount; index++) {
    reader.enter();
    const timestamp = baseTimestamp + reader.varlong();
    if ((timestamp < min || timestamp > max) && timestamp !== noTimestamp) {
      throw outOfBounds(index, timestamp, { min, max });
    }
    if (timestamp > greatest) greatest = timestamp;
    if (timestamp < least) least = timestamp;
    const offsetDelta = reader.varint();
    if (offsetDelta !== index) throw reader.refuse(`has offset delta ${offsetDelta}`);
    if (reader.skip("a key") < 0 && keysRequired) {
      throw reader.refuse("has no key, which a compacted topic needs");
    }
    reader.skip("a value");
    const headerCount = reader.headerCount();
    for (let header = 0; header < headerCount; header++) {
      if (reader.skip("a header key") < 0) throw reader.refuse("has a header without a key");
      reader.skip("a header value");
    }
    reader.leave();
  }
  if (reader.position !== records.length) {
    throw new StreamError(
      "invalid_record",
      `Cannot append a record batch: ${records.length - reader.position} bytes follow its ` +
        `${recordCount} records`,
    );
  }
  return { least, greatest };
}

function outOfBounds(index: number, timestamp: number, bounds: TimestampBounds): StreamError {
  return new StreamError(
    "invalid_timestamp",
    `Cannot append record ${index} of a batch: its timestamp ${timestamp} is not within ` +
      `[${bounds.min}, ${bounds.max}]`,
    { details: { recordIndex: index } },
  );
}

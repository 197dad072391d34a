/**
 * Checks a whole segment, byte by byte as far as checksums reach, and says all that is wrong
 * instead of stopping at the first. Behind `streamctl segment verify` and the scan of rolling
 * files.
 *
 * Not covered by any checksum are a batch's base offset and leader epoch, which are stamped on the
 * way out and mean nothing here; its length is proved by where the next batch begins.
 */
import type { Crc32c } from "../base/crc32c.ts";
import { StreamError } from "../base/stream-error.ts";
import { type BatchHeader, type BatchSlice, checkBatchCrc } from "../record/batch.ts";
import { batchesOf, decodeFooter, decodeHeader } from "./decode.ts";
import { headerLength, trailerLength } from "./layout.ts";
import type { SegmentEntry, SegmentFooter, SegmentHeader } from "./segment.ts";
import { pointAtRecord } from "./sparse-index.ts";

export interface SegmentProblem {
  /** Bytes from the segment's start. */
  readonly position: number;
  readonly message: string;
}

export interface SegmentReport {
  /** Nothing is wrong. */
  readonly whole: boolean;
  /** The first hundred; `problemCount` counts all. */
  readonly problems: readonly SegmentProblem[];
  readonly problemCount: number;
  /** Absent when it could not be read. */
  readonly header: SegmentHeader | undefined;
  readonly footer: SegmentFooter | undefined;
  /** Batches and records that were found good. */
  readonly batchCount: number;
  readonly recordCount: number;
}

const problemsKept = 100;

/** Checks `bytes`, which should be exactly one segment. Never throws for what the bytes say. */
export function verifySegment(bytes: Uint8Array, crc32c: Crc32c): SegmentReport {
  const check = new Check(bytes, crc32c);
  const header = check.read(() => decodeHeader(bytes, crc32c));
  if (header !== undefined && header.length !== bytes.length) {
    check.report(32, `the header states ${header.length} bytes, ${bytes.length} are there`);
  }
  const footer = check.read(() => decodeFooter(bytes, { crc32c }));
  if (footer !== undefined) {
    if (header !== undefined) check.compare(header, footer);
    check.body(footer);
  }
  return {
    whole: check.problemCount === 0,
    problems: check.problems,
    problemCount: check.problemCount,
    header,
    footer,
    batchCount: check.batchCount,
    recordCount: check.recordCount,
  };
}

class Check {
  readonly problems: SegmentProblem[] = [];
  problemCount = 0;
  batchCount = 0;
  recordCount = 0;
  readonly #bytes: Uint8Array;
  readonly #crc32c: Crc32c;

  constructor(bytes: Uint8Array, crc32c: Crc32c) {
    this.#bytes = bytes;
    this.#crc32c = crc32c;
  }

  report(position: number, message: string): void {
    this.problemCount += 1;
    if (this.problems.length < problemsKept) this.problems.push({ position, message });
  }

  /** Runs a decoder; what it refuses becomes a problem at `position`, unless it names its own. */
  read<T>(decode: () => T, position = 0): T | undefined {
    try {
      return decode();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      const { position: at } = error.details;
      this.report(typeof at === "number" ? at : position, error.message);
      return undefined;
    }
  }

  compare(header: SegmentHeader, footer: SegmentFooter): void {
    const fields = ["version", "workerEpoch", "sequence", "createdAt", "length", "bodyLength"];
    for (const field of fields as (keyof SegmentHeader)[]) {
      if (header[field] === footer[field]) continue;
      this.report(0, `the header's ${field} is ${header[field]}, the footer's ${footer[field]}`);
    }
  }

  /** Entries must tile the body, and zeros fill what lies between it and the footer. */
  body(footer: SegmentFooter): void {
    let end = headerLength;
    for (const entry of footer.entries.toSorted((a, b) => a.position - b.position)) {
      if (entry.position !== end) {
        this.report(entry.position, `an entry begins here, the one before it ends at ${end}`);
      }
      end = entry.position + entry.length;
      this.#entry(entry);
    }
    const bodyEnd = headerLength + footer.bodyLength;
    if (end !== bodyEnd) this.report(end, `the last entry ends here, the body at ${bodyEnd}`);
    this.#padding(bodyEnd);
  }

  #padding(start: number): void {
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    const end =
      this.#bytes.length - trailerLength - view.getUint32(view.byteLength - trailerLength);
    for (let position = start; position < end; position += 1) {
      if (this.#bytes[position] === 0) continue;
      this.report(position, "the padding is not zero");
      return;
    }
  }

  #entry(entry: SegmentEntry): void {
    const found = { batches: 0, records: 0, maxTimestamp: -1 };
    const positions = new Set<number>();
    const walked = this.read(() => {
      for (const batch of batchesOf(this.#bytes, entry)) {
        positions.add(batch.position);
        this.#point(entry, batch.position, found);
        this.#batch(entry, batch);
        found.batches += 1;
        found.records += batch.header.recordCount;
        found.maxTimestamp = Math.max(found.maxTimestamp, batch.header.maxTimestamp);
      }
      return true;
    }, entry.position);
    if (walked === undefined) return;
    this.#count(entry, "batches", entry.batchCount, found.batches);
    this.#count(entry, "records", entry.recordCount, found.records);
    this.#count(entry, "maxTimestamp", entry.maxTimestamp, found.maxTimestamp);
    for (const point of entry.points) {
      if (!positions.has(point.position)) this.report(point.position, "no batch begins here");
    }
  }

  #count(entry: SegmentEntry, what: string, stated: number, found: number): void {
    if (stated === found) return;
    this.report(entry.position, `an entry states ${what} ${stated}, its batches have ${found}`);
  }

  #point(
    entry: SegmentEntry,
    position: number,
    before: { readonly records: number; readonly maxTimestamp: number },
  ): void {
    const point = entry.points.length === 0 ? undefined : pointAtRecord(entry, before.records);
    if (point === undefined || point.position !== position || position === entry.position) return;
    if (
      point.recordsBefore === before.records &&
      point.maxTimestampBefore === before.maxTimestamp
    ) {
      return;
    }
    this.report(position, "the index states other records or another timestamp before this batch");
  }

  #batch(entry: SegmentEntry, batch: BatchSlice): void {
    const { position, header, bytes } = batch;
    const before = this.problemCount;
    this.read(() => checkBatchCrc(bytes, this.#crc32c), position);
    if (this.problemCount > before) return;
    this.batchCount += 1;
    this.recordCount += header.recordCount;
    const producer = producerProblem(entry, header);
    if (producer !== undefined) this.report(position, producer);
  }
}

function producerProblem(entry: SegmentEntry, header: BatchHeader): string | undefined {
  if (entry.producerId === -1) return undefined;
  if (header.producerId === entry.producerId && header.producerEpoch === entry.producerEpoch) {
    return undefined;
  }
  return (
    `a batch of producer ${header.producerId} epoch ${header.producerEpoch} ` +
    `in an entry of producer ${entry.producerId} epoch ${entry.producerEpoch}`
  );
}

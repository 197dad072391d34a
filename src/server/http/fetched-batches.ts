/** Walks what a fetch returned, batch by batch and record by record. */
import type { Codecs } from "../../base/codecs.ts";
import { StreamError } from "../../base/stream-error.ts";
import type { FetchedPartition } from "../../log/log-types.ts";
import { type BatchSlice, batchesIn } from "../../record/batch.ts";
import { decodeRecords } from "../../record/batch-records.ts";
import type { LogRecord } from "../../record/types.ts";

export interface WalkOptions {
  /** Records below are left out. */
  readonly fromOffset: number;
  readonly codecs: Codecs;
  /** Bound of one batch once decompressed, bytes. */
  readonly decompressedBytesMax: number;
}

/** The records of the fetched batches, those of control batches left out; one batch at a time. */
export function* fetchedRecords(
  fetched: FetchedPartition,
  options: WalkOptions,
): Generator<LogRecord, void, undefined> {
  const { fromOffset, codecs, decompressedBytesMax: sizeMax } = options;
  for (const { header, bytes } of fetchedBatches(fetched)) {
    if (header.isControl) continue;
    yield* decodeRecords(bytes, { codecs, sizeMax, fromOffset });
  }
}

/** One past the last offset that the fetched batches cover; `fetchOffset` when there are none. */
export function nextOffsetAfter(fetched: FetchedPartition, fetchOffset: number): number {
  let next = fetchOffset;
  for (const { header } of fetchedBatches(fetched)) {
    next = Math.max(next, header.baseOffset + header.lastOffsetDelta + 1);
  }
  return next;
}

function* fetchedBatches(fetched: FetchedPartition): Generator<BatchSlice, void, undefined> {
  for (const chunk of fetched.chunks) yield* batchesIn(chunk);
}

/** What to throw for a partition that could not be read. */
export function fetchError(fetched: FetchedPartition, topicName: string, offset: number): Error {
  const { error = "object_missing", partition, logStartOffset, highOffset } = fetched;
  const where = `"${topicName}"/${partition}`;
  const isRange = error === "offset_out_of_range";
  const why = isRange ? `it holds ${logStartOffset} to ${highOffset}` : error.replaceAll("_", " ");
  const details = isRange ? { field: "offset", logStartOffset, highOffset } : {};
  return new StreamError(error, `Cannot read offset ${offset} of ${where}: ${why}`, { details });
}

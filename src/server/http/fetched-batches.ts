/** Walks what a fetch returned, batch by batch and record by record. */
import type { AnswerMemory } from "../../base/answer-memory.ts";
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
  /** Counts a batch that is decompressed while its records are walked. */
  readonly memory: AnswerMemory;
}

/**
 * The records of the fetched batches, those of control batches left out; one batch at a time.
 * `undefined`: there is no room now for the next batch decompressed; asking again looks again. Ends
 * by `return` as well, which gives back the room.
 */
export function* fetchedRecords(
  fetched: FetchedPartition,
  options: WalkOptions,
): Generator<LogRecord | undefined, void, undefined> {
  const { fromOffset, decompressedBytesMax: sizeMax, memory } = options;
  for (const { header, bytes } of fetchedBatches(fetched)) {
    if (header.isControl) continue;
    if (header.codec === "none") {
      yield* decodeRecords(bytes, { codecs: options.codecs, sizeMax, fromOffset });
      continue;
    }
    while (!memory.hasRoom) yield undefined;
    const owner = {};
    const codecs = countedCodecs(options.codecs, (size) => memory.hold(owner, size));
    try {
      yield* decodeRecords(bytes, { codecs, sizeMax, fromOffset });
    } finally {
      memory.release([owner]);
    }
  }
}

function countedCodecs(codecs: Codecs, count: (bytes: number) => void): Codecs {
  return {
    compress: (codec, input) => codecs.compress(codec, input),
    decompress(codec, input, options) {
      const bytes = codecs.decompress(codec, input, options);
      count(bytes.length);
      return bytes;
    },
  };
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

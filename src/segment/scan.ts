/**
 * Finds the segments in a rolling file, or in what a crash left of it. A segment begins and ends at
 * a multiple of 4096; where none can be read the scan steps on by 4096 until one can. What lies
 * between is a gap: a failed write inside of the file, a torn tail at its end.
 *
 * After a gap, bytes that producers wrote could pose as a segment. `workerEpoch` narrows that, and
 * `afterGap` tells it: believe such a segment only if the metadata or a receipt names it.
 */
import type { Crc32c } from "../base/crc32c.ts";
import { StreamError } from "../base/stream-error.ts";
import { decodeFooter, decodeHeader, footerReadBytes, footerTailLength } from "./decode.ts";
import { headerLength, segmentAlignment } from "./layout.ts";
import type { SegmentFooter, SegmentHeader } from "./segment.ts";
import { verifySegment } from "./verify.ts";

export interface ScanOptions {
  /** Reads exactly that many bytes; never asked for more than `sizeBytes` allows. */
  readonly read: (range: { position: number; length: number }) => Promise<Uint8Array>;
  /** The file's size. */
  readonly sizeBytes: number;
  readonly crc32c: Crc32c;
  /** Segments of other workers are not segments here. */
  readonly workerEpoch?: number;
  /**
   * Whether every batch is read and checked too. Without, a segment whose middle was lost with the
   * power still counts as whole; with, the whole file is read.
   */
  readonly checkBodies: boolean;
}

export type ScanFinding =
  | {
      readonly kind: "segment";
      readonly position: number;
      readonly footer: SegmentFooter;
      /** A gap lies somewhere before it. */
      readonly afterGap: boolean;
    }
  | {
      readonly kind: "gap";
      readonly position: number;
      readonly length: number;
      /** It runs to the file's end: the torn tail. */
      readonly atEnd: boolean;
      /** What was wrong where it begins. */
      readonly reason: string;
    };

/** How much is read at once while looking for the next header. */
const searchBytes = 1_048_576;

/** Walks the file in order of position. Errors: only those of `read`. */
export async function* scanSegments(options: ScanOptions): AsyncGenerator<ScanFinding, void> {
  const { sizeBytes } = options;
  let position = 0;
  let afterGap = false;
  while (position < sizeBytes) {
    const found = await segmentAt(options, position);
    if (typeof found !== "string") {
      yield { kind: "segment", position, footer: found, afterGap };
      position += found.length;
      continue;
    }
    const end = await nextSegmentStart(options, position + segmentAlignment);
    const length = end - position;
    yield { kind: "gap", position, length, atEnd: end === sizeBytes, reason: found };
    position = end;
    afterGap = true;
  }
}

/** The segment that begins at `position`, or why there is none. */
async function segmentAt(options: ScanOptions, position: number): Promise<SegmentFooter | string> {
  const { read, sizeBytes, crc32c } = options;
  const left = sizeBytes - position;
  if (left < segmentAlignment) return `${left} bytes are left`;
  const header = decoded(await read({ position, length: headerLength }), (bytes) =>
    decodeHeader(bytes, crc32c),
  );
  if (typeof header === "string") return header;
  const refusal = refusalOf(header, options, left);
  if (refusal !== undefined) return refusal;
  if (!options.checkBodies) return await footerAt(options, position, header);
  const report = verifySegment(await read({ position, length: header.length }), crc32c);
  if (report.whole && report.footer !== undefined) return report.footer;
  return report.problems[0]?.message ?? "the segment cannot be read";
}

function refusalOf(header: SegmentHeader, options: ScanOptions, left: number): string | undefined {
  if (header.length > left) return `a segment of ${header.length} bytes, ${left} are left`;
  const { workerEpoch } = options;
  if (workerEpoch === undefined || workerEpoch === header.workerEpoch) return undefined;
  return `a segment of worker epoch ${header.workerEpoch}, not ${workerEpoch}`;
}

async function footerAt(
  options: ScanOptions,
  position: number,
  header: SegmentHeader,
): Promise<SegmentFooter | string> {
  const end = position + header.length;
  let length = Math.min(header.length, footerReadBytes);
  for (;;) {
    const tail = await options.read({ position: end - length, length });
    const needed = decoded(tail, footerTailLength);
    if (typeof needed === "string") return needed;
    if (needed <= length || length === header.length) {
      const tailPosition = header.length - length;
      const footer = decoded(tail, (bytes) =>
        decodeFooter(bytes, { crc32c: options.crc32c, tailPosition }),
      );
      if (typeof footer === "string") return footer;
      const same =
        footer.workerEpoch === header.workerEpoch &&
        footer.sequence === header.sequence &&
        footer.length === header.length;
      return same ? footer : "its header and its footer are of two segments";
    }
    length = Math.min(header.length, needed);
  }
}

/** The next position where a segment can be read, or the file's end. */
async function nextSegmentStart(options: ScanOptions, start: number): Promise<number> {
  const { read, sizeBytes } = options;
  for (let window = start; window < sizeBytes; window += searchBytes) {
    const length = Math.min(searchBytes, sizeBytes - window);
    const bytes = await read({ position: window, length });
    for (let at = 0; at + headerLength <= length; at += segmentAlignment) {
      const header = decoded(bytes.subarray(at), (rest) => decodeHeader(rest, options.crc32c));
      if (typeof header === "string") continue;
      if (typeof (await segmentAt(options, window + at)) !== "string") return window + at;
    }
  }
  return sizeBytes;
}

/** What `decode` gives, or why it refused. */
function decoded<T>(bytes: Uint8Array, decode: (bytes: Uint8Array) => T): T | string {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof StreamError) return error.message;
    throw error;
  }
}

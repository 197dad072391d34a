/**
 * The record that a query's commit leaves in its checkpoint topic, and the parts of state that it
 * points to. A commit's record is the last of its publish; the newest one is where a task goes on.
 *
 *   0  u32 LE  length of the header
 *   4  header  JSON: see CommitHeader
 *   …  bytes   the state of this commit, where it is small enough to travel here
 *
 * State comes as a chain: a full part, then deltas, oldest first. A part lies in a commit record
 * (`inline`), or in the records of `firstOffset` to `lastOffset`, end to end.
 */
import * as z from "zod";
import { StreamError } from "../base/stream-error.ts";

const offset = z.number().int().nonnegative();

const cursorShape = z.object({
  topicNumber: z.number().int(),
  partition: z.number().int(),
  nextOffset: offset,
});

const partShape = z.object({
  kind: z.enum(["full", "delta"]),
  /** Null: the bytes behind this header. */
  firstOffset: offset.nullable(),
  lastOffset: offset.nullable(),
  isInline: z.boolean(),
  /** Bytes of the part, as it is stored. */
  bytes: z.number().int().nonnegative(),
});

const headerShape = z.object({
  version: z.literal(1),
  /** Goes up by one with every commit of the query. */
  sequence: z.number().int().nonnegative(),
  publishPosition: z.number().int(),
  cursors: z.array(cursorShape),
  chain: z.array(partShape),
  /** Parts at its head that are one full state: a large one is cut, a full part and deltas. */
  fullParts: z.number().int().positive().default(1),
  /** Batches of results that are stored as records of this topic and not all published yet. */
  pending: z
    .object({ firstOffset: offset, lastOffset: offset, publishedCount: z.number().int() })
    .nullable(),
  /** How far the results have come in event time, with those that are pending; null: unknown. */
  committed: z
    .object({ watermark: z.number().int(), activity: z.number().int() })
    .nullable()
    .default(null),
});

export type StatePart = z.infer<typeof partShape>;
export type CommitHeader = z.infer<typeof headerShape>;

export interface CommitRecord {
  readonly header: CommitHeader;
  /** Of the part that is inline here; empty when none is. */
  readonly inline: Uint8Array;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** One fresh buffer. */
export function encodeCommitRecord({ header, inline }: CommitRecord): Uint8Array {
  const text = encoder.encode(JSON.stringify(header));
  const bytes = new Uint8Array(4 + text.length + inline.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(inline, 4 + text.length);
  return bytes;
}

/** @throws StreamError `corrupt_state`; `inline` is a view of `bytes`. */
export function decodeCommitRecord(bytes: Uint8Array): CommitRecord {
  const end = bytes.length < 4 ? Number.POSITIVE_INFINITY : 4 + headerBytes(bytes);
  if (end > bytes.length) throw corrupt(`it has ${bytes.length} bytes`);
  let header: unknown;
  try {
    header = JSON.parse(decoder.decode(bytes.subarray(4, end)));
  } catch (error) {
    throw corrupt(String(error));
  }
  const checked = headerShape.safeParse(header);
  if (!checked.success) throw corrupt(z.prettifyError(checked.error));
  return { header: checked.data, inline: bytes.subarray(end) };
}

function headerBytes(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

function corrupt(why: string): StreamError {
  return new StreamError("corrupt_state", `Cannot read a query's commit: ${why}`);
}

/**
 * The cursor of an event stream: where a reader of all partitions of a topic goes on. It travels as
 * an SSE `id:` and comes back in `Last-Event-ID`, perhaps to another worker, which needs nothing
 * else. To clients it is opaque; its characters need no escaping in URLs or headers.
 *
 *     cursor   = snapshot [ "." partition "." nextOffset ]     numbers in base 36
 *     snapshot = base64url of:
 *       u8       version, 1
 *       16 bytes topic id
 *       varint   partition count
 *       varint   least next offset of all
 *       varint   per partition: its next offset − the least
 *
 * The tail replaces one partition's offset, so that each event of a run of one partition's records
 * costs a few characters more and no new snapshot. A thousand partitions whose offsets lie within
 * 2^35 of each other take at most 6.7 KB. Varints are little-endian groups of seven bits.
 */
import { StreamError } from "../../base/stream-error.ts";

export interface StreamCursor {
  /** Kafka's base64url text of 16 bytes. */
  readonly topicId: string;
  /** Next offset by partition. */
  readonly offsets: readonly number[];
}

const cursorVersion = 1;
const topicIdBytes = 16;
const headBytesMax = 1 + topicIdBytes + 5 + 8;
const offsetBytesMax = 8;
/** More is no cursor of ours: a topic has far fewer partitions. */
const partitionCountMax = 100_000;

/** The snapshot of a cursor; a cursor by itself. `topicId` is 22 characters of base64url. */
export function encodeCursor({ topicId, offsets }: StreamCursor): string {
  const bytes = new Uint8Array(headBytesMax + offsetBytesMax * offsets.length);
  bytes[0] = cursorVersion;
  bytes.set(Uint8Array.fromBase64(topicId, { alphabet: "base64url" }), 1);
  let position = writeNumber(bytes, 1 + topicIdBytes, offsets.length);
  let least = offsets[0] ?? 0;
  for (const offset of offsets) if (offset < least) least = offset;
  position = writeNumber(bytes, position, least);
  for (const offset of offsets) position = writeNumber(bytes, position, offset - least);
  return bytes.subarray(0, position).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** A cursor that stands at `nextOffset` in `partition`, else where `snapshot` does. */
export function advanceCursor(snapshot: string, partition: number, nextOffset: number): string {
  return `${snapshot}.${partition.toString(36)}.${nextOffset.toString(36)}`;
}

/** @throws StreamError `invalid_request` for text that no `encodeCursor` wrote. */
export function decodeCursor(text: string): StreamCursor {
  const [snapshot = "", ...tail] = text.split(".");
  const cursor = decodeSnapshot(snapshot);
  if (tail.length === 0) return cursor;
  const [partitionText, offsetText] = tail;
  if (tail.length !== 2 || partitionText === undefined || offsetText === undefined) throw refuse();
  const partition = parseBase36(partitionText);
  if (partition >= cursor.offsets.length) throw refuse();
  return { ...cursor, offsets: cursor.offsets.with(partition, parseBase36(offsetText)) };
}

function decodeSnapshot(text: string): StreamCursor {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    throw refuse();
  }
  if (bytes[0] !== cursorVersion || bytes.length < 1 + topicIdBytes + 2) throw refuse();
  const topicId = bytes
    .subarray(1, 1 + topicIdBytes)
    .toBase64({ alphabet: "base64url", omitPadding: true });
  const reader = new NumberReader(bytes, 1 + topicIdBytes);
  const count = reader.next();
  if (count < 1 || count > partitionCountMax || count > bytes.length) throw refuse();
  const least = reader.next();
  const offsets: number[] = [];
  for (let partition = 0; partition < count; partition++) {
    const offset = least + reader.next();
    if (!Number.isSafeInteger(offset)) throw refuse();
    offsets.push(offset);
  }
  if (reader.position !== bytes.length) throw refuse();
  return { topicId, offsets };
}

function parseBase36(text: string): number {
  const value = /^[0-9a-z]{1,11}$/.test(text) ? Number.parseInt(text, 36) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw refuse();
  return value;
}

/** A number below 2^53, in groups of seven bits; arithmetic, as shifts end at 32 bits. */
function writeNumber(bytes: Uint8Array, start: number, value: number): number {
  let position = start;
  let rest = value;
  while (rest >= 0x80) {
    bytes[position++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[position++] = rest;
  return position;
}

class NumberReader {
  readonly #bytes: Uint8Array;
  position: number;

  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes;
    this.position = position;
  }

  next(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 56; scale *= 0x80) {
      const byte = this.#bytes[this.position++];
      if (byte === undefined) throw refuse();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw refuse();
  }
}

function refuse(): StreamError {
  return new StreamError(
    "invalid_request",
    "Cannot resume the stream: the cursor is not one that this server gave out",
    { details: { field: "cursor", expected: "the id of an event of this stream" } },
  );
}

/**
 * The position of a client that polls a group: who it is, and what it was given of which partition.
 * It comes back with the next poll, at any worker, which then commits it. To clients it is opaque.
 *
 *     position = base64url of JSON, ".", CRC-32C of the JSON in base 36
 *     JSON = [1, group id, client id, [[topic id, partition, committed, next], ...]]
 *
 * `committed` is what the group had committed when the records were read, −1 for nothing; `next`
 * is what is to be committed now. The checksum finds what was cut off or mixed up; it keeps nobody
 * from writing a position of his own, who may set the group's offsets anyway.
 */
import * as z from "zod";
import type { Crc32c } from "../../base/crc32c.ts";
import { StreamError } from "../../base/stream-error.ts";

export interface HeldPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly committed: number;
  readonly next: number;
}

export interface PollPosition {
  readonly groupId: string;
  readonly clientId: string;
  readonly partitions: readonly HeldPartition[];
}

const positionShape = z.tuple([
  z.literal(1),
  z.string(),
  z.string(),
  z.array(z.tuple([z.string(), z.int().min(0), z.int().min(-1), z.int().min(0)])),
]);

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

export function encodePosition(position: PollPosition, crc32c: Crc32c): string {
  const { groupId, clientId, partitions } = position;
  const held = partitions.map((each) => [each.topicId, each.partition, each.committed, each.next]);
  const bytes = utf8.encode(JSON.stringify([1, groupId, clientId, held]));
  const text = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  return `${text}.${crc32c.of(bytes).toString(36)}`;
}

/** @throws StreamError `invalid_request` for what no poll of this group has answered. */
export function decodePosition(text: string, groupId: string, crc32c: Crc32c): PollPosition {
  const [encoded = "", sum] = text.split(".");
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(encoded, { alphabet: "base64url" });
  } catch {
    throw refuse();
  }
  if (crc32c.of(bytes).toString(36) !== sum) throw refuse();
  const parsed = positionShape.safeParse(parse(fromUtf8.decode(bytes)));
  if (!parsed.success || parsed.data[1] !== groupId) throw refuse();
  const [, , clientId, held] = parsed.data;
  return {
    groupId,
    clientId,
    partitions: held.map(([topicId, partition, committed, next]) => ({
      ...{ topicId, partition, committed, next },
    })),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refuse(): StreamError {
  return new StreamError(
    "invalid_request",
    "Cannot go on: the position is not one that a poll of this group has answered",
    { details: { field: "position", expected: "the position of the last answer, or none" } },
  );
}

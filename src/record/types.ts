/**
 * The nouns of the log. Offsets, timestamps and producer ids are numbers below 2^53 inside and
 * int64 on the wire; whoever decodes an int64 refuses what does not fit.
 */

/** A topic's identity: Kafka's base64url text of 16 bytes. A topic made again gets another. */
export type TopicId = string & { readonly __brand: "TopicId" };

/** A legal topic name (see topic-name.ts). */
export type TopicName = string & { readonly __brand: "TopicName" };

/** Map key of a TopicPartition. */
export function partitionKey(topicId: TopicId, partition: number): string {
  return `${topicId}/${partition}`;
}

const base64url = { alphabet: "base64url", omitPadding: true } as const;

/** The topic id of its 16 wire bytes. */
export function topicIdFromBytes(bytes: Uint8Array): TopicId {
  return bytes.toBase64(base64url) as TopicId;
}

/** The 16 wire bytes of a topic id. */
export function topicIdToBytes(topicId: TopicId): Uint8Array {
  return Uint8Array.fromBase64(topicId, { alphabet: "base64url" });
}

/** Kafka's null UUID: no topic. */
export const noTopicId = "AAAAAAAAAAAAAAAAAAAAAA" as TopicId;

/** A record as producers give it and readers get it. Bytes are views where that saves a copy. */
export interface LogRecord {
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

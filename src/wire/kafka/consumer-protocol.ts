/**
 * What consumers put into the opaque bytes of JoinGroup and SyncGroup: which topics a member wants
 * and has, and which partitions it gets.
 *
 * | bytes | field |
 * |---|---|
 * | 2 | version, int16 |
 * | … | the subscription or assignment in that version |
 *
 * A newer version is read as version 3 and what follows that is ignored, since later ones only add
 * fields at the end. 1: owned partitions (KIP-429). 2: the generation of which they are. 3: the
 * member's rack (KIP-881).
 */
import { type DecodeOptions, decodeMessage, writeMessage } from "./codec.ts";
import {
  arrayOf,
  bytes,
  type Decoded,
  defineMessage,
  type FieldTable,
  int16,
  int32,
  type MessageTable,
  string,
  structs,
} from "./field-table.ts";
import { WireWriter } from "./wire-writer.ts";

export interface ConsumerSubscription {
  readonly topics: readonly string[];
  /** The assignor's own. */
  readonly userData?: Uint8Array | null;
  readonly ownedPartitions?: readonly ConsumerTopicPartitions[];
  readonly generationId?: number;
  readonly rackId?: string | null;
}

export interface ConsumerAssignment {
  readonly assignedPartitions: readonly ConsumerTopicPartitions[];
  readonly userData?: Uint8Array | null;
}

export interface ConsumerTopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

const versions = { min: 0, max: 3 } as const;

const topicPartitions: FieldTable<ConsumerTopicPartitions> = {
  topic: string(),
  partitions: arrayOf(int32()),
};

export const consumerSubscription = defineMessage<ConsumerSubscription>({
  name: "ConsumerProtocolSubscription",
  versions,
  fields: {
    topics: arrayOf(string()),
    userData: bytes({ nullableSince: 0, default: null }),
    ownedPartitions: structs(topicPartitions, { since: 1, ignorable: true }),
    generationId: int32({ since: 2, default: -1, ignorable: true }),
    rackId: string({ since: 3, nullableSince: 3, default: null, ignorable: true }),
  },
});

export const consumerAssignment = defineMessage<ConsumerAssignment>({
  name: "ConsumerProtocolAssignment",
  versions,
  fields: {
    assignedPartitions: structs(topicPartitions),
    userData: bytes({ nullableSince: 0, default: null }),
  },
});

const versionPrefix = defineMessage<{ readonly version: number }>({
  name: "ConsumerProtocol version",
  versions: { min: 0, max: 0 },
  fields: { version: int16() },
});

const versionBytes = 2;

/**
 * Reads a subscription or assignment with its version. Byte fields are views into `encoded`.
 * Throws StreamError invalid_request when they are none, as in groups of another protocol type.
 */
export function decodeConsumerProtocol<T>(
  message: MessageTable<T>,
  encoded: Uint8Array,
): Decoded<T> & { readonly version: number } {
  const tolerant: DecodeOptions = { trailing: "ignore" };
  const { version } = decodeMessage(versionPrefix, 0, encoded, tolerant);
  const known = Math.min(version, versions.max);
  const value = decodeMessage(message, known, encoded, { ...tolerant, position: versionBytes });
  return { ...value, version };
}

/** Writes a subscription or assignment with its version, which is 0 to 3, into one new buffer. */
export function encodeConsumerProtocol<T>(
  message: MessageTable<T>,
  version: number,
  value: T,
): Uint8Array {
  const writer = new WireWriter();
  writeMessage(writer, versionPrefix, 0, { version });
  writeMessage(writer, message, version, value);
  const joined = new Uint8Array(writer.byteLength);
  let position = 0;
  for (const chunk of writer.finish()) {
    joined.set(chunk, position);
    position += chunk.length;
  }
  return joined;
}

/**
 * The assignment of a member in the `consumer` protocol, as consumers of every version write it:
 *
 *   int16 version | int32 topic count
 *   topic count x (int16 length, UTF-8 name, int32 partition count, partition count x int32)
 *   rest: the user's own data
 */
export interface AssignedTopic {
  readonly topic: string;
  readonly partitions: number[];
}

const utf8 = new TextDecoder();

/** The partitions of one member; none for bytes that are no such assignment. */
export function assignedTopics(assignment: Uint8Array): AssignedTopic[] {
  try {
    return readTopics(assignment);
  } catch (error) {
    // DataView's own check: the bytes end before the counts in them do.
    if (error instanceof RangeError) return [];
    throw error;
  }
}

function readTopics(bytes: Uint8Array): AssignedTopic[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const topicCount = view.getInt32(2);
  const topics: AssignedTopic[] = [];
  let position = 6;
  for (let index = 0; index < topicCount; index++) {
    const length = view.getInt16(position);
    const end = position + 2 + length;
    const partitionCount = view.getInt32(end);
    const topic = utf8.decode(bytes.subarray(position + 2, end));
    position = end + 4;
    const partitions: number[] = [];
    for (let count = 0; count < partitionCount; count++) {
      partitions.push(view.getInt32(position));
      position += 4;
    }
    topics.push({ topic, partitions });
  }
  return topics;
}

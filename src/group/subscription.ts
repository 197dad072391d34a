/**
 * The one part of the `consumer` protocol that the coordinator reads: which topics a member wants.
 * Everything else in a member's metadata belongs to the clients.
 *
 *   int16 version | int32 count | count x (int16 length, UTF-8 name) | what later versions add
 *
 * Every version begins like version 0.
 */

/** The protocol type of Kafka consumers. */
export const consumerProtocolType = "consumer";

const text = new TextDecoder("utf-8", { fatal: true });

/** The topics of one member's subscription, or null when the bytes are none. */
export function subscribedTopics(metadata: Uint8Array): readonly string[] | null {
  const view = new DataView(metadata.buffer, metadata.byteOffset, metadata.byteLength);
  if (metadata.length < 6 || view.getInt16(0) < 0) return null;
  const count = view.getInt32(2);
  const topics: string[] = [];
  let position = 6;
  // A name takes two bytes at least, so a false count ends the loop at the end of the bytes.
  for (let index = 0; index < count; index++) {
    if (position + 2 > metadata.length) return null;
    const length = view.getInt16(position);
    position += 2;
    if (length < 0 || position + length > metadata.length) return null;
    const name = decodeName(metadata.subarray(position, position + length));
    if (name === null) return null;
    topics.push(name);
    position += length;
  }
  return topics;
}

function decodeName(bytes: Uint8Array): string | null {
  try {
    return text.decode(bytes);
  } catch {
    return null;
  }
}

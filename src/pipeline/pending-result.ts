/**
 * A batch of results that waits in a query's checkpoint topic until its commit is published:
 *
 *   0  u8      length of the topic's name
 *   1  name    UTF-8
 *   …  u32 LE  partition
 *   …  bytes   the record batch
 */
export interface PendingResult {
  readonly topicName: string;
  readonly partition: number;
  readonly bytes: Uint8Array;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodePendingResult({ topicName, partition, bytes }: PendingResult): Uint8Array {
  const name = encoder.encode(topicName);
  const record = new Uint8Array(5 + name.length + bytes.length);
  record[0] = name.length;
  record.set(name, 1);
  new DataView(record.buffer).setUint32(1 + name.length, partition, true);
  record.set(bytes, 5 + name.length);
  return record;
}

/** `bytes` is a copy: a batch that is appended gets its offsets in place. */
export function decodePendingResult(record: Uint8Array): PendingResult {
  const nameEnd = 1 + (record[0] ?? 0);
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  return {
    topicName: decoder.decode(record.subarray(1, nameEnd)),
    partition: view.getUint32(nameEnd, true),
    bytes: record.slice(nameEnd + 4),
  };
}

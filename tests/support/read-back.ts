/** Reads a partition to its end through fetch, checking that offsets are contiguous on the way. */
import { assert, present } from "../../src/base/assert.ts";
import type { Codecs } from "../../src/base/codecs.ts";
import type { LogService } from "../../src/log/log-types.ts";
import type { TopicInfo } from "../../src/meta/catalog.ts";
import { batchesIn } from "../../src/record/batch.ts";
import { decodeRecords } from "../../src/record/batch-records.ts";

export interface ReadRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly value: string;
}

export interface ReadBackOptions {
  readonly partition?: number;
  readonly from?: number;
  readonly bytesMax?: number;
  /** What a fetch waits for, were it to wait. */
  readonly bytesMin?: number;
}

export async function readBack(
  stack: { readonly log: LogService; readonly platform: { readonly codecs: Codecs } },
  topic: TopicInfo,
  { partition = 0, from = 0, bytesMax = 1024 * 1024, bytesMin = 1 }: ReadBackOptions = {},
): Promise<ReadRecord[]> {
  const records: ReadRecord[] = [];
  let offset = from;
  for (;;) {
    const [item] = await stack.log.fetch({
      partitions: [
        {
          topicId: topic.topicId,
          partition,
          fetchOffset: offset,
          partitionBytesMax: bytesMax,
          currentLeaderEpoch: -1,
        },
      ],
      bytesMin,
      bytesMax: 50 * 1024 * 1024,
      waitMsMax: 0,
    });
    const found = present(item, "partition of the answer");
    if (found.error !== undefined) throw new Error(`fetch at ${offset}: ${found.error}`);
    if (found.bytes === 0) return records;
    const start = offset;
    for (const chunk of found.chunks) {
      for (const batch of batchesIn(chunk)) {
        const options = { codecs: stack.platform.codecs, sizeMax: 2 ** 24, fromOffset: start };
        for (const record of decodeRecords(batch.bytes, options)) {
          assert(record.offset === offset, `offset ${offset} follows, not ${record.offset}`);
          const value = new TextDecoder().decode(record.value ?? undefined);
          records.push({ offset, timestamp: record.timestamp, value });
          offset += 1;
        }
      }
    }
  }
}

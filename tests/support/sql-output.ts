/** Records that a query has written, read back as texts. */
import type { Codecs } from "../../src/base/codecs.ts";
import type { Log } from "../../src/log/log.ts";
import type { TopicInfo } from "../../src/meta/catalog.ts";
import { batchesIn } from "../../src/record/batch.ts";
import { decodeRecords } from "../../src/record/batch-records.ts";
import type { OutputBatch } from "../../src/sql/engine/task-output.ts";
import { codecs } from "./record-tools.ts";

export interface OutputRow {
  readonly key: string | null;
  readonly value: string | null;
}

export function rowsOf(
  outputs: readonly Pick<OutputBatch, "bytes">[],
  packed: Codecs,
): OutputRow[] {
  const rows: OutputRow[] = [];
  for (const { bytes } of outputs) {
    for (const batch of batchesIn(bytes)) {
      for (const record of decodeRecords(batch.bytes, { codecs: packed, sizeMax: 1e8 })) {
        rows.push({ key: textOf(record.key), value: textOf(record.value) });
      }
    }
  }
  return rows;
}

/** All records of a topic, partition by partition; empty while there is no such topic. */
export async function readTopic(log: Log, name: string): Promise<OutputRow[]> {
  const topic = await log.topics.byName(name);
  if (topic === undefined) return [];
  const rows: OutputRow[] = [];
  for (let partition = 0; partition < topic.partitionCount; partition++) {
    rows.push(...(await readPartition(log, topic, partition)));
  }
  return rows;
}

async function readPartition(log: Log, topic: TopicInfo, partition: number): Promise<OutputRow[]> {
  const [status] = await log.status([{ topic, partition }]);
  const rows: OutputRow[] = [];
  for (let offset = status?.logStartOffset ?? 0; offset < (status?.highOffset ?? 0); ) {
    const place = { topicId: topic.topicId, partition, fetchOffset: offset };
    const [found] = await log.fetch({
      partitions: [{ ...place, partitionBytesMax: 1e8, currentLeaderEpoch: -1 }],
      ...{ bytesMin: 0, bytesMax: 1e8, waitMsMax: 0 },
    });
    for (const chunk of found?.chunks ?? []) {
      for (const { bytes } of batchesIn(chunk)) {
        for (const record of decodeRecords(bytes, { codecs, sizeMax: 1e8, fromOffset: offset })) {
          rows.push({ key: textOf(record.key), value: textOf(record.value) });
          offset = record.offset + 1;
        }
      }
    }
  }
  return rows;
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

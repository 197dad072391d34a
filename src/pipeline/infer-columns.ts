/**
 * Columns of a stream whose statement names none: from the records that its topic holds already.
 */
import type { Platform } from "../base/platform.ts";
import type { LogService } from "../log/log-types.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import { batchesIn } from "../record/batch.ts";
import { decodeRecords } from "../record/batch-records.ts";
import type { StreamColumn } from "../sql/check/catalog.ts";
import type { DataType } from "../sql/types/data-type.ts";
import { inferType } from "../sql/types/infer-type.ts";

/** Newest bytes of each partition that are looked at. */
const sampleBytes = 256 * 1024;
const recordsMax = 1_000;
const decompressedMax = 64 * 1024 * 1024;

const decoder = new TextDecoder();

/**
 * In the order in which fields first appear; every column may be NULL. Empty: nothing to learn
 * from.
 */
export async function inferColumns(
  parts: {
    readonly platform: Platform;
    readonly log: Pick<LogService, "fetch" | "status">;
  },
  topic: TopicInfo,
  format: "json" | "raw",
): Promise<StreamColumn[]> {
  if (format === "raw") return [column("value", { kind: "varchar", length: null })];
  const types = new Map<string, DataType>();
  let seen = 0;
  for await (const value of recentValues(parts, topic)) {
    const object = parsed(value);
    if (object === null) continue;
    for (const [name, field] of Object.entries(object)) {
      const type = inferType(field, types.get(name) ?? null);
      if (type !== null) types.set(name, type);
    }
    if (++seen >= recordsMax) break;
  }
  return [...types].map(([name, type]) => column(name, type));
}

function column(name: string, type: DataType): StreamColumn {
  return { name, type, nullable: true, from: { kind: "value" } };
}

function parsed(value: Uint8Array): Record<string, unknown> | null {
  try {
    const json: unknown = JSON.parse(decoder.decode(value));
    return typeof json === "object" && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

async function* recentValues(
  {
    platform,
    log,
  }: {
    readonly platform: Platform;
    readonly log: Pick<LogService, "fetch" | "status">;
  },
  topic: TopicInfo,
): AsyncGenerator<Uint8Array, void> {
  for (let partition = 0; partition < topic.partitionCount; partition++) {
    const [status] = await log.status([{ topic, partition }]);
    if (status === undefined || status.highOffset === status.logStartOffset) continue;
    const fetchOffset = Math.max(status.logStartOffset, status.highOffset - recordsMax);
    const [found] = await log.fetch({
      partitions: [
        {
          ...{ topicId: topic.topicId, partition, fetchOffset },
          ...{ partitionBytesMax: sampleBytes, currentLeaderEpoch: -1 },
        },
      ],
      ...{ bytesMin: 0, bytesMax: sampleBytes, waitMsMax: 0 },
    });
    for (const chunk of found?.chunks ?? []) {
      for (const { bytes, header } of batchesIn(chunk)) {
        if (header.isControl) continue;
        const options = { codecs: platform.codecs, sizeMax: decompressedMax };
        for (const { value } of decodeRecords(bytes, options)) if (value !== null) yield value;
      }
    }
  }
}

/** Record values of a run: each names itself and its length, so any damage shows. */
import type { AppendBatch } from "../../src/log/log-types.ts";
import type { TopicInfo } from "../../src/meta/catalog.ts";
import { readBatchHeader } from "../../src/record/batch.ts";
import { encodeBatch } from "../../src/record/batch-encode.ts";
import type { World } from "./world.ts";

export interface SentRecord {
  readonly id: string;
  readonly bytes: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function valueBytesOf({ id, bytes }: SentRecord): Uint8Array {
  return encoder.encode(`${id}|${bytes}|`.padEnd(bytes, "~"));
}

/** The id of a value that was read; undefined when it is not as it was made. */
export function idOf(value: Uint8Array | null): string | undefined {
  const text = decoder.decode(value ?? undefined);
  const [id, bytes] = text.split("|");
  if (id === undefined || bytes === undefined) return undefined;
  return text === decoder.decode(valueBytesOf({ id, bytes: Number(bytes) })) ? id : undefined;
}

export interface SentBatch {
  readonly partition: number;
  readonly records: readonly SentRecord[];
  readonly timestamp: number;
  readonly producer?: { readonly id: number; readonly epoch: number; readonly sequence: number };
}

export function encodeSent(world: World, topic: TopicInfo, batch: SentBatch): AppendBatch {
  const { partition, producer } = batch;
  const bytes = encodeBatch(
    {
      records: batch.records.map((record, index) => ({
        timestamp: batch.timestamp + index,
        key: null,
        value: valueBytesOf(record),
      })),
      codec: "none",
      ...(producer && {
        producerId: producer.id,
        producerEpoch: producer.epoch,
        baseSequence: producer.sequence,
      }),
    },
    world.time,
  );
  return { topic, partition, bytes, header: readBatchHeader(bytes) };
}

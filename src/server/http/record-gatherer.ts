/**
 * Gathers single-record requests that arrive in the same turn of the event loop into one batch per
 * partition. Each alone would cost a batch header of 61 bytes, a checksum and a place in the queue
 * of the log, and readers a batch per record. It never waits for more: the batch leaves in the next
 * turn, so an idle server delays nobody. The requests stay independent until here: each was checked
 * alone, and what befalls the batch befalls all (the store is down, the queue is full).
 */
import { present } from "../../base/assert.ts";
import type { Platform } from "../../base/platform.ts";
import type { Appended, LogService } from "../../log/log-types.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import { type RecordInput, recordBytesUpperBound } from "../../record/batch-encode.ts";
import { batchHeaderBytes } from "../../record/batch-layout.ts";
import { partitionKey } from "../../record/types.ts";
import { buildBatches } from "./batch-build.ts";
import { topicRules } from "./topic-rules.ts";

interface Gathering {
  readonly topic: TopicInfo;
  readonly partition: number;
  readonly records: RecordInput[];
  /** Settle with the offset of the record of the same index. */
  readonly settlers: { resolve(offset: number): void; reject(error: unknown): void }[];
  bytes: number;
}

export class RecordGatherer {
  readonly #log: LogService;
  readonly #platform: Platform;
  #gatherings = new Map<string, Gathering>();

  constructor(options: { readonly log: LogService; readonly platform: Platform }) {
    this.#log = options.log;
    this.#platform = options.platform;
  }

  /** Appends `record`, checked before; resolves with its offset. Its bytes are lent until then. */
  append(topic: TopicInfo, partition: number, record: RecordInput): Promise<number> {
    const bytes = recordBytesUpperBound(record);
    const gathering = this.#gatheringFor(topic, partition, bytes);
    gathering.bytes += bytes;
    gathering.records.push(record);
    return new Promise((resolve, reject) => gathering.settlers.push({ resolve, reject }));
  }

  #gatheringFor(topic: TopicInfo, partition: number, bytes: number): Gathering {
    const key = partitionKey(topic.topicId, partition);
    const known = this.#gatherings.get(key);
    const bytesMax = topicRules(topic).batchBytesMax;
    if (known !== undefined && known.bytes + bytes <= bytesMax) return known;
    if (known !== undefined) this.#send(known);
    if (this.#gatherings.size === 0) this.#platform.timers.after(0, () => this.#sendAll());
    const records: RecordInput[] = [];
    const gathering = { topic, partition, records, settlers: [], bytes: batchHeaderBytes };
    this.#gatherings.set(key, gathering);
    return gathering;
  }

  #sendAll(): void {
    const gatherings = this.#gatherings;
    this.#gatherings = new Map();
    for (const gathering of gatherings.values()) this.#send(gathering);
  }

  #send(gathering: Gathering): void {
    this.#append(gathering).then(
      ({ baseOffset }) => {
        gathering.settlers.forEach(({ resolve }, index) => {
          resolve(baseOffset + index);
        });
      },
      (error: unknown) => {
        for (const { reject } of gathering.settlers) reject(error);
      },
    );
  }

  async #append({ topic, partition, records }: Gathering): Promise<Appended> {
    const [batch] = buildBatches(topic, { partition, records }, this.#platform);
    return this.#log.append(present(batch, "batch"));
  }
}

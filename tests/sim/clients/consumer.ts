/**
 * A reader: follows a partition from worker to worker with long polls, and now and then reads from
 * some offset in the middle. It holds every answer against what is known.
 */

import type { CurrentBytes } from "../../../src/base/lent-bytes.ts";
import type { FetchedPartition } from "../../../src/log/log-types.ts";
import { batchesIn, checkBatchCrc } from "../../../src/record/batch.ts";
import { decodeRecords } from "../../../src/record/batch-records.ts";
import type { TopicId } from "../../../src/record/types.ts";
import type { Dice } from "../dice.ts";
import { idOf } from "../record-values.ts";
import { isActive, linkToAny, type RunContext } from "../run-context.ts";
import type { World } from "../world.ts";

export interface ConsumerOptions {
  readonly name: string;
  readonly topic: string;
  readonly dice: Dice;
}

interface Place {
  readonly topicId: TopicId;
  readonly partition: number;
}

export class Consumer {
  readonly name: string;
  readonly #context: RunContext;
  readonly #options: ConsumerOptions;
  readonly #generation: number;
  readonly #positions = new Map<string, number>();
  #place: Place | undefined;

  constructor(context: RunContext, options: ConsumerOptions) {
    this.#context = context;
    this.#options = options;
    this.#generation = context.generation;
    this.name = options.name;
  }

  async run(): Promise<void> {
    const { dice } = this.#options;
    while (isActive(this.#context, this.#generation)) {
      try {
        await this.#step();
      } catch (error) {
        this.#context.world.note(`${this.name}: ${String(error)}`);
        await this.#context.world.sleep(dice.below(100));
      }
      await this.#context.world.sleep(dice.below(20));
    }
  }

  async #step(): Promise<void> {
    const { dice } = this.#options;
    if (this.#place === undefined || dice.chance(0.2)) await this.#choosePlace();
    const place = this.#place;
    if (place === undefined) return;
    const history = this.#context.history.of(place.topicId, place.partition);
    if (dice.chance(0.1)) {
      await this.#askEnd(place);
      return;
    }
    const key = `${place.topicId}/${place.partition}`;
    const follows = dice.chance(0.7);
    const offset = follows
      ? (this.#positions.get(key) ?? 0)
      : dice.below(Math.max(1, history.end + 1));
    const next = await this.#read(place, offset);
    if (follows && next !== undefined) this.#positions.set(key, next);
  }

  async #choosePlace(): Promise<void> {
    const { dice } = this.#options;
    const topic = await linkToAny(this.#context, dice).call((log) =>
      log.topics.byName(this.#options.topic),
    );
    if (topic === undefined) this.#place = undefined;
    else {
      const partition = dice.below(topic.partitionCount);
      this.#place = { topicId: topic.topicId, partition };
    }
  }

  /** The end is never below what anybody was acknowledged before the question. */
  async #askEnd({ topicId, partition }: Place): Promise<void> {
    const { world, history: all } = this.#context;
    const history = all.of(topicId, partition);
    const { end } = history;
    const cutCount = history.cuts.length;
    const link = linkToAny(this.#context, this.#options.dice);
    const found = await link.call(async (log) => {
      const topic = await log.topics.byId(topicId);
      return topic && log.findOffset(topic, partition, "latest");
    });
    if (
      found !== undefined &&
      found.offset < end &&
      history.cuts.length === cutCount &&
      this.#generation === this.#context.generation
    ) {
      world.violate(
        `${link.worker.name} says ${history.name} ends at ${found.offset}, known is ${end}`,
      );
    }
  }

  /** Reads once from `offset`; returns the next offset to read. */
  async #read(place: Place, offset: number): Promise<number | undefined> {
    const { dice } = this.#options;
    const { world } = this.#context;
    const history = this.#context.history.of(place.topicId, place.partition);
    const { end } = history;
    const cutCount = history.cuts.length;
    const link = linkToAny(this.#context, dice);
    const waitMsMax = dice.chance(0.5) ? dice.between(1, 800) : 0;
    const bytesMax = dice.pick([1, 500, 5_000, 100_000]);
    const sentAfterMs = dice.pick([undefined, 0, dice.below(400)]);
    const [item] = await link.call(async (log) => {
      const items = await log.fetch({
        partitions: [
          { ...place, fetchOffset: offset, partitionBytesMax: bytesMax, currentLeaderEpoch: -1 },
        ],
        bytesMin: 1,
        bytesMax: 200_000,
        waitMsMax,
        lends: sentAfterMs !== undefined,
      });
      if (sentAfterMs === undefined) return items;
      // Lent bytes are read when they are sent, while the log goes on.
      await world.sleep(sentAfterMs);
      const sent = items.map((each) => ({ ...each, chunks: sentChunks(each, log.lent) }));
      log.release(items);
      return sent;
    });
    if (item === undefined || this.#generation !== this.#context.generation) return undefined;
    const by = `${this.name} via ${link.worker.name}`;
    if (item.error !== undefined) return this.#refused(item, { place, offset, end, by, cutCount });
    const records = takeRecords(world, item, offset);
    if (typeof records === "string") {
      world.violate(`${by}: ${history.name} from ${offset}: ${records}`);
      return undefined;
    }
    for (const record of records) this.#context.history.seen({ ...place, by }, record);
    const isCut = history.cuts.length !== cutCount;
    if (records.length === 0 && offset < end && waitMsMax === 0 && !isCut) {
      world.violate(`${by}: nothing at ${history.name} ${offset}, known end is ${end}`);
    }
    world.note(`${by} read ${history.name} ${offset}+${records.length}`);
    return offset + records.length;
  }

  #refused(
    item: FetchedPartition,
    what: { place: Place; offset: number; end: number; by: string; cutCount: number },
  ): number | undefined {
    const { world, history: all } = this.#context;
    const { place, offset, end, by } = what;
    const history = all.of(place.topicId, place.partition);
    world.note(`${by}: ${history.name} ${offset}: ${item.error}`);
    switch (item.error) {
      case "offset_out_of_range": {
        if (history.cuts.length !== what.cutCount) return item.logStartOffset;
        if (offset >= all.startMaxOf(place.topicId, place.partition) && offset <= end) {
          world.violate(`${by}: ${history.name} ${offset} is denied, known end is ${end}`);
        }
        return item.logStartOffset;
      }
      case "topic_id_unknown":
      case "partition_unknown":
      case "topic_unknown":
        if (this.#options.topic !== "churn") {
          world.violate(`${by}: ${history.name} is denied with ${item.error}`);
        }
        this.#place = undefined;
        return undefined;
      case "corrupt_segment":
      case "object_missing":
        // Lost bytes that are not cut yet: asked for again until they are.
        if (this.#context.machinesLosePower) return undefined;
        world.violate(`${by}: ${history.name} ${offset}: ${item.error}`);
        return undefined;
      case "store_unavailable":
      case "metadata_unavailable":
        return undefined;
      default:
        world.violate(`${by}: ${history.name} ${offset}: ${item.error}`);
        return undefined;
    }
  }
}

export interface TakenRecord {
  readonly offset: number;
  readonly id: string | undefined;
  readonly leaderEpoch: number;
}

function sentChunks({ chunks }: FetchedPartition, lent: CurrentBytes): readonly Uint8Array[] {
  return chunks.map((chunk) => lent.current(chunk).slice());
}

/** The records of an answer from `from` on, or what is wrong with it. */
export function takeRecords(
  world: World,
  item: FetchedPartition,
  from: number,
): readonly TakenRecord[] | string {
  const records: TakenRecord[] = [];
  let next = from;
  for (const chunk of item.chunks) {
    for (const { bytes, header } of batchesIn(chunk)) {
      const { partitionLeaderEpoch: leaderEpoch } = header;
      try {
        checkBatchCrc(bytes, world.time.crc32c);
      } catch (error) {
        return String(error);
      }
      const options = { codecs: world.time.codecs, sizeMax: 2 ** 24, fromOffset: from };
      for (const { offset, value } of decodeRecords(bytes, options)) {
        if (offset !== next) return `offset ${next} follows, not ${offset}`;
        records.push({ offset, id: idOf(value), leaderEpoch });
        next += 1;
      }
    }
  }
  return records;
}

/**
 * What this worker knows of each partition's ends: learned from its own publishes, from the change
 * feed and from every confirmation in the metadata. It may lag behind; it is never ahead.
 */
import { type PartitionSlot, topicNumberOf } from "./partition-slot.ts";

export interface KnownPartition {
  readonly highOffset: number;
  readonly logStartOffset: number;
  readonly leaderEpoch: number;
}

export class PartitionTable {
  readonly #known = new Map<PartitionSlot, KnownPartition>();
  readonly #onEpoch: (slot: PartitionSlot, leaderEpoch: number) => void;

  /**
   * `onEpoch` hears of leader epochs that are new here, whoever brought them: in each the log may
   * have been cut, at an offset which by then may have been written anew.
   */
  constructor(onEpoch: (slot: PartitionSlot, leaderEpoch: number) => void = () => {}) {
    this.#onEpoch = onEpoch;
  }

  get(slot: PartitionSlot): KnownPartition | undefined {
    return this.#known.get(slot);
  }

  /** Takes news that may arrive out of order: neither end ever moves back within an epoch. */
  learn(slot: PartitionSlot, news: KnownPartition): void {
    const old = this.#known.get(slot);
    if (old === undefined || news.leaderEpoch > old.leaderEpoch) {
      this.#known.set(slot, news);
      this.#onEpoch(slot, news.leaderEpoch);
      return;
    }
    if (news.leaderEpoch < old.leaderEpoch) return;
    if (news.highOffset <= old.highOffset && news.logStartOffset <= old.logStartOffset) return;
    this.#known.set(slot, {
      highOffset: Math.max(old.highOffset, news.highOffset),
      logStartOffset: Math.max(old.logStartOffset, news.logStartOffset),
      leaderEpoch: news.leaderEpoch,
    });
  }

  forget(slot: PartitionSlot): void {
    this.#known.delete(slot);
  }

  /** The topics that partitions are known of. */
  topicNumbers(): number[] {
    const numbers = new Set<number>();
    for (const slot of this.#known.keys()) numbers.add(topicNumberOf(slot));
    return [...numbers];
  }

  /** Drops what is known of topics that are gone: their numbers never come again. */
  forgetTopics(topicNumbers: ReadonlySet<number>): void {
    for (const slot of this.#known.keys()) {
      if (topicNumbers.has(topicNumberOf(slot))) this.#known.delete(slot);
    }
  }

  clear(): void {
    this.#known.clear();
  }
}

/**
 * What clients sent, what was acknowledged and what readers saw, by topic incarnation and
 * partition. Each new fact is held against the older ones at once:
 *
 * - an acknowledged offset holds the acknowledged record, in every reader's eyes, for ever;
 * - an offset once seen never shows another record;
 * - a record sent exactly-once is at one offset;
 * - nobody reads what nobody sent;
 * - what is acknowledged is never denied: the end is asked for and is beyond it.
 *
 * Where machines lose their power alone, clients live through cuts: what lies behind a cut is
 * forgotten, and what answers still say of it afterwards, told by its leader epoch, is no fact.
 */
import type { World } from "../world.ts";

export interface PartitionHistory {
  readonly name: string;
  readonly acked: Map<number, string>;
  readonly seen: Map<number, string>;
  /** Where a record sent exactly-once was acknowledged or seen. */
  readonly offsets: Map<string, number>;
  /** One past the last offset acknowledged or seen. */
  end: number;
  /** The log start may have been moved up to here on somebody's demand. */
  startMax: number;
  /** Each made the leader epoch that it names. */
  readonly cuts: { readonly end: number; readonly leaderEpoch: number }[];
}

/** An exactly-once request over several partitions: visible whole or not at all. */
export interface SentGroup {
  readonly topicId: string;
  readonly records: readonly { readonly partition: number; readonly id: string }[];
}

export class History {
  readonly #world: World;
  readonly #partitions = new Map<string, PartitionHistory>();
  readonly #sent = new Set<string>();
  readonly #trimmed = new Set<string>();
  readonly groups: SentGroup[] = [];
  ackedCount = 0;
  seenCount = 0;

  constructor(world: World) {
    this.#world = world;
  }

  of(topicId: string, partition: number): PartitionHistory {
    const name = `${topicId.slice(0, 6)}/${partition}`;
    let history = this.#partitions.get(`${topicId}/${partition}`);
    if (history === undefined) {
      history = {
        name,
        acked: new Map(),
        seen: new Map(),
        offsets: new Map(),
        end: 0,
        startMax: 0,
        cuts: [],
      };
      this.#partitions.set(`${topicId}/${partition}`, history);
    }
    return history;
  }

  /** Called before the first attempt. Ids of exactly-once producers begin with `!`. */
  sent(id: string): void {
    this.#sent.add(id);
  }

  acked(
    where: { readonly topicId: string; readonly partition: number; readonly by: string },
    what: {
      readonly baseOffset: number;
      readonly ids: readonly string[];
      /** Undefined: the answer does not say. */
      readonly leaderEpoch?: number | undefined;
    },
  ): void {
    const history = this.of(where.topicId, where.partition);
    this.ackedCount += what.ids.length;
    what.ids.forEach((id, index) => {
      const offset = what.baseOffset + index;
      if (wasCut(history, { offset, leaderEpoch: what.leaderEpoch ?? -1 })) return;
      this.#hold(history, { offset, id, by: `ack of ${where.by}` });
      history.acked.set(offset, id);
    });
    this.#world.note(`acked ${history.name} ${what.baseOffset}+${what.ids.length} ${where.by}`);
  }

  seen(
    where: { readonly topicId: string; readonly partition: number; readonly by: string },
    what: {
      readonly offset: number;
      readonly id: string | undefined;
      readonly leaderEpoch: number;
    },
  ): void {
    const history = this.of(where.topicId, where.partition);
    const { offset, id } = what;
    if (id === undefined || !this.#sent.has(id)) {
      this.#world.violate(`${where.by} read what nobody sent at ${history.name} ${offset}: ${id}`);
      return;
    }
    this.seenCount += 1;
    if (wasCut(history, what)) return;
    this.#hold(history, { offset, id, by: where.by });
    history.seen.set(offset, id);
  }

  /** From now on retention moves log starts of this topic as it likes. */
  trimmed(topicId: string): void {
    this.#trimmed.add(topicId);
  }

  /** How far the log start may have been moved. */
  startMaxOf(topicId: string, partition: number): number {
    if (this.#trimmed.has(topicId)) return Number.MAX_SAFE_INTEGER;
    return this.of(topicId, partition).startMax;
  }

  /** Forgets what a power loss took with fsync off: the partition ends at `end` now. */
  cut(topicId: string, partition: number, end: number): void {
    const history = this.of(topicId, partition);
    for (const map of [history.acked, history.seen]) {
      for (const offset of [...map.keys()]) if (offset >= end) map.delete(offset);
    }
    for (const [id, offset] of [...history.offsets]) {
      if (offset >= end) history.offsets.delete(id);
    }
    history.end = Math.min(history.end, end);
  }

  /** As `cut`, while clients go on; the cut made `leaderEpoch`. */
  cutAlive(
    { topicId, partition }: { readonly topicId: string; readonly partition: number },
    cut: { readonly end: number; readonly leaderEpoch: number },
  ): void {
    this.cut(topicId, partition, cut.end);
    const { cuts, name } = this.of(topicId, partition);
    cuts.push(cut);
    this.#world.note(`${name} is cut at ${cut.end}, leader epoch ${cut.leaderEpoch}`);
  }

  /** Topic incarnations and partitions that anything is known of. */
  keys(): { readonly topicId: string; readonly partition: number }[] {
    return [...this.#partitions.keys()].map((key) => {
      const slash = key.lastIndexOf("/");
      return { topicId: key.slice(0, slash), partition: Number(key.slice(slash + 1)) };
    });
  }

  #hold(history: PartitionHistory, fact: { offset: number; id: string; by: string }): void {
    const { offset, id, by } = fact;
    const before = history.acked.get(offset) ?? history.seen.get(offset);
    if (before !== undefined && before !== id) {
      this.#world.violate(`${history.name} ${offset} was ${before}, is ${id} (${by})`);
    }
    if (id.startsWith("!")) {
      const elsewhere = history.offsets.get(id);
      if (elsewhere !== undefined && elsewhere !== offset) {
        this.#world.violate(`${id} is doubled: ${history.name} ${elsewhere}, ${offset} (${by})`);
      }
      history.offsets.set(id, offset);
    }
    history.end = Math.max(history.end, offset + 1);
  }
}

function wasCut(
  { cuts }: PartitionHistory,
  { offset, leaderEpoch }: { readonly offset: number; readonly leaderEpoch: number },
): boolean {
  return cuts.some((cut) => offset >= cut.end && leaderEpoch < cut.leaderEpoch);
}

/**
 * How a worker hears of what its peers publish. A change counter is asked for while somebody waits,
 * and before a short answer is given; only when it has moved are the new index rows read. Where one
 * process owns the database there is nothing to hear, and nothing is asked.
 */
import type { Platform, TimerHandle } from "../base/platform.ts";
import { movedEnds } from "../meta/ends.ts";
import { changeCounter, changesAfter, type PartitionState } from "../meta/log-index.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { anyPublish, type PartitionSlot, partitionSlot } from "./partition-slot.ts";
import type { PartitionTable } from "./partition-table.ts";
import type { Waiters } from "./waiters.ts";

/**
 * Between questions while somebody waits, unless told otherwise: well within the 100 ms in which
 * peers must be seen.
 */
const pollMsDefault = 20;

/** Publishes read per question. */
const segmentsPerRead = 512;

/** Moved partitions read per question. */
const endsPerRead = 1000;

export interface ChangeFeedParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly table: PartitionTable;
  readonly waiters: Waiters;
  /** False where this process is the only one. */
  readonly shared: boolean;
  /** Where peers call `sync` after their publishes, questions may be rarer; +∞: none is asked. */
  readonly pollMs?: number | undefined;
  /** Topics came, went or changed. */
  readonly onCatalogChange: () => void;
  /** Somebody waits for these. */
  readonly onWait?: ((slots: readonly PartitionSlot[]) => void) | undefined;
  /** As the table's `onEpoch`, of partitions that it does not know. */
  readonly onEpoch: (slot: PartitionSlot, leaderEpoch: number) => void;
}

export class ChangeFeed {
  readonly #parts: ChangeFeedParts;
  #publishPosition = 0;
  #catalogVersion = -1;
  #endsVersion = 0;
  #syncing: Promise<void> | undefined;
  #timer: TimerHandle | undefined;
  #closed = false;

  constructor(parts: ChangeFeedParts) {
    this.#parts = parts;
    parts.waiters.onWait = (slots) => {
      parts.onWait?.(slots);
      this.#arm();
    };
  }

  /** Starts from what is published now. */
  async open(): Promise<void> {
    const counter = await changeCounter(this.#parts.database);
    this.#publishPosition = counter.publishPosition;
    this.#catalogVersion = counter.catalogVersion;
    this.#endsVersion = counter.endsVersion;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** Publishes up to here were heard of. */
  get publishPosition(): number {
    return this.#publishPosition;
  }

  get catalogVersion(): number {
    return this.#catalogVersion;
  }

  /**
   * Whether who waits so long hears of everything meanwhile, as peers call `sync` themselves: then
   * nothing needs to be asked before.
   */
  hearsWithin(waitMs: number): boolean {
    const { pollMs } = this.#parts;
    return pollMs !== undefined && waitMs > pollMs;
  }

  /** Resolves when everything published before the call is known here. */
  async sync(): Promise<void> {
    if (!this.#parts.shared) return;
    // A question already under way may have been answered before the caller's moment.
    await this.#syncing?.catch(() => {});
    this.#syncing ??= this.#read().finally(() => {
      this.#syncing = undefined;
    });
    await this.#syncing;
  }

  /** Resolves when ends are known that moved other than by a publish, also by this worker. */
  async readEnds(): Promise<void> {
    let after = {
      endsVersion: this.#endsVersion,
      topicNumber: Number.MAX_SAFE_INTEGER,
      partition: 0,
    };
    for (;;) {
      const { states, last } = await movedEnds(this.#parts.database, { after, limit: endsPerRead });
      for (const state of states) this.#moved(state);
      if (last === null) break;
      after = last;
    }
    this.#endsVersion = Math.max(this.#endsVersion, after.endsVersion);
  }

  #arm(): void {
    if (!this.#parts.shared || this.#closed || this.#timer !== undefined) return;
    const { platform, pollMs = pollMsDefault } = this.#parts;
    if (!Number.isFinite(pollMs)) return;
    this.#timer = platform.timers.after(pollMs, () => void this.#poll());
  }

  async #poll(): Promise<void> {
    try {
      await this.sync();
    } catch (error) {
      this.#parts.platform.log.debug("change counter unread", { error: String(error) });
    }
    this.#timer = undefined;
    if (this.#parts.waiters.count > 0) this.#arm();
  }

  async #read(): Promise<void> {
    const { database, onCatalogChange } = this.#parts;
    const counter = await changeCounter(database);
    if (counter.catalogVersion !== this.#catalogVersion) {
      this.#catalogVersion = counter.catalogVersion;
      onCatalogChange();
    }
    // Before the publishes: what follows a cut is counted from there.
    if (counter.endsVersion > this.#endsVersion) {
      await this.readEnds();
      // What moved last may be deleted since, and is not found then.
      this.#endsVersion = Math.max(this.#endsVersion, counter.endsVersion);
    }
    while (this.#publishPosition < counter.publishPosition) {
      const changes = await changesAfter(database, {
        after: this.#publishPosition,
        limitSegments: segmentsPerRead,
      });
      if (!changes.complete) {
        this.#parts.table.clear();
        this.#parts.waiters.wakeAll();
      }
      const grown = new Set<PartitionSlot>();
      for (const extent of changes.extents) {
        const slot = partitionSlot(extent.topicNumber, extent.partition);
        const known = this.#parts.table.get(slot);
        // Nobody waits for a partition that was added; who follows its topic waits for the first.
        if (known === undefined) grown.add(partitionSlot(extent.topicNumber, 0));
        if (known === undefined || extent.lastOffset < known.highOffset) continue;
        // The receipt of a publish that was cut still names the older epoch, and teaches nothing.
        const { leaderEpoch } = extent;
        this.#parts.table.learn(slot, { ...known, leaderEpoch, highOffset: extent.lastOffset + 1 });
        grown.add(slot);
      }
      for (const slot of [...grown, anyPublish]) this.#parts.waiters.wake(slot);
      if (changes.publishPosition <= this.#publishPosition) break;
      this.#publishPosition = changes.publishPosition;
    }
  }

  #moved({ topicNumber, partition, nextOffset, logStartOffset, leaderEpoch }: PartitionState) {
    const { table, waiters, onEpoch } = this.#parts;
    const slot = partitionSlot(topicNumber, partition);
    if (table.get(slot) === undefined) {
      onEpoch(slot, leaderEpoch);
      return;
    }
    table.learn(slot, { highOffset: nextOffset, logStartOffset, leaderEpoch });
    waiters.wake(slot);
  }
}

/**
 * How the partitions of a group are shared between clients that poll it over HTTP. They keep no
 * connection and have no session: a client is in the group while it polls and for its lease behind
 * that, and what it holds it names in each poll. So the shares live in the coordinator's memory
 * alone, and a new coordinator learns of them from the polls that come.
 *
 * A partition has one owner at a time here, who gives it up in its own poll only, when what it had
 * of it is committed, or by its lease running out. Shares are even by topic: of P partitions and N
 * clients each has P/N, those that come first by their id one more.
 *
 * Nothing is lost by a mistake about owners, since commits compare what was committed before; at
 * worst records are delivered twice.
 */
import { StreamError } from "../base/stream-error.ts";

/** Clients of one group. */
const clientsMax = 1_000;
/** A coordinator that was not there before gives nothing away that its owner may still name. */
const settleMs = 2_000;

export interface SharedTopic {
  readonly topicId: string;
  readonly partitionCount: number;
}

export interface SharedPartition {
  readonly topicId: string;
  readonly partition: number;
}

interface Client {
  topicIds: ReadonlySet<string>;
  leaseMs: number;
  /** When its last poll ended; undefined while one runs. */
  leftAt: number | undefined;
  /** Its polls that run, the ones of a client that asked again included. */
  polls: number;
}

/** The clients of one group. `now` is in monotonic milliseconds throughout. */
export class PollShares {
  readonly #clients = new Map<string, Client>();
  /** Client by partition. */
  readonly #owners = new Map<string, string>();
  readonly #settledAt: number;
  readonly #waiting = new Set<{ readonly clientId: string; readonly wake: () => void }>();

  /** `isNew`: no client is known to have polled before. */
  constructor(options: { readonly isNew: boolean; readonly now: number }) {
    this.#settledAt = options.isNew ? options.now : options.now + settleMs;
  }

  isIdle(now: number): boolean {
    this.#expire(now);
    return this.#clients.size === 0;
  }

  /** A poll of the client begins. @throws StreamError `group_full`. */
  enter(clientId: string, options: { readonly leaseMs: number; readonly now: number }): void {
    this.#expire(options.now);
    const known = this.#clients.get(clientId);
    if (known === undefined && this.#clients.size >= clientsMax) {
      throw new StreamError("group_full", `Cannot join: ${clientsMax} clients poll this group`);
    }
    const client = known ?? { topicIds: new Set(), leftAt: undefined, polls: 0, leaseMs: 0 };
    client.leaseMs = options.leaseMs;
    client.leftAt = undefined;
    client.polls++;
    this.#clients.set(clientId, client);
    if (known === undefined) this.#wakeOthers(clientId);
  }

  /** A poll of the client ends; with `isLast` it gives up all it has. */
  leave(clientId: string, options: { readonly isLast: boolean; readonly now: number }): void {
    const client = this.#clients.get(clientId);
    if (client === undefined) return;
    client.polls--;
    if (client.polls === 0) client.leftAt = options.now;
    if (options.isLast) this.#forget(clientId);
  }

  /** Whether the client owns the partition, which it had; what nobody owns it takes again. */
  claim(clientId: string, partition: SharedPartition): boolean {
    const key = keyOf(partition);
    const owner = this.#owners.get(key);
    if (owner === undefined) this.#owners.set(key, clientId);
    return owner === undefined || owner === clientId;
  }

  /**
   * What the client is to read now. It gives up what is over its share, or of topics that it does
   * not read any more: call this when all that it had is committed.
   */
  assign(clientId: string, topics: readonly SharedTopic[], now: number): SharedPartition[] {
    this.#expire(now);
    const client = this.#clients.get(clientId);
    if (client === undefined) return [];
    const topicIds = new Set(topics.map(({ topicId }) => topicId));
    const isChanged = topicIds.symmetricDifference(client.topicIds).size > 0;
    client.topicIds = topicIds;
    const mine: SharedPartition[] = [];
    const kept = new Set<string>();
    for (const topic of topics) {
      for (const partition of this.#shareOf(clientId, topic, now)) {
        const owned = { topicId: topic.topicId, partition };
        kept.add(keyOf(owned));
        mine.push(owned);
      }
    }
    let isFreed = false;
    for (const [key, owner] of this.#owners) {
      if (owner !== clientId || kept.has(key)) continue;
      this.#owners.delete(key);
      isFreed = true;
    }
    for (const key of kept) this.#owners.set(key, clientId);
    if (isFreed || isChanged) this.#wakeOthers(clientId);
    return mine;
  }

  /** When shares may change by time alone: a lease runs out, or all had the time to come again. */
  changesAt(now: number): number {
    let at = now < this.#settledAt ? this.#settledAt : Number.POSITIVE_INFINITY;
    for (const { leftAt, leaseMs } of this.#clients.values()) {
      if (leftAt !== undefined) at = Math.min(at, leftAt + leaseMs);
    }
    return at;
  }

  /** Calls `wake` once when others may have changed the shares; returns what takes that back. */
  onChange(clientId: string, wake: () => void): () => void {
    const waiter = { clientId, wake };
    this.#waiting.add(waiter);
    return () => this.#waiting.delete(waiter);
  }

  #shareOf(clientId: string, { topicId, partitionCount }: SharedTopic, now: number): number[] {
    const peers = [...this.#clients].filter(([, { topicIds }]) => topicIds.has(topicId));
    const ids = peers.map(([id]) => id).sort();
    const extra = ids.indexOf(clientId) < partitionCount % ids.length ? 1 : 0;
    const share = Math.floor(partitionCount / ids.length) + extra;
    const own: number[] = [];
    const free: number[] = [];
    for (let partition = 0; partition < partitionCount; partition++) {
      const owner = this.#owners.get(keyOf({ topicId, partition }));
      if (owner === clientId) own.push(partition);
      else if (owner === undefined) free.push(partition);
    }
    if (now < this.#settledAt) return own;
    return [...own, ...free].slice(0, share);
  }

  #expire(now: number): void {
    for (const [clientId, { leftAt, leaseMs }] of this.#clients) {
      if (leftAt !== undefined && leftAt + leaseMs <= now) this.#forget(clientId);
    }
  }

  #forget(clientId: string): void {
    this.#clients.delete(clientId);
    for (const [key, owner] of this.#owners) if (owner === clientId) this.#owners.delete(key);
    this.#wakeOthers(clientId);
  }

  #wakeOthers(than: string): void {
    for (const waiter of [...this.#waiting]) {
      if (waiter.clientId === than) continue;
      this.#waiting.delete(waiter);
      waiter.wake();
    }
  }
}

function keyOf({ topicId, partition }: SharedPartition): string {
  return `${topicId}/${partition}`;
}

/**
 * Fetch sessions (KIP-227): the server remembers which partitions a consumer reads, so that the
 * consumer names only what changed and gets only partitions with news.
 *
 * A request carries (sessionId, sessionEpoch). Epoch 0 asks for a new session and lists everything;
 * −1 closes the session and reads without one; any other must be the one expected next, and
 * the partitions listed are added or changed, the forgotten ones removed. An answer to a
 * session leaves out partitions without records, error, or change of high or log start offset.
 *
 * Sessions are a cache: at most `fetchSessionsMax`. A new one pushes out the one unused longest, if
 * for two minutes, or else a smaller one that has lived for two minutes; if there is none, the
 * client reads without a session (its id is 0). A client whose session is gone begins anew.
 */
import type { Random } from "../../base/platform.ts";
import {
  fetchSessionEvictionMsMin,
  fetchSessionPartitionsMax,
  fetchSessionsMax,
} from "./limits.ts";

/** A partition as a fetch names it: by topic name before version 13, by topic id since. */
export interface SessionPartition {
  readonly key: string;
  /** Empty when the topic is named by id. */
  readonly topic: string;
  /** Uuid text; zero when the topic is named by name. */
  readonly topicId: string;
  readonly partition: number;
  readonly fetchOffset: number;
  readonly partitionBytesMax: number;
  readonly currentLeaderEpoch: number;
}

/** What the client was last told of a partition. */
interface Told {
  asked: SessionPartition;
  highOffset: number;
  logStartOffset: number;
}

export interface FetchSession {
  readonly id: number;
  /** The epoch that the next request must carry. */
  epoch: number;
  readonly byTopicId: boolean;
  readonly partitions: Map<string, Told>;
  readonly createdAt: number;
  usedAt: number;
}

export interface SessionRequest {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly byTopicId: boolean;
  readonly partitions: readonly SessionPartition[];
  readonly forgotten: readonly string[];
}

export type SessionFault =
  | "FETCH_SESSION_ID_NOT_FOUND"
  | "INVALID_FETCH_SESSION_EPOCH"
  | "FETCH_SESSION_TOPIC_ID_ERROR";

export type FetchPlan =
  | { readonly kind: "refused"; readonly fault: SessionFault }
  /** Answers everything; `mayBegin`: the client wants a session. */
  | {
      readonly kind: "full";
      readonly mayBegin: boolean;
      readonly partitions: readonly SessionPartition[];
    }
  | {
      readonly kind: "incremental";
      readonly session: FetchSession;
      /** In the order in which to fill the answer: longest without records first. */
      readonly partitions: readonly SessionPartition[];
    };

/** What a partition's answer says, as far as sessions care. */
export interface PartitionNews {
  readonly key: string;
  readonly failed: boolean;
  readonly hasRecords: boolean;
  readonly highOffset: number;
  readonly logStartOffset: number;
}

const firstEpoch = 0;
const finalEpoch = -1;

export class FetchSessions {
  readonly #random: Random;
  readonly #monotonic: () => number;
  readonly #sessionsMax: number;
  /** In order of use, the one unused longest first. */
  readonly #sessions = new Map<number, FetchSession>();
  #partitionCount = 0;

  constructor(options: {
    readonly random: Random;
    /** Milliseconds that never go back. */
    readonly monotonic: () => number;
    readonly sessionsMax?: number;
  }) {
    this.#random = options.random;
    this.#monotonic = options.monotonic;
    this.#sessionsMax = options.sessionsMax ?? fetchSessionsMax;
  }

  get count(): number {
    return this.#sessions.size;
  }

  get partitionCount(): number {
    return this.#partitionCount;
  }

  /** Takes a request's word for the session it names and says what to read. */
  plan(request: SessionRequest): FetchPlan {
    const { sessionId, sessionEpoch, partitions } = request;
    if (sessionEpoch === firstEpoch || sessionEpoch === finalEpoch) {
      this.#remove(sessionId);
      return { kind: "full", mayBegin: sessionEpoch === firstEpoch, partitions };
    }
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return { kind: "refused", fault: "FETCH_SESSION_ID_NOT_FOUND" };
    if (session.epoch !== sessionEpoch) {
      return { kind: "refused", fault: "INVALID_FETCH_SESSION_EPOCH" };
    }
    if (session.byTopicId !== request.byTopicId) {
      return { kind: "refused", fault: "FETCH_SESSION_TOPIC_ID_ERROR" };
    }
    this.#change(session, request);
    if (session.partitions.size === 0) {
      this.#remove(sessionId);
      return { kind: "full", mayBegin: false, partitions: [] };
    }
    session.epoch = nextEpoch(session.epoch);
    this.#touch(session);
    const asked = [...session.partitions.values()].map((told) => told.asked);
    return { kind: "incremental", session, partitions: asked };
  }

  /** Begins a session after a full answer; returns its id, or 0 when there is no room for it. */
  begin(
    partitions: readonly SessionPartition[],
    news: readonly PartitionNews[],
    byTopicId: boolean,
  ): number {
    if (partitions.length === 0 || !this.#makeRoom(partitions.length)) return 0;
    const now = this.#monotonic();
    const session: FetchSession = {
      id: this.#freshId(),
      epoch: nextEpoch(firstEpoch),
      byTopicId,
      partitions: new Map(),
      createdAt: now,
      usedAt: now,
    };
    for (const asked of partitions) {
      session.partitions.set(asked.key, { asked, highOffset: -1, logStartOffset: -1 });
    }
    for (const each of news) this.#tell(session, each);
    this.#sessions.set(session.id, session);
    this.#partitionCount += session.partitions.size;
    return session.id;
  }

  /**
   * Notes what an incremental answer says; returns whether the partition belongs into it. One that
   * had records goes to the end of the order.
   */
  report(session: FetchSession, news: PartitionNews): boolean {
    const told = session.partitions.get(news.key);
    if (told === undefined) return true;
    const changed =
      news.highOffset !== told.highOffset || news.logStartOffset !== told.logStartOffset;
    this.#tell(session, news);
    if (news.hasRecords) {
      session.partitions.delete(news.key);
      session.partitions.set(news.key, told);
    }
    return news.hasRecords || news.failed || changed;
  }

  #tell(session: FetchSession, news: PartitionNews): void {
    const told = session.partitions.get(news.key);
    if (told === undefined) return;
    // After an error the client must hear of the partition again, whatever its offsets are.
    told.highOffset = news.failed ? -1 : news.highOffset;
    told.logStartOffset = news.logStartOffset;
  }

  #change(session: FetchSession, { partitions, forgotten }: SessionRequest): void {
    const before = session.partitions.size;
    for (const asked of partitions) {
      const told = session.partitions.get(asked.key);
      if (told !== undefined) told.asked = asked;
      else session.partitions.set(asked.key, { asked, highOffset: -1, logStartOffset: -1 });
    }
    for (const key of forgotten) session.partitions.delete(key);
    this.#partitionCount += session.partitions.size - before;
  }

  #touch(session: FetchSession): void {
    session.usedAt = this.#monotonic();
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
  }

  #remove(sessionId: number): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    this.#sessions.delete(sessionId);
    this.#partitionCount -= session.partitions.size;
  }

  /** Evicts until a session of `size` partitions fits, at most one for the count of sessions. */
  #makeRoom(size: number): boolean {
    const isFull = () =>
      this.#sessions.size >= this.#sessionsMax ||
      this.#partitionCount + size > fetchSessionPartitionsMax;
    while (isFull()) {
      const victim = this.#evictable(size);
      if (victim === undefined) return false;
      this.#remove(victim.id);
    }
    return true;
  }

  #evictable(size: number): FetchSession | undefined {
    const before = this.#monotonic() - fetchSessionEvictionMsMin;
    const [oldest] = this.#sessions.values();
    if (oldest !== undefined && oldest.usedAt < before) return oldest;
    let smallest: FetchSession | undefined;
    for (const session of this.#sessions.values()) {
      const count = session.partitions.size;
      if (session.createdAt >= before || count >= (smallest?.partitions.size ?? size)) continue;
      smallest = session;
    }
    return smallest;
  }

  /**
   * 1 to 2^31 − 1, at random: a client that guesses another's id would have to guess its epoch too.
   */
  #freshId(): number {
    for (;;) {
      const [a = 0, b = 0, c = 0, d = 0] = this.#random.bytes(4);
      const id = ((a & 0x7f) << 24) | (b << 16) | (c << 8) | d;
      if (id !== 0 && !this.#sessions.has(id)) return id;
    }
  }
}

/** Epochs run from 1 to 2^31 − 1 and then from 1 again. */
function nextEpoch(epoch: number): number {
  return epoch === 0x7fffffff ? 1 : epoch + 1;
}

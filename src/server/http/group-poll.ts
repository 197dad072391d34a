/**
 * `POST /v1/groups/{group}/poll`: a group consumed without a connection, a session or a worker to
 * stick to. A poll commits what the one before it gave (its position says what), gets its share of
 * the partitions, and reads from what is committed. The coordinator of the group answers; whichever
 * worker is asked passes the request on.
 *
 * A commit takes the place only of the one that was there when the records were read: a client that
 * was taken for gone, or a position that comes again, moves nothing back and skips nothing.
 */
import type { Context } from "hono";
import { present } from "../../base/assert.ts";
import { PollShares, type SharedPartition } from "../../group/poll-shares.ts";
import type { OffsetKey, OffsetToCommit } from "../../group/types.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import type { TopicId } from "../../record/types.ts";
import { type PollRequest, pollRequest } from "../../wire/http/poll-shapes.ts";
import {
  decodePosition,
  encodePosition,
  type HeldPartition,
  type PollPosition,
} from "../../wire/http/position.ts";
import type { HttpContext } from "./context.ts";
import { commitByNobody } from "./group-commit.ts";
import { type PartitionPlace, type PlacedRead, readPlaces } from "./read-places.ts";
import { receiveJson } from "./request-json.ts";
import { requireTopic } from "./topic-lookup.ts";

/** Groups whose shares are kept before those that nobody polls are looked for. */
const groupsIdleMin = 1_000;
/** A position names all partitions of all topics. */
const bodyBytesMax = 4 * 1024 * 1024;

interface Poll extends PollRequest {
  readonly groupId: string;
  readonly clientId: string;
  readonly held: readonly HeldPartition[];
  readonly shares: PollShares;
  /** By id. */
  readonly infos: ReadonlyMap<string, TopicInfo>;
  readonly signal: AbortSignal;
}

export class GroupPoll {
  readonly #context: HttpContext;
  readonly #shares = new Map<string, PollShares>();

  constructor(context: HttpContext) {
    this.#context = context;
  }

  async handle(c: Context, groupId: string): Promise<Response> {
    const { platform, topics, shutdown } = this.#context;
    const request = await receiveJson(pollRequest, c, this.#context, bodyBytesMax);
    const known = this.#decode(request.position, groupId);
    const found = await Promise.all(request.topics.map((name) => requireTopic(topics, name)));
    const clientId = known?.clientId ?? platform.random.bytes(12).toHex();
    const shares = this.#sharesOf(groupId, known === undefined);
    const isLast = request.max_records === 0;
    shares.enter(clientId, { leaseMs: request.lease_ms, now: this.#now() });
    let left = false;
    try {
      const poll: Poll = {
        ...{ ...request, groupId, clientId, shares },
        held: known?.partitions ?? [],
        infos: new Map(found.map((topic) => [topic.topicId, topic])),
        signal: AbortSignal.any([c.req.raw.signal, shutdown]),
      };
      await this.#commit(poll);
      left = isLast;
      const read = isLast ? nothing : await this.#read(poll);
      return answer(read, { groupId, clientId, partitions: read.held }, this.#context);
    } finally {
      shares.leave(clientId, { isLast: left, now: this.#now() });
    }
  }

  #decode(text: string | undefined, groupId: string): PollPosition | undefined {
    if (text === undefined) return undefined;
    return decodePosition(text, groupId, this.#context.platform.crc32c);
  }

  #sharesOf(groupId: string, isNew: boolean): PollShares {
    const now = this.#now();
    let shares = this.#shares.get(groupId);
    if (shares !== undefined) return shares;
    if (this.#shares.size >= groupsIdleMin) {
      for (const [id, each] of this.#shares) if (each.isIdle(now)) this.#shares.delete(id);
    }
    shares = new PollShares({ isNew, now });
    this.#shares.set(groupId, shares);
    return shares;
  }

  /** Commits what the client was given of partitions that are still its own. */
  async #commit({ groupId, clientId, held, shares, infos }: Poll): Promise<void> {
    const { groups } = this.#context;
    const owned: { readonly each: HeldPartition; readonly key: OffsetKey }[] = [];
    for (const each of held) {
      const topic = infos.get(each.topicId);
      // A topic that is gone, or that the client reads no more, has its offsets as they were.
      if (topic === undefined || each.partition >= topic.partitionCount) continue;
      if (shares.claim(clientId, each)) owned.push({ each, key: keyOf(topic, each.partition) });
    }
    const before = await this.#committed(
      groupId,
      owned.map(({ key }) => key),
    );
    const offsets: OffsetToCommit[] = [];
    owned.forEach(({ each, key }, index) => {
      if (before[index] !== each.committed || each.next === each.committed) return;
      offsets.push({ ...key, offset: each.next, leaderEpoch: -1, metadata: "" });
    });
    // Without any it is asked all the same whether the group has members, who would not notice.
    await commitByNobody(groups, groupId, offsets);
  }

  /** Reads the client's share, waiting for records, or for a share. */
  async #read(poll: Poll): Promise<PlacedRead & { readonly held: readonly HeldPartition[] }> {
    const { platform } = this.#context;
    const until = this.#now() + poll.wait_ms;
    for (;;) {
      const waitMs = Math.max(0, until - this.#now());
      const changed = new AbortController();
      const release = poll.shares.onChange(poll.clientId, () => changed.abort());
      const signal = AbortSignal.any([poll.signal, changed.signal]);
      try {
        const mine = await this.#places(poll);
        if (mine.length > 0 || waitMs === 0 || poll.signal.aborted) {
          const { values, max_records: countMax } = poll;
          const read = await readPlaces(this.#context, mine, { values, countMax, waitMs, signal });
          // Nothing was given yet: others may have their share of it at once.
          const hasNews = read.records.length > 0 || read.gaps.length > 0;
          if (changed.signal.aborted && !hasNews && waitMs > 0 && !poll.signal.aborted) continue;
          const next = read.nextOffsets;
          const held = mine.map(({ topic, partition, committed }, index) => ({
            ...{ topicId: topic.topicId, partition, committed, next: next[index] ?? 0 },
          }));
          return { ...read, held };
        }
        const changesInMs = poll.shares.changesAt(this.#now()) - this.#now();
        await platform.timers.sleep(Math.max(0, Math.min(waitMs, changesInMs)), signal);
      } finally {
        release();
      }
    }
  }

  /** Where the client reads: its share, from what is committed. */
  async #places(poll: Poll): Promise<(PartitionPlace & { readonly committed: number })[]> {
    const { groupId, clientId, shares, infos, offset } = poll;
    const wanted = [...infos.values()].map(({ topicId, partitionCount }) => ({
      ...{ topicId, partitionCount },
    }));
    const share = shares.assign(clientId, wanted, this.#now());
    const topicOf = ({ topicId }: SharedPartition) => present(infos.get(topicId), "topic");
    const committed = await this.#committed(
      groupId,
      share.map((each) => keyOf(topicOf(each), each.partition)),
    );
    const { log } = this.#context;
    return await Promise.all(
      share.map(async (each, index) => {
        const topic = topicOf(each);
        const { partition } = each;
        const known = committed[index] ?? -1;
        const first = async () => (await log.findOffset(topic, partition, offset)).offset;
        return { topic, partition, committed: known, next: known === -1 ? await first() : known };
      }),
    );
  }

  /** −1 where nothing is committed. */
  async #committed(groupId: string, partitions: readonly OffsetKey[]): Promise<number[]> {
    if (partitions.length === 0) return [];
    const request = { groupId, partitions, requireStable: false };
    const found = await this.#context.groups.fetchOffsets(request);
    return found.map(({ offset }) => offset);
  }

  #now(): number {
    return this.#context.platform.clock.monotonic();
  }
}

const nothing = { records: [], gaps: [], nextOffsets: [], held: [] } as const;

function keyOf({ topicId, name: topicName }: TopicInfo, partition: number): OffsetKey {
  return { topicId: topicId as TopicId, topicName, partition };
}

function answer(
  { records, gaps }: PlacedRead,
  position: PollPosition,
  { platform }: HttpContext,
): Response {
  const lists = `"records":[${records.join(",")}],"gaps":[${gaps.join(",")}]`;
  const text = encodePosition(position, platform.crc32c);
  return new Response(`{${lists},"position":"${text}"}\n`, {
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
  });
}

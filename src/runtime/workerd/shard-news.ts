/**
 * How shards hear of each other's publishes (ADR 62), and groups of those that they wait for (ADR
 * 74). Whoever publishes tells the first shard, and that tells the shards in which somebody waits,
 * or has a socket that rests, and the groups. Those ask for it when the first one comes, and are
 * dropped when they are told something and nobody is there any more. Who wants to hear is kept in
 * the first shard's storage, since all of them sleep.
 */
import type { Logger } from "../../base/log.ts";
import type { Clock, Timers } from "../../base/platform.ts";
import { Bell, type Listener } from "./bell.ts";
import type { Bindings } from "./bindings.ts";
import { firstShard } from "./object-names.ts";

/** Where the first shard's storage has the names of the shards that want to hear. */
const listenersKey = "listeners";
/** The same of groups, with the numbers of the topics that they want to hear of. */
const groupsKey = "listeningGroups";
/** Readers come again: an object wants to hear for so long after the last one was there. */
export const lingerMs = 10_000;

type Shard = ReturnType<Bindings["LOG"]["getByName"]>;

/** What is asked of other objects. */
export interface OtherObjects<Asked extends keyof Shard> {
  getByName(name: string): Pick<Shard, Asked>;
}

/**
 * What the first shard is told of publishes, as somebody who listens to a bell: what is published
 * while it is called is told in one call behind it. `from`: the shard that tells it.
 */
export function firstListener(
  shards: OtherObjects<"hear">,
  from?: string,
): (topics: Iterable<number>) => Listener {
  const untold = new Set<number>();
  const hear = async () => {
    const topics = [...untold];
    untold.clear();
    try {
      await shards.getByName(firstShard).hear(from, topics);
    } catch (error) {
      for (const topic of topics) untold.add(topic);
      throw error;
    }
  };
  return (topics) => {
    for (const topic of topics) untold.add(topic);
    return { name: "the first shard", hear };
  };
}

/** Shards that there may be: the bound of the settings, which may have been higher once. */
const shardsMax = 64;

/** The name of the shard that has this id; undefined: it is none. */
export function shardNameOf(
  shards: { idFromName(name: string): { toString(): string } },
  id: string,
): string | undefined {
  const names = Array.from({ length: shardsMax }, (_, shard) => String(shard));
  return names.find((name) => shards.idFromName(name).toString() === id);
}

export interface ShardNewsParts {
  /** The shard's own name. */
  readonly name: string;
  readonly shards: OtherObjects<"hear" | "listen">;
  readonly groups: OtherObjects<"hear">;
  readonly storage: {
    get<T>(key: string): Promise<T | undefined>;
    put(key: string, value: unknown): Promise<void>;
  };
  readonly log: Logger;
  readonly clock: Pick<Clock, "monotonic">;
  readonly timers: Timers;
  /** Somebody waits, or has a socket. */
  readonly isAwaited: () => boolean;
  /** Looks for what was published before this shard was heard of. */
  readonly look: () => Promise<void>;
}

/** Who wants to hear. */
interface Wish {
  /** How often it has said so. */
  asked: number;
  /** A group's: only of these. */
  readonly topics?: Set<number>;
}

export class ShardNews {
  readonly #parts: ShardNewsParts;
  readonly #isFirst: boolean;
  readonly #bell: Bell;
  readonly #toFirst: (topics: Iterable<number>) => Listener;
  /** Of the first shard. */
  readonly #shards = new Map<string, Wish>();
  readonly #groups = new Map<string, Wish & { readonly topics: Set<number> }>();
  #listening: Promise<void> | undefined;
  #awaitedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: ShardNewsParts) {
    this.#parts = parts;
    this.#isFirst = parts.name === firstShard;
    this.#bell = new Bell(parts);
    this.#toFirst = firstListener(parts.shards, parts.name);
  }

  /** Call before anything else. */
  async open(): Promise<void> {
    if (!this.#isFirst) return;
    const { storage } = this.#parts;
    const names = await storage.get<string[]>(listenersKey);
    for (const name of names ?? []) this.#shards.set(name, { asked: 0 });
    const groups = await storage.get<[string, number[]][]>(groupsKey);
    for (const [name, topics] of groups ?? []) {
      this.#groups.set(name, { asked: 0, topics: new Set(topics) });
    }
  }

  /** This shard has published to these topics. */
  tell(topics: ReadonlySet<number>): void {
    if (this.#isFirst) this.#bell.ring(this.#listeners(topics));
    else this.#bell.ring([this.#toFirst(topics)]);
  }

  /** Of the first shard: `name` wants to hear of all that is published from now on. */
  async add(name: string): Promise<void> {
    const wish = this.#shards.get(name);
    if (wish !== undefined) wish.asked += 1;
    else await this.#change(this.#shards, () => this.#shards.set(name, { asked: 0 }));
  }

  /** Of the first shard: a group wants to hear of these topics, besides those that it has named. */
  async addGroup(name: string, topics: readonly number[]): Promise<void> {
    const wish = this.#groups.get(name) ?? { asked: 0, topics: new Set() };
    wish.asked += 1;
    const isKnown = topics.every((topic) => wish.topics.has(topic));
    for (const topic of topics) wish.topics.add(topic);
    if (!isKnown) await this.#change(this.#groups, () => this.#groups.set(name, wish));
  }

  /** Somebody waits: the shard asks to hear, and looks for what it did not. */
  listen(): void {
    this.#awaitedAt = this.#parts.clock.monotonic();
    if (this.#isFirst || this.#listening !== undefined) return;
    this.#listening = this.#ask().catch((error: unknown) => {
      this.#listening = undefined;
      this.#parts.log.debug("The first shard cannot be asked for news", { error: String(error) });
    });
  }

  /** The shard was told of a publish, of `from`; whether it wants to be told again. */
  heard(from?: string, topics?: readonly number[]): boolean {
    const { clock, isAwaited } = this.#parts;
    if (this.#isFirst) this.#bell.ring(this.#listeners(topics && new Set(topics), from));
    if (isAwaited()) this.#awaitedAt = clock.monotonic();
    const wants = clock.monotonic() - this.#awaitedAt < lingerMs;
    // Also what is on its way there is not to be trusted then: the next one asks again.
    this.#listening = wants ? (this.#listening ?? Promise.resolve()) : undefined;
    return wants;
  }

  async #ask(): Promise<void> {
    const { shards, name, look } = this.#parts;
    await shards.getByName(firstShard).listen(name);
    await look();
  }

  /** Who is to hear of these topics (undefined: it is not known which) but for `from`. */
  *#listeners(topics: ReadonlySet<number> | undefined, from?: string): Iterable<Listener> {
    const { shards, groups } = this.#parts;
    for (const name of this.#shards.keys()) {
      if (name === from) continue;
      yield { name, hear: () => this.#tellOne(this.#shards, name, shards) };
    }
    for (const [name, wish] of this.#groups) {
      if (topics !== undefined && wish.topics.isDisjointFrom(topics)) continue;
      yield { name: `group ${name}`, hear: () => this.#tellOne(this.#groups, name, groups) };
    }
  }

  async #tellOne(
    wishes: Map<string, Wish>,
    name: string,
    objects: OtherObjects<"hear">,
  ): Promise<void> {
    const asked = wishes.get(name)?.asked;
    const wants = await objects.getByName(name).hear();
    // It may have asked again while it was told.
    if (wants !== false || wishes.get(name)?.asked !== asked) return;
    await this.#change(wishes, () => wishes.delete(name));
  }

  async #change(wishes: Map<string, Wish>, change: () => void): Promise<void> {
    change();
    const { storage } = this.#parts;
    if (wishes === this.#shards) await storage.put(listenersKey, [...wishes.keys()]);
    else
      await storage.put(
        groupsKey,
        [...this.#groups].map(([name, { topics }]) => [name, [...topics]]),
      );
  }
}

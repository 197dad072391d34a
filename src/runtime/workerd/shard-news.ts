/**
 * How shards hear of each other's publishes (ADR 62). Whoever publishes tells the first shard, and
 * that tells the shards in which somebody waits, or has a socket that rests. Those ask for it when
 * the first one comes, and are dropped when they are told something and nobody is there any more.
 * Who wants to hear is kept in the first shard's storage, since both sleep.
 */
import type { Logger } from "../../base/log.ts";
import type { Clock, Timers } from "../../base/platform.ts";
import { Bell, type Listener } from "./bell.ts";
import { firstShard } from "./object-names.ts";

/** Where the first shard's storage has the names of the shards that want to hear. */
const listenersKey = "listeners";
/** Readers come again: a shard wants to hear for so long after the last one was there. */
const lingerMs = 10_000;

/** What is asked of other shards. */
export interface OtherShards {
  getByName(name: string): {
    hear(from?: string): Promise<boolean | undefined>;
    listen(name: string): Promise<void>;
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
  readonly shards: OtherShards;
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

export class ShardNews {
  readonly #parts: ShardNewsParts;
  readonly #isFirst: boolean;
  readonly #bell: Bell;
  /** Of the first shard: who wants to hear, and how often they have said so. */
  readonly #listeners = new Map<string, number>();
  #listening: Promise<void> | undefined;
  #awaitedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: ShardNewsParts) {
    this.#parts = parts;
    this.#isFirst = parts.name === firstShard;
    this.#bell = new Bell(parts, () => this.#toTell());
  }

  /** Call before anything else. */
  async open(): Promise<void> {
    if (!this.#isFirst) return;
    const names = await this.#parts.storage.get<string[]>(listenersKey);
    for (const name of names ?? []) this.#listeners.set(name, 0);
  }

  /** This shard has published. */
  tell(): void {
    this.#bell.ring();
  }

  /** Of the first shard: `name` wants to hear of all that is published from now on. */
  async add(name: string): Promise<void> {
    const isNew = !this.#listeners.has(name);
    this.#listeners.set(name, (this.#listeners.get(name) ?? 0) + 1);
    if (isNew) await this.#store();
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
  heard(from?: string): boolean {
    const { clock, isAwaited } = this.#parts;
    if (this.#isFirst) this.#bell.ring([...this.#toTell()].filter(({ name }) => name !== from));
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

  *#toTell(): Iterable<Listener> {
    const { shards, name: own } = this.#parts;
    if (!this.#isFirst) {
      const first = shards.getByName(firstShard);
      yield { name: firstShard, hear: async () => void (await first.hear(own)) };
      return;
    }
    for (const name of this.#listeners.keys()) {
      yield { name, hear: () => this.#tellOne(name) };
    }
  }

  async #tellOne(name: string): Promise<void> {
    const asked = this.#listeners.get(name);
    const wants = await this.#parts.shards.getByName(name).hear();
    // It may have asked again while it was told.
    if (wants !== false || this.#listeners.get(name) !== asked) return;
    this.#listeners.delete(name);
    await this.#store();
  }

  async #store(): Promise<void> {
    await this.#parts.storage.put(listenersKey, [...this.#listeners.keys()]);
  }
}

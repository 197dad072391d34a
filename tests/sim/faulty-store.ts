/**
 * One process's link to the object store. A write may be refused, may succeed while the caller
 * hears of a failure, or may land after the caller has given it up; reads fail now and then;
 * everything takes time.
 */
import { StreamError } from "../../src/base/stream-error.ts";
import type { ObjectLocation, ObjectStore, SegmentBytes } from "../../src/store/object-store.ts";
import { scatter } from "../../src/store/scatter.ts";
import type { Dice } from "./dice.ts";
import type { ProcessGate } from "./process-gate.ts";
import type { World } from "./world.ts";

export interface StoreLink {
  readonly world: World;
  readonly gate: ProcessGate;
  readonly dice: Dice;
  readonly store: ObjectStore;
  /** Milliseconds of each leg. */
  readonly legMsMax: number;
}

/** How long a store's client tries before it gives up. */
const timeoutMs = 400;

export class FaultyStore implements ObjectStore {
  readonly description = "simulated store";
  readonly #link: StoreLink;

  constructor(link: StoreLink) {
    this.#link = link;
  }

  writeSegment(segment: SegmentBytes): Promise<ObjectLocation> {
    const { workerEpoch, sequence } = segment;
    // The bytes are lent until the promise settles; one that lands late is what was sent.
    const sent = { ...segment, bytes: segment.bytes.slice() };
    return this.#write(`segment ${workerEpoch}/${sequence}`, () =>
      this.#link.store.writeSegment(sent),
    );
  }

  create(key: string, bytes: Uint8Array): Promise<void> {
    const sent = bytes.slice();
    return this.#write(key, () => this.#link.store.create(key, sent));
  }

  /** Only what was answered is copied: a late answer must not write into what is used again. */
  async readInto(location: ObjectLocation, targets: readonly Uint8Array[]): Promise<void> {
    scatter(await this.read(location), targets);
  }

  read(location: ObjectLocation): Promise<Uint8Array> {
    return this.#ask(`read ${location.key}`, () => this.#link.store.read(location));
  }

  sizeOf(key: string): Promise<number | undefined> {
    return this.#ask(`size ${key}`, () => this.#link.store.sizeOf(key));
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.#write(`delete ${keys.join(" ")}`, () => this.#link.store.delete(keys));
  }

  async *list(prefix: string, after?: string): AsyncIterable<{ key: string; sizeBytes: number }> {
    const found = await this.#ask(`list ${prefix}`, () =>
      Array.fromAsync(this.#link.store.list(prefix, after)),
    );
    yield* found;
  }

  async close(): Promise<void> {}

  #write<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { world, gate, dice } = this.#link;
    const { faults } = world;
    const legs = { thereMs: this.#legMs(), backMs: this.#legMs() };
    const draw = dice.random.uniform();
    const note = (how: string) => world.note(`${gate.name} ${what} ${how}`);
    let bound = faults.storeRefused;
    if (draw < bound) {
      return gate.ask(legs, () => {
        note("refused");
        throw unavailable();
      });
    }
    bound += faults.storeWrittenLate;
    if (draw < bound) {
      world.after(legs.thereMs + timeoutMs + dice.between(0, 1000), () => {
        note("landed late");
        void work().catch(() => {});
      });
      return gate.ask({ ...legs, backMs: timeoutMs }, () => Promise.reject(unavailable()));
    }
    bound += faults.storeReplyLost;
    const replyLost = draw < bound;
    return gate.ask({ ...legs, backMs: replyLost ? timeoutMs : legs.backMs }, async () => {
      const result = await work();
      note(replyLost ? "answer lost" : "");
      if (replyLost) throw unavailable();
      return result;
    });
  }

  #ask<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { world, gate, dice } = this.#link;
    const fails = dice.chance(world.faults.storeReadFails);
    return gate.ask({ thereMs: this.#legMs(), backMs: this.#legMs() }, () => {
      world.note(`${gate.name} ${what}${fails ? " fails" : ""}`);
      if (fails) throw unavailable();
      return work();
    });
  }

  #legMs(): number {
    const { dice, legMsMax, world } = this.#link;
    const legMs = dice.random.uniform() * legMsMax;
    return dice.chance(world.faults.slow) ? legMs * dice.between(2, 100) : legMs;
  }
}

function unavailable(): StreamError {
  return new StreamError("store_unavailable", "The simulated store did not answer");
}

/**
 * Over how many log objects an isolate of the front spreads what it is asked, and which of them a
 * request goes to (ADR 61). Objects say with their answers how full they are: their number grows
 * with that at once, and shrinks one by one after it was calm for long.
 *
 * What must not move does not: requests of a producer with a sequence keep to their object while
 * one of them is under way. Other appends have no order but that of answers. Those of one address
 * that are under way at a time are so many connections, each a lane with an object of its own; who
 * sends one after the other has one lane, and keeps to it.
 */
import { murmur2 } from "../../record/murmur2.ts";

/** An object that is so full makes the spread grow. */
const fullPercent = 100;
/** The objects together shrink to as many as would not be fuller than this. */
const calmPercent = 50;
/** Between two growths: what an object says is of the last second. */
const growMs = 3_000;
/** So long must fewer objects have sufficed before one is left out. */
const calmMs = 15_000;
/** What an object said is good for so long. */
const heardMs = 10_000;
/** Longer is nothing under way: its isolate lost sight of it. */
const underWayMsMax = 150_000;
/** Producers and addresses with something under way that are remembered. */
const keysMax = 20_000;

export interface ShardCounts {
  /** At least so many are used. */
  readonly shards: number;
  readonly shardsMax: number;
}

/** Whose append it is. */
export interface Appender {
  /** Its producer in a topic, when it has a place in a sequence. */
  readonly producer: string | undefined;
  /** Its address and topic. */
  readonly connection: string;
  /** Its rate is counted by each object for itself, so that it has no more lanes than one. */
  readonly isRated: boolean;
}

/** An append under way. */
export interface Placed {
  readonly name: string;
  /** Call when it is answered, whatever it was. */
  done(): void;
}

/** Of a producer, or of the lanes of a connection. */
interface UnderWay {
  readonly shard: number;
  readonly lanes: Set<number>;
  lastAt: number;
}

export class ShardSpread {
  readonly #min: number;
  readonly #max: number;
  readonly #now: () => number;
  readonly #underWay = new Map<string, UnderWay>();
  readonly #heard = new Map<number, { readonly percent: number; readonly at: number }>();
  #count: number;
  #turn = -1;
  #grownAt = Number.NEGATIVE_INFINITY;
  #calmSince: number | undefined;

  /** `now`: milliseconds. */
  constructor({ shards, shardsMax }: ShardCounts, now: () => number) {
    this.#min = shards;
    this.#max = Math.max(shards, shardsMax);
    this.#now = now;
    this.#count = shards;
  }

  /** Objects in use. */
  get count(): number {
    return this.#count;
  }

  /** Where a request goes that is no append. */
  nameFor(key: string): string {
    this.#shrink();
    return String(shardOf(hashOf(key), this.#count));
  }

  /** Where a connection goes that stays: they take turns, since one address may have many. */
  nextName(): string {
    this.#shrink();
    this.#turn = (this.#turn + 1) % this.#count;
    return String(this.#turn);
  }

  /** Where an append goes. */
  place({ producer, connection, isRated }: Appender): Placed {
    this.#shrink();
    const now = this.#now();
    const isProducer = producer !== undefined;
    const key = isProducer ? `p ${producer}` : `c ${connection}`;
    let underWay = this.#underWay.get(key);
    if (underWay === undefined || now - underWay.lastAt > underWayMsMax) {
      underWay = { shard: shardOf(hashOf(key), this.#count), lanes: new Set(), lastAt: now };
      this.#remember(key, underWay);
    }
    underWay.lastAt = now;
    const { shard, lanes } = underWay;
    const lane = freeLane(lanes);
    lanes.add(lane);
    const keeps = isProducer || isRated || this.#count === 1;
    return {
      name: String(keeps ? shard : (shard + lane) % this.#count),
      done: () => {
        lanes.delete(lane);
        const isLast = lanes.size === 0 && this.#underWay.get(key) === underWay;
        if (isLast) this.#underWay.delete(key);
      },
    };
  }

  /** An object said how full it is. */
  heard(name: string, percent: number): void {
    const now = this.#now();
    this.#heard.set(Number(name), { percent, at: now });
    const sum = this.#sum(now);
    const mayGrow = this.#count < this.#max && now - this.#grownAt >= growMs;
    // One that is full beside others that are idle has a producer which no number would spread.
    if (mayGrow && percent >= fullPercent && sum >= calmPercent * this.#count) {
      const wanted = Math.ceil(sum / fullPercent) + 1;
      this.#count = Math.min(this.#max, 2 * this.#count, Math.max(wanted, this.#count + 1));
      this.#grownAt = now;
    }
    if (!this.#isCalm(sum)) this.#calmSince = undefined;
    else this.#calmSince ??= now;
  }

  /** Looks whether fewer would have sufficed for long; also what nobody says is calm. */
  #shrink(): void {
    if (this.#count <= this.#min) return;
    const now = this.#now();
    if (!this.#isCalm(this.#sum(now))) return;
    this.#calmSince ??= this.#lastHeardAt();
    while (this.#count > this.#min && now - this.#calmSince >= calmMs) {
      if (!this.#isCalm(this.#sum(now))) return;
      this.#count -= 1;
      this.#calmSince += calmMs;
    }
  }

  #isCalm(sum: number): boolean {
    return this.#count > this.#min && sum <= calmPercent * (this.#count - 1);
  }

  #sum(now: number): number {
    let sum = 0;
    for (const [shard, { percent, at }] of this.#heard) {
      if (shard < this.#count && now - at <= heardMs) sum += percent;
    }
    return sum;
  }

  #lastHeardAt(): number {
    let last = this.#grownAt;
    for (const { at } of this.#heard.values()) last = Math.max(last, at);
    return Number.isFinite(last) ? last : this.#now();
  }

  #remember(key: string, underWay: UnderWay): void {
    this.#underWay.delete(key);
    this.#underWay.set(key, underWay);
    if (this.#underWay.size <= keysMax) return;
    for (const oldest of this.#underWay.keys()) {
      this.#underWay.delete(oldest);
      return;
    }
  }
}

function freeLane(lanes: ReadonlySet<number>): number {
  let lane = 0;
  while (lanes.has(lane)) lane += 1;
  return lane;
}

function hashOf(key: string): number {
  return murmur2(new TextEncoder().encode(key)) >>> 0;
}

/**
 * Of `count` shards; with one more, only its part of all keys moves, and to it: the jump hash of
 * Lamping and Veach, over a generator of 32 bits.
 */
export function shardOf(hash: number, count: number): number {
  let state = hash;
  let shard = 0;
  let next = 0;
  while (next < count) {
    shard = next;
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const random = ((state ^ (state >>> 16)) >>> 0) / 2 ** 32;
    next = Math.floor((shard + 1) / (1 - random));
  }
  return shard;
}

/**
 * When waiting appends become a segment (DESIGN, "Adaptive flush with a ceiling"). An idle worker
 * flushes at once; while a flush is under way the next segment fills, and goes when it is large
 * enough, old enough, or when nothing is under way any more. There is no fixed timer.
 */
import type { TopicInfo } from "../meta/catalog.ts";

export interface FlushPolicy {
  /** A segment of this size is full: no ceiling delays it, and it takes no more. */
  readonly flushBytes: number;
  /** While a flush is under way the next one goes from this size on. */
  readonly sealBytes: number;
  /** Each further flush under way multiplies that size: many at once are worth few requests. */
  readonly sealGrowth: number;
  /** …or when one of its appends has waited this long (a topic may say otherwise). */
  readonly flushAgeMs: number;
  /** Flushes between seal and receipt at most. */
  readonly flightsMax: number;
  /** Flushes a second, sustained, that carry next to nothing (see flushCost); 0: no ceiling. */
  readonly flushRateMax: number;
  readonly flushBurst: number;
}

/** A folder costs nothing per write: group commit as soon as the last one is done. */
export const folderFlushPolicy: FlushPolicy = {
  flushBytes: 8 * 1024 * 1024,
  sealBytes: 1024 * 1024,
  sealGrowth: 1,
  flushAgeMs: 250,
  flightsMax: 3,
  flushRateMax: 0,
  flushBurst: 20,
};

/** S3 and R2 bill each PUT: four a second are about $50 a month. */
export const objectFlushPolicy: FlushPolicy = {
  flushBytes: 8 * 1024 * 1024,
  sealBytes: 2 * 1024 * 1024,
  sealGrowth: 2,
  flushAgeMs: 250,
  flightsMax: 4,
  flushRateMax: 4,
  flushBurst: 20,
};

/**
 * What a flush of `bytes` takes of the ceiling: nothing from a quarter of a segment on, a whole
 * token when it is nearly empty. So requests never exceed the ceiling by more than one per quarter
 * of a segment of data, and a producer whose limit in flight is below a segment is not held to the
 * ceiling (ADR 5).
 */
export function flushCost(policy: FlushPolicy, bytes: number): number {
  return Math.max(0, 1 - (freeShare * bytes) / policy.flushBytes);
}

/** A flush of this part of a segment, one fourth, is free. */
const freeShare = 4;

export interface FlushSituation {
  readonly pendingBytes: number;
  /** Milliseconds until the first waiting append reaches its topic's flush age; may be negative. */
  readonly dueMs: number;
  readonly flights: number;
  /** Milliseconds until the ceiling allows another flush. */
  readonly ceilingWaitMs: number;
}

/**
 * 0: seal now. A positive number: look again after so many milliseconds at the latest. Infinity:
 * nothing to do before an append comes or a flight ends.
 */
export function sealDelayMs(policy: FlushPolicy, now: FlushSituation): number {
  if (now.pendingBytes === 0 || now.flights >= policy.flightsMax) return Number.POSITIVE_INFINITY;
  if (now.pendingBytes >= policy.flushBytes) return 0;
  if (now.ceilingWaitMs > 0) return now.ceilingWaitMs;
  if (now.flights === 0 || now.pendingBytes >= sealBytesOf(policy, now.flights)) return 0;
  return Math.max(0, now.dueMs);
}

function sealBytesOf({ sealBytes, sealGrowth }: FlushPolicy, flights: number): number {
  return sealBytes * sealGrowth ** (flights - 1);
}

const ages = new WeakMap<TopicInfo, number>();

/** How long an append of this topic may wait for its segment to fill, milliseconds. */
export function flushAgeMsOf(policy: FlushPolicy, topic: TopicInfo): number {
  const known = ages.get(topic);
  if (known !== undefined) return known;
  const own = topic.config["millrace.flush.age.ms"];
  const ageMs = own === undefined ? policy.flushAgeMs : Number(own);
  ages.set(topic, ageMs);
  return ageMs;
}

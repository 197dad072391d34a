/**
 * Nexmark's rules for kinds, ids and times of events, as its generator for Flink has them
 * (github.com/nexmark/nexmark, GeneratorConfig and generator/model). All follow from the event's
 * number alone; what is random is in `generator.ts`.
 *
 * Of 50 events one is a person, three are auctions, 46 are bids, in this order. Ids count from
 * 1 000; bidders from 2 000, since upstream adds the first person's id twice: kept, so that figures
 * compare.
 */
const personProportion = 1;
const auctionProportion = 3;
const totalProportion = 50;

export const firstPersonId = 1000;
export const firstAuctionId = 1000;
export const firstCategoryId = 10;
export const firstBidderId = 2 * firstPersonId;
export const categoryCount = 5;

/** Ids this far ahead of the last one made are referred to already. */
const personIdLead = 10;
const auctionIdLead = 10;
const activePeopleMax = 1000;
const auctionsInFlight = 100;

export interface NexmarkRules {
  /** Time of event 0, milliseconds since 1970. */
  readonly baseTimeMs: number;
  /** Events per second of event time. */
  readonly eventsPerSecond: number;
  /** Events are shuffled within groups of so many; 1: in order. */
  readonly outOfOrderGroupSize: number;
}

export type EventKind = "person" | "auction" | "bid";

/** The number of the event that is made as the `index`th. */
export function eventNumberAt(index: number, { outOfOrderGroupSize: size }: NexmarkRules): number {
  return Math.floor(index / size) * size + ((index * 953) % size);
}

export function eventTimeOf(event: number, { baseTimeMs, eventsPerSecond }: NexmarkRules): number {
  const microsecondsEach = 1_000_000 / eventsPerSecond;
  return baseTimeMs + Math.floor(Math.floor(event * microsecondsEach) / 1000);
}

export function kindOf(event: number): EventKind {
  const place = event % totalProportion;
  if (place < personProportion) return "person";
  return place < personProportion + auctionProportion ? "auction" : "bid";
}

/** The person made last before or at `event`, counted from 0. */
export function lastPersonOf(event: number): number {
  const epoch = Math.floor(event / totalProportion);
  return epoch * personProportion + Math.min(event % totalProportion, personProportion - 1);
}

/** The auction made last before or at `event`, counted from 0; −1 before the first. */
export function lastAuctionOf(event: number): number {
  const epoch = Math.floor(event / totalProportion);
  const place = event % totalProportion;
  if (place < personProportion) return epoch * auctionProportion - 1;
  return epoch * auctionProportion + Math.min(place - personProportion, auctionProportion - 1);
}

/** People that may act at `event`: `count` of them from `first` on, some not made yet. */
export function peopleAt(event: number): { readonly first: number; readonly count: number } {
  const made = lastPersonOf(event) + 1;
  const active = Math.min(made, activePeopleMax);
  return { first: made - active, count: active + personIdLead };
}

/** Auctions that may get a bid at `event`. */
export function auctionsAt(event: number): { readonly first: number; readonly count: number } {
  const last = lastAuctionOf(event);
  const first = Math.max(last - auctionsInFlight, 0);
  return { first, count: last - first + 1 + auctionIdLead };
}

/** How long auctions last at `event`: one more than anything below this, in milliseconds. */
export function auctionLengthBelow(event: number, rules: NexmarkRules): number {
  const eventsAhead = Math.floor((auctionsInFlight * totalProportion) / auctionProportion);
  const horizon = eventTimeOf(event + eventsAhead, rules) - eventTimeOf(event, rules);
  return Math.max(horizon * 2, 1);
}

/**
 * A seeded generator of Nexmark events as the JSON that Flink's Kafka form of the benchmark has: one
 * object of event_type (0 person, 1 auction, 2 bid) and the three kinds, two of them null. Upstream
 * is not seeded, so its values cannot be compared; ids, times and distributions are its own, see
 * `rules.ts`.
 */
import { JsonTarget } from "./json-target.ts";
import { SeededRandom } from "./random.ts";
import {
  auctionLengthBelow,
  auctionsAt,
  categoryCount,
  eventNumberAt,
  eventTimeOf,
  firstAuctionId,
  firstBidderId,
  firstCategoryId,
  firstPersonId,
  kindOf,
  lastAuctionOf,
  lastPersonOf,
  type NexmarkRules,
  peopleAt,
} from "./rules.ts";

/** One of so many refers to a hot auction, seller, bidder: those whose number is a multiple. */
const hotEvery = 100;
const hotAuctionRatio = 2;
const hotSellerRatio = 4;
const hotBidderRatio = 4;
const hotChannelRatio = 2;

const averageBytes = { person: 200, auction: 500, bid: 100 } as const;

/** No event is longer. */
const eventBytesMax = 2048;

const encoder = new TextEncoder();
const piece = (text: string) => encoder.encode(text);
const pieces = (text: string) => text.split(",").map(piece);

const states = pieces("AZ,CA,ID,OR,WA,WY");
const cities = pieces(
  "Phoenix,Los Angeles,San Francisco,Boise,Portland,Bend,Redmond,Seattle,Kent,Cheyenne",
);
const firstNames = pieces("Peter,Paul,Luke,John,Saul,Vicky,Kate,Julie,Sarah,Deiter,Walter");
const lastNames = pieces("Shultz,Abrams,Spencer,White,Bartels,Walton,Smith,Jones,Noris");
const hotChannels = pieces("Google,Facebook,Baidu,Apple");
const channelCount = 10_000;

const space = 32;
const underscore = 95;
const letterA = 97;

const text = {
  personId: piece('{"event_type":0,"person":{"id":'),
  name: piece(',"name":"'),
  email: piece('","emailAddress":"'),
  at: piece("@"),
  com: piece(".com"),
  creditCard: piece('","creditCard":"'),
  city: piece('","city":"'),
  state: piece('","state":"'),
  dateTime: piece('","dateTime":"'),
  extra: piece('","extra":"'),
  personEnd: piece('"},"auction":null,"bid":null}'),
  auctionId: piece('{"event_type":1,"person":null,"auction":{"id":'),
  itemName: piece(',"itemName":"'),
  description: piece('","description":"'),
  initialBid: piece('","initialBid":'),
  reserve: piece(',"reserve":'),
  auctionTime: piece(',"dateTime":"'),
  expires: piece('","expires":"'),
  seller: piece('","seller":'),
  category: piece(',"category":'),
  auctionExtra: piece(',"extra":"'),
  auctionEnd: piece('"},"bid":null}'),
  bidAuction: piece('{"event_type":2,"person":null,"auction":null,"bid":{"auction":'),
  bidder: piece(',"bidder":'),
  price: piece(',"price":'),
  channel: piece(',"channel":"'),
  coldChannel: piece("channel-"),
  url: piece('","url":"'),
  bidEnd: piece('"}}'),
  blank: piece(" "),
} as const;

export interface NexmarkOptions extends Partial<NexmarkRules> {
  readonly seed: number;
}

/** So far back that no benchmark of any length reaches the present. */
export const nexmarkBaseTimeMs = Date.UTC(2020, 0, 1);

export class NexmarkGenerator {
  readonly rules: NexmarkRules;
  readonly #random: SeededRandom;
  readonly #target = new JsonTarget(eventBytesMax);
  readonly #scratch = new Uint8Array(128);
  readonly #hotUrls: readonly Uint8Array[];
  readonly #urls: (Uint8Array | undefined)[] = new Array(channelCount);
  readonly #seed: number;
  #made = 0;
  #eventTimeMs = 0;

  constructor(options: NexmarkOptions) {
    this.rules = {
      baseTimeMs: options.baseTimeMs ?? nexmarkBaseTimeMs,
      eventsPerSecond: options.eventsPerSecond ?? 10_000,
      outOfOrderGroupSize: options.outOfOrderGroupSize ?? 1,
    };
    this.#seed = options.seed;
    this.#random = new SeededRandom(options.seed);
    this.#hotUrls = hotChannels.map(() => piece(baseUrl(this.#random)));
  }

  /** Time of the event made last, milliseconds since 1970. */
  get eventTimeMs(): number {
    return this.#eventTimeMs;
  }

  /** The next event's JSON: a view that is valid until the next call. */
  next(): Uint8Array {
    const event = eventNumberAt(this.#made++, this.rules);
    this.#eventTimeMs = eventTimeOf(event, this.rules);
    this.#target.length = 0;
    const kind = kindOf(event);
    if (kind === "bid") this.#bid(event);
    else if (kind === "auction") this.#auction(event);
    else this.#person(event);
    return this.#target.bytes.subarray(0, this.#target.length);
  }

  #person(event: number): void {
    const target = this.#target;
    target.put(text.personId);
    target.putNumber(firstPersonId + lastPersonOf(event));
    target.put(text.name);
    let size = 8 + this.#putAny(firstNames) + 1;
    target.put(text.blank);
    size += this.#putAny(lastNames);
    target.put(text.email);
    size += this.#putString(7) + 1;
    target.put(text.at);
    size += this.#putString(5) + 4;
    target.put(text.com);
    target.put(text.creditCard);
    size += this.#putCreditCard();
    target.put(text.city);
    size += this.#putAny(cities);
    target.put(text.state);
    size += this.#putAny(states);
    target.put(text.dateTime);
    target.putTimestamp(this.#eventTimeMs);
    target.put(text.extra);
    this.#putExtra(size, averageBytes.person);
    target.put(text.personEnd);
  }

  #auction(event: number): void {
    const target = this.#target;
    const random = this.#random;
    target.put(text.auctionId);
    target.putNumber(firstAuctionId + lastAuctionOf(event));
    target.put(text.itemName);
    let size = 48 + this.#putString(20);
    target.put(text.description);
    size += this.#putString(100);
    const initialBid = price(random);
    target.put(text.initialBid);
    target.putNumber(initialBid);
    target.put(text.reserve);
    target.putNumber(initialBid + price(random));
    target.put(text.auctionTime);
    target.putTimestamp(this.#eventTimeMs);
    target.put(text.expires);
    const length = 1 + random.below(auctionLengthBelow(event, this.rules));
    target.putTimestamp(this.#eventTimeMs + length);
    target.put(text.seller);
    target.putNumber(firstPersonId + this.#someone(event, hotSellerRatio, 0));
    target.put(text.category);
    target.putNumber(firstCategoryId + random.below(categoryCount));
    target.put(text.auctionExtra);
    this.#putExtra(size, averageBytes.auction);
    target.put(text.auctionEnd);
  }

  #bid(event: number): void {
    const target = this.#target;
    const random = this.#random;
    target.put(text.bidAuction);
    target.putNumber(firstAuctionId + this.#someAuction(event));
    target.put(text.bidder);
    // The second of a hundred people, so that hot bidders are not hot sellers.
    target.putNumber(firstBidderId + this.#someone(event, hotBidderRatio, 1));
    target.put(text.price);
    target.putNumber(price(random));
    target.put(text.channel);
    if (random.below(hotChannelRatio) > 0) {
      const hot = random.below(hotChannels.length);
      target.put(hotChannels[hot] as Uint8Array);
      target.put(text.url);
      target.put(this.#hotUrls[hot] as Uint8Array);
    } else {
      const channel = random.below(channelCount);
      target.put(text.coldChannel);
      target.putNumber(channel);
      target.put(text.url);
      target.put(this.#urlOf(channel));
    }
    target.put(text.dateTime);
    target.putTimestamp(this.#eventTimeMs);
    target.put(text.extra);
    this.#putExtra(32, averageBytes.bid);
    target.put(text.bidEnd);
  }

  /** A person counted from 0: with P = 1 − 1/ratio the `offset`th of the last hundred begun. */
  #someone(event: number, ratio: number, offset: number): number {
    if (this.#random.below(ratio) > 0) {
      return Math.floor(lastPersonOf(event) / hotEvery) * hotEvery + offset;
    }
    const { first, count } = peopleAt(event);
    return first + this.#random.below(count);
  }

  #someAuction(event: number): number {
    if (this.#random.below(hotAuctionRatio) > 0) {
      return Math.floor(lastAuctionOf(event) / hotEvery) * hotEvery;
    }
    const { first, count } = auctionsAt(event);
    return first + this.#random.below(count);
  }

  #urlOf(channel: number): Uint8Array {
    const known = this.#urls[channel];
    if (known !== undefined) return known;
    // Of its own numbers, so that it does not depend on when the channel is met first.
    const random = new SeededRandom(Math.imul(this.#seed, 31) + channel + 1);
    const url = baseUrl(random);
    const hasId = random.below(10) > 0;
    const made = piece(hasId ? `${url}&channel_id=${Math.abs(reversedBits(channel))}` : url);
    this.#urls[channel] = made;
    return made;
  }

  #putAny(choices: readonly Uint8Array[]): number {
    const choice = choices[this.#random.below(choices.length)] as Uint8Array;
    this.#target.put(choice);
    return choice.length;
  }

  /** Three to `lengthMax` letters and spaces, none of these at either end. Gives the length. */
  #putString(lengthMax: number): number {
    const length = letters(this.#random, { into: this.#scratch, lengthMax, special: space });
    let start = 0;
    let end = length;
    while (start < end && this.#scratch[start] === space) start++;
    while (end > start && this.#scratch[end - 1] === space) end--;
    this.#target.put(this.#scratch.subarray(start, end));
    return end - start;
  }

  #putCreditCard(): number {
    const { bytes } = this.#target;
    for (let group = 0; group < 4; group++) {
      if (group > 0) this.#target.put(text.blank);
      let value = this.#random.below(10_000);
      for (let digit = 3; digit >= 0; digit--) {
        bytes[this.#target.length + digit] = 48 + (value % 10);
        value = Math.floor(value / 10);
      }
      this.#target.length += 4;
    }
    return 19;
  }

  /** Letters that bring an event of `size` bytes to `average`, give or take a fifth of them. */
  #putExtra(size: number, average: number): void {
    if (size > average) return;
    const missing = average - size;
    const delta = Math.round(missing * 0.2);
    const length = missing - delta + (delta === 0 ? 0 : this.#random.below(2 * delta));
    const { bytes, length: start } = this.#target;
    const end = start + length;
    // Six letters of each number; what is too much is overwritten.
    for (let at = start; at < end; at += 6) {
      const bits = this.#random.bits() & 0x7fffffff;
      const high = (bits / tripleCount) | 0;
      const first = 3 * (bits - high * tripleCount);
      const second = 3 * (high % tripleCount);
      bytes[at] = triples[first] as number;
      bytes[at + 1] = triples[first + 1] as number;
      bytes[at + 2] = triples[first + 2] as number;
      bytes[at + 3] = triples[second] as number;
      bytes[at + 4] = triples[second + 1] as number;
      bytes[at + 5] = triples[second + 2] as number;
    }
    this.#target.length = end;
  }
}

const tripleCount = 26 ** 3;
/** All words of three letters, one behind the other. */
const triples = Uint8Array.from({ length: 3 * tripleCount }, (_, index) => {
  const word = Math.floor(index / 3);
  return letterA + (Math.floor(word / 26 ** (index % 3)) % 26);
});

/** Cents: 10^(0 to 6), spread evenly over the exponents. */
function price(random: SeededRandom): number {
  return Math.round(10 ** (random.fraction() * 6) * 100);
}

interface Letters {
  readonly into: Uint8Array;
  readonly lengthMax: number;
  /** Stands in place of every thirteenth letter. */
  readonly special: number;
}

function letters(random: SeededRandom, { into, lengthMax, special }: Letters): number {
  const length = 3 + random.below(lengthMax - 3);
  for (let index = 0; index < length; index++) {
    into[index] = random.below(13) === 0 ? special : letterA + random.below(26);
  }
  return length;
}

function baseUrl(random: SeededRandom): string {
  const into = new Uint8Array(8);
  const part = () => {
    const length = letters(random, { into, lengthMax: 5, special: underscore });
    return new TextDecoder().decode(into.subarray(0, length));
  };
  return `https://www.nexmark.com/${part()}/${part()}/${part()}/item.htm?query=1`;
}

/** The 32 bits of a number from the other end, signed, as Java's Integer.reverse. */
function reversedBits(value: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed |= ((value >>> bit) & 1) << (31 - bit);
  return reversed;
}

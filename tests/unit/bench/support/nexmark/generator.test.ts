import { describe, expect, test } from "bun:test";
import { nexmarkEvents } from "../../../../../bench/support/nexmark/delays.ts";
import {
  NexmarkGenerator,
  type NexmarkOptions,
  nexmarkBaseTimeMs,
} from "../../../../../bench/support/nexmark/generator.ts";

interface Event {
  readonly event_type: number;
  readonly person: Readonly<Record<string, unknown>> | null;
  readonly auction: Readonly<Record<string, unknown>> | null;
  readonly bid: Readonly<Record<string, unknown>> | null;
}

function texts(options: NexmarkOptions, count: number): string[] {
  const generator = new NexmarkGenerator(options);
  const decoder = new TextDecoder();
  return Array.from({ length: count }, () => decoder.decode(generator.next()));
}

function events(options: NexmarkOptions, count: number): Event[] {
  return texts(options, count).map((text) => JSON.parse(text) as Event);
}

function timeOf({ person, auction, bid }: Event): number {
  const { dateTime } = person ?? auction ?? bid ?? {};
  expect(dateTime).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
  return Date.parse(`${String(dateTime).replace(" ", "T")}Z`);
}

function share<Item>(items: readonly Item[], is: (item: Item) => boolean): number {
  return items.filter(is).length / items.length;
}

describe("NexmarkGenerator", () => {
  test("the same seed gives the same bytes, another other ones", () => {
    const once = texts({ seed: 7 }, 5000);
    expect(texts({ seed: 7 }, 5000)).toEqual(once);
    expect(texts({ seed: 8 }, 5000)).not.toEqual(once);
  });

  test("each event is the JSON that JSON.stringify would write, with all fields of its kind", () => {
    const fields = {
      person: "id,name,emailAddress,creditCard,city,state,dateTime,extra",
      auction: "id,itemName,description,initialBid,reserve,dateTime,expires,seller,category,extra",
      bid: "auction,bidder,price,channel,url,dateTime,extra",
    } as const;
    for (const text of texts({ seed: 1 }, 3000)) {
      const event = JSON.parse(text) as Event;
      expect(JSON.stringify(event)).toBe(text);
      expect(Object.keys(event)).toEqual(["event_type", "person", "auction", "bid"]);
      const kind = (["person", "auction", "bid"] as const)[event.event_type] ?? "bid";
      expect(Object.keys(event[kind] ?? {}).join()).toBe(fields[kind]);
      const others = (["person", "auction", "bid"] as const).filter((each) => each !== kind);
      expect(others.map((each) => event[each])).toEqual([null, null]);
    }
  });

  test("kinds, ids and times follow from the event's number", () => {
    for (const [index, event] of events({ seed: 2 }, 1000).entries()) {
      const place = index % 50;
      const epoch = Math.floor(index / 50);
      expect(event.event_type).toBe(place === 0 ? 0 : place < 4 ? 1 : 2);
      if (event.person !== null) expect(event.person["id"]).toBe(1000 + epoch);
      if (event.auction !== null) expect(event.auction["id"]).toBe(1000 + 3 * epoch + place - 1);
      expect(timeOf(event)).toBe(nexmarkBaseTimeMs + Math.floor(index / 10));
    }
    const fast = events({ seed: 2, eventsPerSecond: 3_000_000, baseTimeMs: 1_000_000 }, 100);
    expect(fast.map(timeOf)).toEqual(
      fast.map((_, index) => 1_000_000 + Math.floor(Math.floor(index / 3) / 1000)),
    );
  });

  test("references stay among those that are active, and hot ones take their share", () => {
    const count = 60_000;
    const bids: { id: number; last: number; bidder: number; people: number }[] = [];
    const auctions: { seller: number; people: number; length: number; category: number }[] = [];
    for (const [index, event] of events({ seed: 3 }, count).entries()) {
      const epoch = Math.floor(index / 50);
      const people = epoch + 1;
      if (event.bid !== null) {
        const last = 3 * epoch + 2;
        const id = Number(event.bid["auction"]) - 1000;
        const bidder = Number(event.bid["bidder"]) - 2000;
        bids.push({ id, last, bidder, people });
      }
      if (event.auction !== null) {
        const seller = Number(event.auction["seller"]) - 1000;
        const expires = Date.parse(`${String(event.auction["expires"]).replace(" ", "T")}Z`);
        const category = Number(event.auction["category"]);
        auctions.push({ seller, people, length: expires - timeOf(event), category });
      }
    }
    const isHotAuction = ({ id, last }: (typeof bids)[number]) =>
      id === Math.floor(last / 100) * 100;
    const isHotBidder = ({ bidder, people }: (typeof bids)[number]) =>
      bidder === Math.floor((people - 1) / 100) * 100 + 1;
    expect(share(bids, isHotAuction)).toBeCloseTo(0.5, 1);
    expect(share(bids, isHotBidder)).toBeCloseTo(0.75, 1);
    for (const bid of bids) {
      const isNear = bid.id >= Math.max(bid.last - 100, 0) && bid.id <= bid.last + 10;
      expect(isHotAuction(bid) || isNear).toBe(true);
      const isActive = bid.bidder >= bid.people - 1000 && bid.bidder < bid.people + 10;
      expect(isHotBidder(bid) || isActive).toBe(true);
    }
    const isHotSeller = ({ seller, people }: (typeof auctions)[number]) =>
      seller === Math.floor((people - 1) / 100) * 100;
    expect(share(auctions, isHotSeller)).toBeCloseTo(0.75, 1);
    // 1 666 events ahead are 166 ms: lengths spread to twice as much.
    const lengths = auctions.map(({ length }) => length);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(334);
    expect(new Set(auctions.map(({ category }) => category))).toEqual(
      new Set([10, 11, 12, 13, 14]),
    );
  });

  test("prices, channels, urls and sizes are spread as upstream's", () => {
    const bids = events({ seed: 4 }, 30_000).flatMap(({ bid }) => (bid === null ? [] : [bid]));
    const prices = bids.map((bid) => Number(bid["price"]));
    expect(Math.min(...prices)).toBeGreaterThanOrEqual(100);
    expect(Math.max(...prices)).toBeLessThanOrEqual(100_000_000);
    expect(share(prices, (price) => price < 100_000)).toBeCloseTo(0.5, 1);
    const isHot = (bid: (typeof bids)[number]) =>
      ["Google", "Facebook", "Baidu", "Apple"].includes(String(bid["channel"]));
    expect(share(bids, isHot)).toBeCloseTo(0.5, 1);
    const urls = new Map<unknown, unknown>();
    for (const bid of bids) {
      const { channel, url } = bid;
      expect(url).toMatch(
        /^https:\/\/www\.nexmark\.com\/[a-z_]{3,4}\/[a-z_]{3,4}\/[a-z_]{3,4}\/item\.htm\?query=1(&channel_id=\d+)?$/,
      );
      expect(urls.get(channel) ?? url).toBe(url);
      urls.set(channel, url);
    }
    const cold = bids.filter((bid) => !isHot(bid));
    expect(share(cold, ({ url }) => String(url).includes("channel_id"))).toBeCloseTo(0.9, 1);
    const extras = bids.map((bid) => String(bid["extra"]).length);
    expect(Math.min(...extras)).toBeGreaterThanOrEqual(54);
    expect(Math.max(...extras)).toBeLessThanOrEqual(82);
  });

  test("out-of-order groups hold the same events, shuffled within themselves", () => {
    const size = 100;
    const ordered = events({ seed: 5 }, 5000).map(timeOf);
    const shuffled = events({ seed: 5, outOfOrderGroupSize: size }, 5000).map(timeOf);
    expect(shuffled).not.toEqual(ordered);
    for (let start = 0; start < 5000; start += size) {
      const group = shuffled.slice(start, start + size).toSorted((a, b) => a - b);
      expect(group).toEqual(ordered.slice(start, start + size));
    }
  });
});

describe("nexmarkEvents", () => {
  test("delays hold events back, lose none, and change none", () => {
    const decoder = new TextDecoder();
    const all = (delayProbability: number) =>
      [...nexmarkEvents({ seed: 6, delayProbability, delayMsMax: 100 }, 5000)].length;
    expect(all(0.1)).toBe(5000);
    const taken: { text: string; time: number }[] = [];
    for (const { json, eventTimeMs } of nexmarkEvents(
      { seed: 6, delayProbability: 0.1, delayMsMax: 100 },
      5000,
    )) {
      taken.push({ text: decoder.decode(json), time: eventTimeMs });
    }
    const plain = texts({ seed: 6 }, 5000);
    expect(taken.map(({ text }) => text).toSorted()).toEqual(plain.toSorted());
    const times = taken.map(({ time }) => time);
    const late = times.filter((time, index) => time < Math.max(...times.slice(0, index)));
    expect(late.length / 5000).toBeCloseTo(0.1, 1);
    for (const [index, time] of times.entries()) {
      const greatest = Math.max(...times.slice(0, index + 1));
      expect(greatest - time).toBeLessThanOrEqual(101);
    }
  });
});

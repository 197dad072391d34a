/**
 * Pages that come one after another, lose requests, answers and themselves, and leave by beacons that
 * overtake each other: whatever was on disk is appended once, in each page's order; what lives in
 * memory alone is never appended twice, and what was acknowledged is there. Records that are refused
 * take no others along, nor do more of them than may come at once.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { type Producer, producer } from "../../src/client/producer.ts";
import { ClientPlace, type Fault, problemAnswer } from "../support/client-place.ts";
import { MemoryDisk } from "../support/memory-disk-queue.ts";

const faults = fc.constantFrom("none", "request lost", "answer lost", "busy");
type FaultName = "none" | "request lost" | "answer lost" | "busy";

/** A request with such a value the server refuses, however it comes. */
const isBad = (value: number) => value % 13 === 5;
const valuesIn = (body: unknown) =>
  [...String(body).matchAll(/"value":(\d+)/g)].map(([, digits]) => Number(digits));

const pages = fc.array(
  fc.record({
    records: fc.integer({ min: 1, max: 12 }),
    /** What happens to each request; then all is well. */
    faults: fc.array(faults, { maxLength: 12 }),
    /** Requests that the page lives for. */
    lifetime: fc.integer({ min: 0, max: 8 }),
    leavesByBeacon: fc.boolean(),
    /** Whether each beacon arrives, and whether the next one arrives first. */
    beacons: fc.array(fc.constantFrom("arrives", "late", "lost"), { maxLength: 6 }),
    /** Records of a request at most, as of a token with a rate. */
    recordsMax: fc.constantFrom(1, 2, 3, 1_000),
  }),
  { minLength: 1, maxLength: 5 },
);

/** What pages have and this runtime does not. */
const scope = globalThis as unknown as {
  addEventListener: unknown;
  removeEventListener: unknown;
  navigator: { sendBeacon?: unknown };
};
const before = { ...scope, navigator: scope.navigator };
const listeners = new Map<string, Set<() => void>>();
let sendBeacon: (url: string, body: Blob) => boolean = () => false;

beforeAll(() => {
  scope.addEventListener = (type: string, listener: () => void) =>
    listeners.set(type, (listeners.get(type) ?? new Set()).add(listener));
  scope.removeEventListener = (type: string, listener: () => void) =>
    listeners.get(type)?.delete(listener);
  Object.defineProperty(globalThis, "navigator", {
    configurable: true,
    value: { sendBeacon: (url: string, body: Blob) => sendBeacon(url, body) },
  });
});

afterAll(() => {
  scope.addEventListener = before.addEventListener;
  scope.removeEventListener = before.removeEventListener;
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: before.navigator });
});

interface Outcome {
  /** Of records: page · 100 + index. */
  readonly sent: number[];
  readonly acknowledged: Set<number>;
  readonly refused: Set<number>;
  readonly appended: number[];
}

type Page = Parameters<Parameters<typeof pages.map>[0]>[0][number];

async function live(all: readonly Page[], isDurable: boolean): Promise<Outcome> {
  const place = await ClientPlace.withTopic();
  const disk = new MemoryDisk();
  const outcome: Outcome = {
    ...{ sent: [], acknowledged: new Set(), refused: new Set(), appended: [] },
  };
  const beacons: Promise<unknown>[] = [];
  const last: Page = {
    records: 1,
    faults: [],
    lifetime: 1_000,
    leavesByBeacon: false,
    beacons: [],
    recordsMax: 1_000,
  };
  for (const [number, page] of [...all, last].entries()) {
    let isLive = true;
    const left = [...page.faults];
    let requests = 0;
    const { promise: death, resolve: die } = Promise.withResolvers<void>();
    const stop = new AbortController();
    place.fault = ({ init }) => {
      if (isLive && requests++ >= page.lifetime) die();
      if (!isLive) return "request lost";
      const fault = faultOf(left.shift());
      return fault === "request lost" ? fault : (refusalOf(init.body, page, outcome) ?? fault);
    };
    const clicks = producer(place.connect(), "t", {
      ...{ lingerMs: 0, batchBytesMax: 120, signal: stop.signal },
      ...(isDurable && { queue: disk.queue(() => isLive) }),
    });
    sendAll(clicks, number, page.records, outcome);
    await clicks.saved();
    await Promise.race([clicks.flush(), death]).catch(() => undefined);
    sendBeacon = beaconSender(place, page, beacons, outcome);
    if (page.leavesByBeacon) for (const listener of listeners.get("pagehide") ?? []) listener();
    isLive = false;
    stop.abort();
    await clicks.close().catch(() => undefined);
    await Promise.all(beacons.splice(0));
  }
  outcome.appended.push(...(await place.values()).map(Number));
  return outcome;
}

function sendAll(clicks: Producer, page: number, count: number, outcome: Outcome): void {
  for (let index = 0; index < count; index++) {
    const value = page * 100 + index;
    outcome.sent.push(value);
    clicks.send(value).then(
      () => outcome.acknowledged.add(value),
      () => undefined,
    );
  }
}

function faultOf(name: FaultName = "none"): Fault {
  if (name === "busy") return problemAnswer(503, "store_unavailable", { retriable: true });
  return name === "none" ? undefined : name;
}

function refusalOf(
  body: unknown,
  { recordsMax }: Page,
  { refused }: Outcome,
): Response | undefined {
  const values = valuesIn(body);
  if (values.length > recordsMax) return problemAnswer(413, "request_too_large", { recordsMax });
  if (!values.some(isBad)) return undefined;
  for (const value of values) if (isBad(value)) refused.add(value);
  return problemAnswer(400, "invalid_record");
}

/** Beacons that are late arrive behind those that are sent after them. */
function beaconSender(place: ClientPlace, page: Page, sent: Promise<unknown>[], outcome: Outcome) {
  const fates: string[] = [...page.beacons];
  let queue = Promise.resolve<unknown>(undefined);
  return (url: string, body: Blob): boolean => {
    const fate = fates.shift() ?? "arrives";
    const { pathname, search } = new URL(url);
    const headers = { "Content-Type": "text/plain" };
    const send = async () => {
      const text = await body.text();
      if (refusalOf(text, page, outcome) !== undefined) return;
      await place.fixture.ask(pathname + search, { method: "POST", headers, body: text });
    };
    if (fate === "arrives") queue = queue.then(send);
    else if (fate === "late") sent.push(Bun.sleep(5).then(send));
    sent.push(queue);
    return true;
  };
}

const byPage = (values: readonly number[]) =>
  Map.groupBy(values, (value) => Math.floor(value / 100));

test("what was on disk is appended once, in its page's order", async () => {
  await fc.assert(
    fc.asyncProperty(pages, async (all) => {
      const { sent, refused, appended } = await live(all, true);
      expect(appended.toSorted((a, b) => a - b)).toEqual(
        sent.filter((value) => !refused.has(value)),
      );
      for (const values of byPage(appended).values()) {
        expect(values).toEqual(values.toSorted((a, b) => a - b));
      }
    }),
    { numRuns: 40 },
  );
}, 60_000);

test("what was in memory is appended once at most, and once when it was acknowledged", async () => {
  await fc.assert(
    fc.asyncProperty(pages, async (all) => {
      const { sent, acknowledged, refused, appended } = await live(all, false);
      const found = new Set(appended);
      expect(found.size).toBe(appended.length);
      for (const value of sent) {
        if (acknowledged.has(value)) expect(found.has(value)).toBe(true);
        if (refused.has(value)) expect(found.has(value)).toBe(false);
      }
    }),
    { numRuns: 40 },
  );
}, 60_000);

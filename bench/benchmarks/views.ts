/** Pulls by key and pushes of a materialized view while events come in and commits go on. */
import type { BenchContext, Benchmark } from "../benchmark.ts";
import type { Figure } from "../support/figures.ts";
import { Millrace } from "../support/millrace.ts";
import { SqlClient } from "../support/sql-client.ts";
import { percentile } from "../support/statistics.ts";

const eventsPerSecond = 50_000;
const pullsPerSecond = 1_000;
const keyCount = 1_000;
const batchEvents = 500;
/** Batches that are made before and sent again and again. */
const preparedCount = 64;
/** Keys of events whose row is waited for. */
const firstMarker = 1_000_000_000;
const warmUpMs = 3_000;

export const viewsBenchmark: Benchmark = {
  name: "views",
  summary: "pulls by key at 1 000/s and pushes under 50 000 events/s, over HTTP; --seconds",
  async run(context) {
    const figures: Figure[] = [];
    for (const commitMs of [1_000, 100]) figures.push(...(await measure(context, commitMs)));
    return figures;
  },
};

async function measure(context: BenchContext, commitMs: number): Promise<Figure[]> {
  const { options, say } = context;
  const worker = await Millrace.start(options);
  const client = await SqlClient.open(worker);
  try {
    await client.run(`SET 'execution.checkpointing.interval' = '${commitMs} ms';
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price BIGINT) WITH ('partitions' = '1');
CREATE MATERIALIZED VIEW totals AS SELECT auction, COUNT(*) AS n, SUM(price) AS total,
  MAX(price) AS top FROM bids GROUP BY auction`);
    const load = new Load(client);
    load.start();
    await Bun.sleep(warmUpMs);
    const follower = new Markers(client);
    // The first pull makes the table; code that has not run yet is slow.
    const [first = Number.NaN] = await pullFor(client, 1);
    await pullFor(client, warmUpMs);
    follower.start();
    say(`  commits every ${commitMs} ms, for ${options.seconds} s`);
    const pulls = await pullFor(client, options.seconds * 1000);
    const markers = await follower.stop();
    const appended = await load.stop();
    return figuresOf({ commitMs, first, pulls, markers, appended });
  } finally {
    client.close();
    await worker.stop();
  }
}

interface Measured {
  readonly commitMs: number;
  readonly first: number;
  readonly pulls: readonly number[];
  readonly markers: readonly number[];
  readonly appended: { readonly events: number; readonly seconds: number };
}

function figuresOf({ commitMs, first, pulls, markers, appended }: Measured): Figure[] {
  const every = `commits every ${commitMs} ms`;
  const milliseconds = (what: string, values: readonly number[], share: number) => ({
    what: `${what}, ${every}`,
    value: percentile(values, share),
    unit: "ms",
  });
  return [
    {
      what: `events in, ${every}`,
      value: appended.events / appended.seconds,
      unit: "events/s",
      note: `${keyCount} keys`,
    },
    milliseconds("first pull, which makes the table", [first], 1),
    { ...milliseconds("pull by key, p50", pulls, 0.5), note: `${pulls.length} pulls` },
    { ...milliseconds("pull by key, p99", pulls, 0.99), goal: { atMost: 10 } },
    milliseconds("pull by key, p99.9", pulls, 0.999),
    { ...milliseconds("push from produce, p50", markers, 0.5), note: `${markers.length} rows` },
    milliseconds("push from produce, p99", markers, 0.99),
  ];
}

/** Events at a steady rate; when it falls behind, it catches up. */
class Load {
  readonly #client: SqlClient;
  readonly #batches: readonly Uint8Array[];
  #isOver = false;
  #events = 0;
  #startedAt = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(client: SqlClient) {
    this.#client = client;
    this.#batches = Array.from({ length: preparedCount }, (_, batch) =>
      client.request(
        "bids",
        Array.from({ length: batchEvents }, (_, index) => {
          const auction = (batch * 7919 + index * 104_729) % keyCount;
          return `{"auction":${auction},"bidder":${index},"price":${(index * 31) % 977}}`;
        }),
      ),
    );
  }

  start(): void {
    this.#startedAt = performance.now();
    this.#running = this.#run();
  }

  async stop(): Promise<{ readonly events: number; readonly seconds: number }> {
    this.#isOver = true;
    await this.#running;
    return { events: this.#events, seconds: (performance.now() - this.#startedAt) / 1000 };
  }

  async #run(): Promise<void> {
    const waiting = new Set<Promise<void>>();
    for (let sent = 0; !this.#isOver; sent++) {
      const dueAt = this.#startedAt + (sent * batchEvents * 1000) / eventsPerSecond;
      const waitMs = dueAt - performance.now();
      if (waitMs > 0) await Bun.sleep(waitMs);
      const bytes = this.#batches[sent % preparedCount] as Uint8Array;
      const append = this.#client.append(bytes).then(() => {
        this.#events += batchEvents;
        waiting.delete(append);
      });
      waiting.add(append);
      // The same bytes must not be on their way twice.
      if (waiting.size >= preparedCount) await Promise.race(waiting);
    }
    await Promise.all(waiting);
  }
}

/** Milliseconds of pulls, each counted from when it was due, whatever held it up. */
async function pullFor(client: SqlClient, durationMs: number): Promise<number[]> {
  const times: number[] = [];
  const startedAt = performance.now();
  const count = Math.floor((durationMs * pullsPerSecond) / 1000);
  const waiting: Promise<void>[] = [];
  for (let pull = 0; pull < count; pull++) {
    const dueAt = startedAt + (pull * 1000) / pullsPerSecond;
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) await Bun.sleep(waitMs);
    // Timers may be early.
    const since = Math.min(dueAt, performance.now());
    const key = (pull * 7907) % keyCount;
    const query = `SELECT auction, n, total, top FROM totals WHERE auction = ${key}`;
    waiting.push(
      client.countRows(query).then((rows) => {
        if (rows !== 1) throw new Error(`A pull of ${key} found ${rows} rows`);
        times.push(performance.now() - since);
      }),
    );
  }
  await Promise.all(waiting);
  return times;
}

/** Sends events of keys that nobody has, and waits for their rows. */
class Markers {
  readonly #client: SqlClient;
  readonly #left = new AbortController();
  readonly #sentAt = new Map<number, number>();
  readonly #times: number[] = [];
  #running: Promise<unknown> = Promise.resolve();

  constructor(client: SqlClient) {
    this.#client = client;
  }

  start(): void {
    const changes = this.#client.changes(
      `SELECT auction FROM totals WHERE auction >= ${firstMarker} EMIT CHANGES`,
      this.#left.signal,
    );
    this.#running = Promise.all([this.#read(changes), this.#send()]);
  }

  async stop(): Promise<readonly number[]> {
    this.#left.abort();
    await this.#running;
    return this.#times;
  }

  async #read(rows: AsyncIterable<unknown>): Promise<void> {
    for await (const row of rows) {
      const { auction } = row as { readonly auction: number };
      this.#times.push(performance.now() - (this.#sentAt.get(auction) ?? Number.NaN));
    }
  }

  async #send(): Promise<void> {
    for (let marker = firstMarker; !this.#left.signal.aborted; marker++) {
      const bytes = this.#client.request("bids", [`{"auction":${marker},"bidder":1,"price":1}`]);
      this.#sentAt.set(marker, performance.now());
      await this.#client.append(bytes);
      await Bun.sleep(20 + Math.random() * 40);
    }
  }
}

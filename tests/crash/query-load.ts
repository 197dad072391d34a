/**
 * Bids under running queries: a windowed view and an INSERT INTO … SELECT go on over them while
 * something breaks. In the end each window must have counted each bid once, as computed here from
 * the bids themselves, every bid must have been copied once, in its order, and a view that nothing
 * has broken must give the same rows in the same order.
 */
import { queryList } from "../../src/wire/http/sql-shapes.ts";
import { eventually } from "../support/processes.ts";
import { type Bid, BidProducer, baseTime } from "./bid-producer.ts";
import type { AskedServer } from "./crash-server.ts";

const partitionCount = 2;
const windowMs = 10_000;
const settledMsMax = 60_000;

/** The topics of a load, which begin with its name. */
const namesOf = (name: string) => ({
  ...{ bids: `${name}bids`, copies: `${name}copies` },
  ...{ totals: `${name}totals`, unbroken: `${name}unbroken` },
});
type Names = ReturnType<typeof namesOf>;

const view = (name: string, { bids }: Names) => `CREATE MATERIALIZED VIEW ${name} AS
  SELECT auction, COUNT(*) AS n, SUM(price) AS total, window_start
  FROM TUMBLE(TABLE ${bids}, DESCRIPTOR(ts), INTERVAL '10' SECOND)
  GROUP BY auction, window_start, window_end`;

/** No partition is idle while a server is away, so no bid is late, however long that takes. */
const setup = (names: Names) => `SET 'execution.checkpointing.interval' = '50 ms';
CREATE STREAM ${names.bids} (producer INT, number BIGINT, auction INT, price INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
  WITH ('partitions' = '${partitionCount}', 'idle-timeout' = '0');
CREATE STREAM ${names.copies} (producer INT, number BIGINT) WITH ('partitions' = '1');
INSERT INTO ${names.copies} SELECT producer, number FROM ${names.bids};
${view(names.totals, names)}`;

export class QueryLoad {
  readonly producers: readonly BidProducer[];
  readonly #names: Names;

  private constructor(names: Names) {
    this.#names = names;
    const partitions = Array.from({ length: partitionCount }, (_, partition) => partition);
    this.producers = partitions.map((partition) => new BidProducer(names.bids, partition));
  }

  /** Makes stream and queries. */
  static async create(server: AskedServer, name = ""): Promise<QueryLoad> {
    const load = new QueryLoad(namesOf(name));
    await sql(server, setup(load.#names));
    return load;
  }

  get bids(): readonly Bid[] {
    return this.producers.flatMap(({ sent }) => sent);
  }

  /** Each sends until the server is gone, or until `signal`. */
  run(server: AskedServer, signal?: AbortSignal): Promise<void>[] {
    return this.producers.map((producer) => producer.run(server, signal));
  }

  /** Records of all partitions that the query of the view has committed. */
  async committed(server: AskedServer): Promise<number> {
    const found = (await queriesOf(server)).find(({ target }) => target === this.#names.totals);
    return (found?.partitions ?? []).reduce((sum, each) => sum + each.position, 0);
  }

  /** The queries' ids. */
  async queryIds(server: AskedServer): Promise<string[]> {
    const own: readonly string[] = [this.#names.totals, this.#names.copies];
    const queries = await queriesOf(server);
    return queries.filter(({ target }) => own.includes(target)).map(({ queryId }) => queryId);
  }

  /** Closes all windows, and compares. */
  async finish(
    server: AskedServer,
  ): Promise<{ readonly windows: number; readonly faults: string[] }> {
    for (const producer of this.producers) await producer.settle(server);
    const end = Math.max(...this.bids.map(({ ts }) => Date.parse(ts))) + 10 * windowMs;
    for (const producer of this.producers) await producer.finish(server, end);
    await sql(server, view(this.#names.unbroken, this.#names));
    const expected = windowsOf(this.bids.filter(({ ts }) => Date.parse(ts) < end));
    return { windows: expected.size, faults: await this.#faults(server, expected) };
  }

  async #faults(server: AskedServer, expected: ReadonlyMap<string, string>): Promise<string[]> {
    const names = this.#names;
    const bidCount = this.producers.reduce((sum, { sent }) => sum + sent.length, 0);
    const totals = await rowsWhen(server, names.totals, expected.size);
    const unbroken = await rowsWhen(server, names.unbroken, expected.size);
    const copies = await rowsWhen(server, names.copies, bidCount);
    const faults: string[] = [];
    if (await topicExists(server, `${names.totals}.late`))
      faults.push("rows are late that came in order");
    const seen = new Map<string, string>();
    for (const row of totals) {
      const key = `${row["window_start"]} ${row["auction"]}`;
      const found = `${row["n"]} of ${row["total"]}`;
      if (seen.has(key)) faults.push(`${key} stands twice: ${seen.get(key)}, ${found}`);
      seen.set(key, found);
      if (expected.get(key) !== found) faults.push(`${key}: ${found}, not ${expected.get(key)}`);
    }
    for (const key of expected.keys()) if (!seen.has(key)) faults.push(`${key} is not there`);
    if (JSON.stringify(totals) !== JSON.stringify(unbroken)) {
      faults.push("the view that was broken gives other rows than the one that was not");
    }
    for (const [partition, { sent }] of this.producers.entries()) {
      const own = copies.filter(({ producer }) => producer === partition);
      const wrong = own.findIndex(({ number }, index) => number !== sent[index]?.number);
      if (wrong >= 0) faults.push(`copy ${wrong} of producer ${partition} is another bid`);
      if (own.length !== sent.length) {
        faults.push(`${own.length} copies of ${sent.length} bids of producer ${partition}`);
      }
    }
    return faults.slice(0, 20);
  }
}

interface Row {
  readonly [column: string]: unknown;
}

/** By window and auction: how many, and their sum. */
function windowsOf(bids: readonly Bid[]): Map<string, string> {
  const sums = new Map<string, { n: number; total: number }>();
  for (const { auction, price, ts } of bids) {
    const start = Math.floor((Date.parse(ts) - baseTime) / windowMs) * windowMs + baseTime;
    const shown = new Date(start).toISOString().replace("T", " ").replace("Z", "");
    const key = `${shown} ${auction}`;
    const sum = sums.get(key) ?? { n: 0, total: 0 };
    sum.n += 1;
    sum.total += price;
    sums.set(key, sum);
  }
  return new Map([...sums].map(([key, { n, total }]) => [key, `${n} of ${total}`]));
}

/** All rows of a topic, once there are as many as wanted, and for what comes after them a moment. */
async function rowsWhen(server: AskedServer, topic: string, count: number): Promise<Row[]> {
  const enough = async () => {
    const rows = await readTopic(server, topic);
    return rows.length >= count ? rows : undefined;
  };
  await eventually(enough, settledMsMax).catch(() => undefined);
  await Bun.sleep(300);
  return await readTopic(server, topic);
}

async function readTopic(server: AskedServer, topic: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (;;) {
    const path = `/v1/topics/${topic}/partitions/0/records?values=json&offset=${rows.length}`;
    const answer = await fetch(`${server.httpUrl}${path}`, { headers: server.headers });
    if (!answer.ok) throw new Error(`Reading failed: ${await answer.text()}`);
    const { records } = (await answer.json()) as { records: { value: Row }[] };
    if (records.length === 0) return rows;
    rows.push(...records.map(({ value }) => value));
  }
}

async function topicExists({ httpUrl, headers }: AskedServer, topic: string): Promise<boolean> {
  return (await fetch(`${httpUrl}/v1/topics/${topic}`, { headers })).ok;
}

async function queriesOf({ httpUrl, headers }: AskedServer) {
  const answer = await fetch(`${httpUrl}/v1/queries`, { headers });
  return queryList.parse(await answer.json()).queries;
}

async function sql({ httpUrl, headers }: AskedServer, script: string): Promise<unknown> {
  const answer = await fetch(`${httpUrl}/v1/sql`, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify({ sql: script }),
  });
  if (!answer.ok) throw new Error(`SQL failed: ${await answer.text()}`);
  return await answer.json();
}

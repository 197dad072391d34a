/**
 * Kill −9 under running queries: bids come in, a windowed view and an INSERT INTO … SELECT go on
 * over them, and the server is killed at random moments. In the end each window must have counted
 * each bid once, as computed here from the bids themselves, every bid must have been copied once, in
 * its order, and a view that nothing has broken must give the same rows in the same order.
 */
import { queryList } from "../../src/wire/http/sql-shapes.ts";
import { eventually } from "../support/processes.ts";
import { type ServerPlace, StreamServer } from "../support/stream-server.ts";
import { createRandom } from "../support/virtual-platform.ts";
import { type Bid, BidProducer, baseTime } from "./bid-producer.ts";

export interface QueryCrashOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly place?: ServerPlace;
  readonly onRound?: (round: number, bids: number) => void;
}

export interface QueryCrashResult {
  readonly bids: number;
  readonly windows: number;
  /** Rounds after which the view went on from a later commit than after the one before. */
  readonly advances: number;
  readonly faults: readonly string[];
}

const partitionCount = 2;
const windowMs = 10_000;
const settledMsMax = 60_000;

const view = (name: string) => `CREATE MATERIALIZED VIEW ${name} AS
  SELECT auction, COUNT(*) AS n, SUM(price) AS total, window_start
  FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)
  GROUP BY auction, window_start, window_end`;

const setup = `SET 'execution.checkpointing.interval' = '50 ms';
CREATE STREAM bids (producer INT, number BIGINT, auction INT, price INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('partitions' = '${partitionCount}');
CREATE STREAM copies (producer INT, number BIGINT) WITH ('partitions' = '1');
INSERT INTO copies SELECT producer, number FROM bids;
${view("totals")}`;

export async function runQueryCrashes(options: QueryCrashOptions): Promise<QueryCrashResult> {
  const random = createRandom(options.seed);
  const server = await StreamServer.start(options.place);
  await sql(server, setup);
  const producers = Array.from(
    { length: partitionCount },
    (_, partition) => new BidProducer("bids", partition),
  );
  const bids = () => producers.flatMap(({ sent }) => sent);
  let advances = 0;
  let position = 0;
  for (let round = 1; round <= options.rounds; round++) {
    const running = producers.map((producer) => producer.run(server.httpUrl));
    // Every other kill may meet the queries while they start; before the rest they have committed.
    if (round % 2 === 0) await eventually(() => committedBeyond(server, position), settledMsMax);
    await Bun.sleep(random.uniform() * 400);
    await server.kill();
    await Promise.all(running);
    await server.restart();
    const committed = await committedOf(server, "totals");
    if (committed > position) advances += 1;
    position = committed;
    options.onRound?.(round, bids().length);
  }
  for (const producer of producers) await producer.settle(server.httpUrl);
  const end = Math.max(...bids().map(({ ts }) => Date.parse(ts))) + 10 * windowMs;
  for (const producer of producers) await producer.finish(server.httpUrl, end);
  await sql(server, view("unbroken"));
  const expected = windowsOf(bids().filter(({ ts }) => Date.parse(ts) < end));
  const faults = await faultsOf(server, { producers, expected });
  await server.stop();
  return { bids: bids().length, windows: expected.size, advances, faults };
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

async function faultsOf(
  server: StreamServer,
  { producers, expected }: { producers: readonly BidProducer[]; expected: Map<string, string> },
): Promise<string[]> {
  const bidCount = producers.reduce((sum, { sent }) => sum + sent.length, 0);
  const totals = await rowsWhen(server, "totals", expected.size);
  const unbroken = await rowsWhen(server, "unbroken", expected.size);
  const copies = await rowsWhen(server, "copies", bidCount);
  const faults: string[] = [];
  if (await topicExists(server, "totals.late")) faults.push("rows are late that came in order");
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
  for (const [partition, { sent }] of producers.entries()) {
    const own = copies.filter(({ producer }) => producer === partition);
    const wrong = own.findIndex(({ number }, index) => number !== sent[index]?.number);
    if (wrong >= 0) faults.push(`copy ${wrong} of producer ${partition} is another bid`);
    if (own.length !== sent.length) {
      faults.push(`${own.length} copies of ${sent.length} bids of producer ${partition}`);
    }
  }
  return faults.slice(0, 20);
}

/** All rows of a topic, once there are as many as wanted, and for what comes after them a moment. */
async function rowsWhen(server: StreamServer, topic: string, count: number): Promise<Row[]> {
  const enough = async () => {
    const rows = await readTopic(server, topic);
    return rows.length >= count ? rows : undefined;
  };
  await eventually(enough, settledMsMax).catch(() => undefined);
  await Bun.sleep(300);
  return await readTopic(server, topic);
}

async function readTopic(server: StreamServer, topic: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (;;) {
    const path = `/v1/topics/${topic}/partitions/0/records?values=json&offset=${rows.length}`;
    const answer = await fetch(`${server.httpUrl}${path}`);
    if (!answer.ok) throw new Error(`Reading failed: ${await answer.text()}`);
    const { records } = (await answer.json()) as { records: { value: Row }[] };
    if (records.length === 0) return rows;
    rows.push(...records.map(({ value }) => value));
  }
}

/** Records of all partitions that the query of a view has committed. */
async function committedOf(server: StreamServer, target: string): Promise<number> {
  const answer = await fetch(`${server.httpUrl}/v1/queries`);
  const { queries } = queryList.parse(await answer.json());
  const found = queries.find((query) => query.target === target);
  return (found?.partitions ?? []).reduce((sum, each) => sum + each.position, 0);
}

async function committedBeyond(server: StreamServer, position: number): Promise<true | undefined> {
  return (await committedOf(server, "totals")) > position ? true : undefined;
}

async function topicExists(server: StreamServer, topic: string): Promise<boolean> {
  return (await fetch(`${server.httpUrl}/v1/topics/${topic}`)).ok;
}

async function sql(server: StreamServer, script: string): Promise<unknown> {
  const answer = await fetch(`${server.httpUrl}/v1/sql`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sql: script }),
  });
  if (!answer.ok) throw new Error(`SQL failed: ${await answer.text()}`);
  return await answer.json();
}

// What a program does with millrace/client, on whatever runs it: client.test.ts reads what it prints.
import * as arrow from "apache-arrow";
import { connect, consume, consumeGroup, MillraceError, produce, producer } from "millrace/client";
import { arrowBatches, arrowRecords, arrowTable } from "millrace/client/arrow";
import { liveRows, rows, rowsOf, sql, view } from "millrace/client/sql";

const [url, topic] = globalThis.Deno?.args ?? process.argv.slice(2);
const link = connect(url);
const found = {};

async function take(records, count) {
  const taken = [];
  for await (const record of records) {
    taken.push(record);
    if (taken.length === count) break;
  }
  return taken;
}

async function consumeProblem(transport) {
  const failure = await consume(link, topic, { transport })
    .next()
    .catch((error) => error);
  return failure.code === "unsupported";
}

// Half of the answers are lost.
let asked = 0;
const lossy = connect(url, {
  backoff: { minMs: 1, maxMs: 2 },
  async fetch(...request) {
    const answer = await fetch(...request);
    if (asked++ % 2 === 0) return answer;
    await answer.body?.cancel();
    throw new TypeError("lost");
  },
});
const events = producer(lossy, topic, { lingerMs: 0, batchBytesMax: 300 });
await Promise.all(Array.from({ length: 50 }, (_, n) => events.send({ n, k: `k${n % 3}` })));
await events.close();
found.produced = (await produce(link, topic, { n: 50, k: "k0" }, { key: "k" })).offsets;

const transports = ["events", "poll"];
// Node has WebSockets from version 22 on.
if (globalThis.WebSocket !== undefined) transports.push("websocket");
else found.websocket = await consumeProblem("websocket");
for (const transport of transports) {
  const first = await take(consume(link, topic, { from: "earliest", transport }), 20);
  const rest = await take(consume(link, topic, { cursor: first.at(-1).cursor, transport }), 31);
  const numbers = [...first, ...rest].map(({ value }) => value.n);
  found[transport] = numbers.every((n, index) => n === index) && numbers.length === 51;
}

const leave = new AbortController();
found.shared = 0;
for await (const { topic: from } of consumeGroup(link, `of_${topic}`, [topic], leave)) {
  if (from === topic) found.shared += 1;
  if (found.shared === 51) leave.abort();
}

const stop = new AbortController();
setTimeout(() => stop.abort(), 50);
found.ended = await take(consume(link, topic, { signal: stop.signal }), 1);

found.problem = await sql(link, "SELEC").catch(
  (error) => error instanceof MillraceError && [error.code, error.details.line],
);
await sql(
  link,
  `CREATE STREAM ${topic} (n INT, k STRING);
   SET 'execution.checkpointing.interval' = '50 ms';
   CREATE MATERIALIZED VIEW v${topic} AS SELECT k, COUNT(*) AS c FROM ${topic} GROUP BY k`,
);
const query = `SELECT k, COUNT(*) AS c FROM ${topic} GROUP BY k ORDER BY k`;
found.rows = await rowsOf(link, query);
found.streamed = await take(rows(link, query), Infinity);
found.arrow = (await arrowTable(link, query, arrow)).toArray().map(String);
const read = await arrowRecords(link, topic, arrow, { maxRecords: 20 });
const [next] = await take(consume(link, topic, { cursor: read.cursor }), 1);
found.records = [read.table.numRows, Number(read.table.getChild("offset")?.get(19)), next.offset];
found.batched = 0;
for await (const batch of arrowBatches(link, query, arrow)) found.batched += batch.numRows;

const keyOf = ({ k }) => k;
const live = liveRows(link, `v${topic}`, { keyOf });
for await (const state of live) if (state.get("k0")?.c === 18 && state.size === 3) break;
await produce(link, topic, { n: 51, k: "k1" });
for await (const change of view(link, `SELECT * FROM v${topic} WHERE k = 'k1'`)) {
  if (change.row.c === 18) {
    found.live = typeof change.cursor;
    break;
  }
}
// biome-ignore lint/suspicious/noConsole: what it prints is its answer.
console.log(JSON.stringify(found));

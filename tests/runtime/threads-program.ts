/**
 * Runs queries in threads one after another, for tests that start it on a runtime: prints, as JSON,
 * what each gave and how many threads there had been by then. The fourth query fails.
 */
import { silentLogger } from "../../src/base/log.ts";
import { querySettingsDefault } from "../../src/pipeline/query-definition.ts";
import { shapeOf } from "../../src/pipeline/query-maker.ts";
import { encodeBatch } from "../../src/record/batch-encode.ts";
import { createPlatform } from "../../src/runtime/node/platform.ts";
import { TaskThreads } from "../../src/runtime/node/task-threads.ts";
import { planToText } from "../../src/sql/plan/plan-text.ts";
import { recordsOf } from "../support/emitted-records.ts";
import { codecs, crc32c } from "../support/record-tools.ts";
import { valueRecords } from "../support/source-batches.ts";
import { TestCatalog } from "../support/sql-catalog.ts";

let made = 0;
const NativeWorker = globalThis.Worker;
globalThis.Worker = class extends NativeWorker {
  constructor(...parts: ConstructorParameters<typeof NativeWorker>) {
    super(...parts);
    made += 1;
  }
};

const catalog = new TestCatalog("CREATE STREAM bids (auction BIGINT)");
const plan = catalog.plan("SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction");

/** The rows of a query over these auctions; `broken` stands before them as a batch. */
async function rowsOf(threads: TaskThreads, auctions: readonly number[], broken?: Uint8Array) {
  const task = await threads.start({
    ...{ plan: planToText(plan), shape: shapeOf(plan.root, null), isBounded: true, states: [] },
    ...querySettingsDefault,
    partitions: [{ topic: "bids", partition: 0 }],
  });
  try {
    const records = valueRecords(auctions.map((auction) => JSON.stringify({ auction })));
    const bytes = encodeBatch({ records, codec: "none" }, { crc32c, codecs });
    const batches = broken === undefined ? [bytes] : [broken, bytes];
    const run = { topic: "bids", partition: 0, fromOffset: 0, batches };
    const publishes = [{ publishedAt: 0, runs: [run], created: [] }];
    await task.send({ kind: "publishes", publishes });
    const { outputs } = await task.send({ kind: "finish" });
    return outputs.flatMap((each) => recordsOf(each.bytes).map(({ value }) => value)).sort();
  } catch (error) {
    return (error as Error).message;
  } finally {
    task.close();
  }
}

const threads = new TaskThreads(createPlatform({ log: silentLogger }).timers);
const found: { readonly rows: unknown; readonly made: number }[] = [];
for (const auctions of [[1, 2, 1], [3], [1, 1, 1, 2]]) {
  found.push({ rows: await rowsOf(threads, auctions), made });
}
found.push({ rows: await rowsOf(threads, [4], new Uint8Array(61)), made });
found.push({ rows: await rowsOf(threads, [5]), made });
threads.close();
process.stdout.write(`${JSON.stringify(found)}\n`);

/**
 * Queries over made-up records, run in a thread that waits for its first query. Code is slow until
 * the engine has compiled it for the second and third time, which it does as it runs: the first
 * query of a process took half as much processor time again as the fourth. Compiled WebAssembly is
 * shared by all threads of a process, JavaScript is each thread's own.
 *
 * In steps of some milliseconds, with pauses: whoever needs the thread waits for one step at most.
 */
import type { Platform } from "../../base/platform.ts";
import { querySettingsDefault } from "../../pipeline/query-definition.ts";
import { shapeOf } from "../../pipeline/query-maker.ts";
import type { TaskReply, TaskRequest, TaskSetup } from "../../pipeline/task-protocol.ts";
import { encodeBatch } from "../../record/batch-encode.ts";
import type { CatalogEntry } from "../../sql/check/catalog.ts";
import type { CheckOptions } from "../../sql/check/context.ts";
import { checkCreateTable } from "../../sql/check/create-table.ts";
import { planQuery } from "../../sql/check/plan-query.ts";
import type { TaskPublish } from "../../sql/engine/query-task.ts";
import { planToText } from "../../sql/plan/plan-text.ts";
import { parseStatement } from "../../sql/syntax/parse-statement.ts";

/** What a thread has to be able to do. */
export interface WarmThread {
  start(setup: TaskSetup): Promise<void>;
  send(request: TaskRequest): Promise<TaskReply>;
  giveBack(batches: readonly Uint8Array[]): void;
  /** Gives whether the thread can have another task. */
  endTask(): Promise<boolean>;
}

export interface WarmUpParts {
  readonly platform: Pick<Platform, "codecs" | "crc32c" | "timers">;
  /** Aborts when the thread is needed. */
  readonly signal: AbortSignal;
}

/** A statement that defines something often has the query behind it that needs a thread. */
const calmMs = 500;
/** Between steps. */
const pauseMs = 4;
const stepsPerQuery = 120;
const recordsPerStep = 1_000;
const stepsPerCommit = 20;
const memoryBytes = 64 * 1024 * 1024;
/** Event time that a step takes: windows close every few of them. */
const stepMs = 2_000;
const startedAt = Date.UTC(2026, 0, 1);

const topic = "warm-up";

const table = `CREATE STREAM events (
  kind INT,
  person ROW<id BIGINT, name STRING>,
  bid ROW<auction BIGINT, price BIGINT, channel STRING, \`at\` TIMESTAMP(3)>,
  \`at\` AS CASE WHEN kind = 1 THEN NULL ELSE bid.\`at\` END,
  WATERMARK FOR \`at\` AS \`at\` - INTERVAL '4' SECOND
) WITH ('topic' = '${topic}', 'format' = 'json')`;

/** What most queries do: count by key in windows; filter, compute and hand on. */
const queries = [
  `SELECT bid.auction, COUNT(*) AS n, MAX(bid.price) AS most, window_start, window_end
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(\`at\`), INTERVAL '10' SECOND))
WHERE kind = 2 GROUP BY bid.auction, window_start, window_end`,
  `SELECT bid.auction, bid.price * 2 AS price, bid.channel, \`at\` FROM events
WHERE kind = 2 AND MOD(bid.auction, 3) = 0`,
];

/**
 * Leaves the thread without a task. Gives whether it can have one, as `endTask` does.
 * @throws what the thread failed with
 */
export async function warmUp(thread: WarmThread, parts: WarmUpParts): Promise<boolean> {
  const { platform, signal } = parts;
  await platform.timers.sleep(calmMs, signal);
  let isFit = true;
  for (const setup of warmUpSetups()) {
    if (signal.aborted || !isFit) break;
    await thread.start(setup);
    await runSteps(thread, parts);
    isFit = await thread.endTask();
  }
  return isFit;
}

/** The tasks that a thread is warmed with. */
export function warmUpSetups(): TaskSetup[] {
  return queries.map((text) => {
    const entries = new Map<string, CatalogEntry>();
    const catalog = {
      lookup: (name: string) => entries.get(name),
      names: () => entries.keys(),
    };
    const options: CheckOptions = { catalog, timeZone: "UTC", isBounded: false };
    const created = parseStatement(table);
    const query = parseStatement(text);
    if (created.kind !== "createTable" || query.kind !== "query") {
      throw new Error("Broken invariant: a warm-up has a stream and a query over it");
    }
    entries.set("events", checkCreateTable(created, table, options));
    const plan = planQuery(query.query, text, options);
    return {
      ...{ plan: planToText(plan), shape: shapeOf(plan.root, []), isBounded: false, states: [] },
      ...querySettingsDefault,
      memoryBytesMax: memoryBytes,
      partitions: [{ topic, partition: 0 }],
    };
  });
}

async function runSteps(thread: WarmThread, { platform, signal }: WarmUpParts): Promise<void> {
  for (let step = 0; step < stepsPerQuery && !signal.aborted; step++) {
    await thread.send({ kind: "publishes", publishes: [warmUpPublish(step, platform)] });
    if (step % stepsPerCommit === stepsPerCommit - 1) {
      const { outputs } = await thread.send({ kind: "commit", state: "delta" });
      thread.giveBack(outputs.map(({ bytes }) => bytes));
    }
    await platform.timers.sleep(pauseMs, signal);
  }
}

const encoder = new TextEncoder();

/** Records as they lie in a stored object: walked, summed and decoded. */
export function warmUpPublish(
  step: number,
  platform: Pick<Platform, "codecs" | "crc32c">,
): TaskPublish {
  const baseOffset = step * recordsPerStep;
  const at = startedAt + step * stepMs;
  const records = Array.from({ length: recordsPerStep }, (_, index) => {
    const time = at + Math.floor((index * stepMs) / recordsPerStep);
    return { timestamp: time, key: null, value: encoder.encode(recordText(index, time)) };
  });
  const bytes = encodeBatch({ records, codec: "none", baseOffset }, platform);
  const lastOffset = baseOffset + recordsPerStep - 1;
  const stored = { key: topic, position: 0, pieces: [bytes], baseOffset, lastOffset };
  const run = { topic, partition: 0, fromOffset: baseOffset, batches: [], stored };
  return { publishedAt: at + stepMs, runs: [run], created: [] };
}

function recordText(index: number, time: number): string {
  const at = new Date(time).toISOString().slice(0, -1).replace("T", " ");
  const auction = 1_000 + ((index * 7_919) % 211);
  const price = (index * 104_729) % 1_000_000;
  const channel = index % 3 === 0 ? "Apple" : `channel-${index % 97}`;
  return (
    `{"kind":2,"person":null,"bid":{"auction":${auction},"bidder":${index},"price":${price},` +
    `"channel":"${channel}","url":"https://www.example.com/item.html?query=${index}",` +
    `"at":"${at}","extra":"what nobody asks for, and is stepped over"}}`
  );
}

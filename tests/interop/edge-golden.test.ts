/**
 * The language on workerd: the cases of `tests/golden/sql` topic to topic over HTTP, each with its
 * query in an object of its own. Every other query has all of its input before it starts.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { bundleWorker } from "../../deploy/cloudflare/bundle.ts";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { edgeOptions, edgeToken } from "../support/edge-worker.ts";
import { type Isolate, startIsolate } from "../support/isolate.ts";
import { type CasePublish, caseFolder, readCase, type SqlCase } from "../support/sql-case.ts";
import {
  type CaseQuery,
  type CaseResult,
  planCase,
  runCase,
  straight,
} from "../support/sql-case-run.ts";
import { ServedCase } from "../support/sql-case-server.ts";
import { stateLines } from "../support/sql-golden.ts";

const entry = join(import.meta.dir, "../runtime/workerd/tenants-worker.ts");
/** Cases that run beside each other: most of each is waiting. */
const casesAtOnce = 10;
const settledMsMax = 30_000;
const pollMs = 40;

const byClock = "its result depends on when it was published, which here is now";
const byCreation = "partitions that come later are asked for by another protocol";
const byView = "it publishes itself what a view's query would";

/** Cases that do not run this way; they run in the engine alone (tests/golden/sql.test.ts). */
const leftOut: Readonly<Record<string, string>> = {
  "group-emit-periodic": byClock,
  "group-periodic-quiet": byClock,
  "nexmark-q12": byClock,
  "proctime-column": byClock,
  "proctime-emit-changes": byClock,
  "proctime-hop": byClock,
  "proctime-session": byClock,
  "proctime-session-rows": byClock,
  "proctime-top-n": byClock,
  "proctime-tumble": byClock,
  "time-added-partition": byCreation,
  "time-idle-input": byCreation,
  "time-idle-input-silent": byCreation,
  "time-quiet-stream": byClock,
  "time-skewed-clock": byClock,
  "time-view-and-stream": byView,
  "time-view-watermark": byView,
  "view-of-updating-view": byView,
  "window-emit-periodic": byClock,
};

/**
 * Cases in which partitions fall idle. Here all is published at once, then nothing: what is wanted is
 * what the engine gives for that, whenever ticks come.
 */
const silent: ReadonlySet<string> = new Set([
  "nexmark-q11",
  "time-idle-input-join",
  "time-idle-inputs-all",
  "time-idle-partition",
  "time-idle-spread",
  "time-idle-tick",
  "time-returning-partition",
  "time-spell-ends",
]);
/** Longer than any `idle-timeout` of theirs. */
const silenceMs = 60_000;

const names = readdirSync(caseFolder)
  .filter((file) => file.endsWith(".sql"))
  .map((file) => file.slice(0, -4))
  .filter((name) => !(name in leftOut))
  .sort();

/** What was wanted and what came, by case; all run while the first is awaited. */
const outcomes = new Map(names.map((name) => [name, Promise.withResolvers<Outcome>()]));

interface Outcome {
  readonly wanted: readonly string[];
  readonly came: readonly string[];
}

let worker: Isolate;
let tenants = 0;

beforeAll(async () => {
  worker = await startIsolate(await bundleWorker({ entry, minify: true }), {
    ...edgeOptions({
      ...{ MILLRACE_TOKEN: edgeToken, MILLRACE_QUERIES: "on" },
      ...{ MILLRACE_FLUSH_RATE_MAX: "0", MILLRACE_FLUSH_AGE_MS: "5" },
    }),
  });
  const waiting = [...outcomes];
  const runNext = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, { resolve, reject }] = next;
      await runServed(name).then(resolve, reject);
    }
  };
  for (let index = 0; index < casesAtOnce; index++) void runNext();
}, 60_000);

afterAll(async () => await worker?.stop());

describe("SQL cases on workerd", () => {
  test("are most of them, and those left out exist", () => {
    expect(names.length).toBeGreaterThanOrEqual(195);
    for (const name of Object.keys(leftOut)) readCase(name);
  });

  for (const name of names) {
    test(name, async () => {
      const outcome = await outcomes.get(name)?.promise;
      expect(outcome?.came).toEqual(outcome?.wanted ?? []);
    }, 120_000);
  }
});

async function runServed(name: string): Promise<Outcome> {
  const read = readCase(name);
  const sqlCase = silent.has(name) ? publishedAtOnce(read) : read;
  const query = planCase(sqlCase);
  // As the golden has it: tests/golden/sql.test.ts compares this run with it.
  const result = runCase(query, sqlCase, straight);
  const metadata = startLibsqlHttpServer();
  const tenant = `${new URL(metadata.url).port}-${tenants++}`;
  const headers = { Authorization: `Bearer ${edgeToken}`, "Test-Tenant": tenant };
  try {
    const served = new ServedCase({ url: worker.url, headers }, sqlCase);
    await served.prepare();
    const isBounded = sqlCase.isBounded || sqlCase.publishes.length === 0;
    if (isBounded) return await boundedOutcome(served, result);
    return await outcomeOf(served, { name, query, result });
  } finally {
    await fetch(`${worker.url}/test/leave`, { headers });
    await metadata.close();
  }
}

/** The same records, each topic's of a publish in one of its own as `ServedCase` has them; silence. */
function publishedAtOnce(sqlCase: SqlCase): SqlCase {
  const parts = sqlCase.publishes.flatMap(({ runs }) =>
    [...Map.groupBy(runs, ({ topic }) => topic).values()].map((each) => ({ runs: each })),
  );
  const first = sqlCase.publishes[0]?.publishedAt ?? 0;
  const publishes: CasePublish[] = parts.map(({ runs }, index) => {
    return { publishedAt: first + index, runs, created: [] };
  });
  const publishedAt = first + publishes.length + silenceMs;
  return { ...sqlCase, publishes: [...publishes, { publishedAt, runs: [], created: [] }] };
}

async function boundedOutcome(served: ServedCase, { rows, last }: CaseResult): Promise<Outcome> {
  await served.publishAll();
  const wanted = [...rows, ...last].map(({ value }) => value ?? "");
  return { wanted, came: await served.boundedRows() };
}

async function outcomeOf(
  served: ServedCase,
  parts: { readonly name: string; readonly query: CaseQuery; readonly result: CaseResult },
): Promise<Outcome> {
  const { name, query, result } = parts;
  const wanted = linesOf(query, {
    rows: result.rows.map(({ value }) => value ?? ""),
    state: result.states.at(-1)?.state ?? new Map(),
    ...{ late: result.late, errors: result.errors },
  });
  const isBacklog = Number(Bun.hash.crc32(name)) % 2 === 0;
  if (!isBacklog) await served.startQuery();
  await served.publishAll();
  if (isBacklog) await served.startQuery();
  const deadline = performance.now() + settledMsMax;
  for (;;) {
    const isDone = await served.isDone();
    const came = isDone ? linesOf(query, await resultOf(served)) : [];
    const isWanted = JSON.stringify(came) === JSON.stringify(wanted);
    if (isWanted || performance.now() > deadline) return { wanted, came };
    await Bun.sleep(pollMs);
  }
}

interface Shown {
  readonly rows: readonly string[];
  readonly state: ReadonlyMap<string, string>;
  readonly late: readonly string[];
  readonly errors: readonly string[];
}

async function resultOf(served: ServedCase): Promise<Shown> {
  const rows = await served.read("");
  const state = new Map<string, string>();
  for (const { key, value } of rows) {
    if (value === null) state.delete(key ?? "");
    else state.set(key ?? "", value);
  }
  const textsOf = async (suffix: ".late" | ".errors") =>
    (await served.read(suffix)).map(({ value }) => value ?? "");
  return {
    ...{ rows: rows.map(({ value }) => value ?? ""), state },
    ...{ late: await textsOf(".late"), errors: await textsOf(".errors") },
  };
}

function linesOf({ isAppend }: CaseQuery, { rows, state, late, errors }: Shown): string[] {
  // An updating result may pass over states in which an expression above a group would have failed.
  const found = isAppend ? errors : errors.filter((each) => !each.includes('"topic":null'));
  return [
    ...(isAppend ? rows : stateLines(state)),
    ...["== late", ...late.toSorted(), "== errors", ...found.toSorted()],
  ];
}

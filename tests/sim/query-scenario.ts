/**
 * A run with queries: workers take their leases, run them in tasks of the same thread, lose them to
 * each other, are paused, killed and started anew, while rows come in. When all has healed, the
 * results must be those of a task that was never disturbed, over the log as it then stands.
 */

import type { Log } from "../../src/log/log.ts";
import { createQuery } from "../../src/meta/sql-objects.ts";
import { LocalTask } from "../../src/pipeline/local-task.ts";
import {
  encodeQueryDefinition,
  querySettingsDefault,
} from "../../src/pipeline/query-definition.ts";
import { QueryMaker, shapeOf } from "../../src/pipeline/query-maker.ts";
import { QueryManager } from "../../src/pipeline/query-manager.ts";
import type { StartTask } from "../../src/pipeline/task-protocol.ts";
import { taskPublishOf } from "../../src/pipeline/task-publish.ts";
import { readBatchHeader } from "../../src/record/batch.ts";
import { encodeBatch } from "../../src/record/batch-encode.ts";
import { loadSqlModules } from "../../src/runtime/node/wasm-modules.ts";
import type { QueryPlan } from "../../src/sql/plan/plan.ts";
import { planToText } from "../../src/sql/plan/plan-text.ts";
import { codecs } from "../support/record-tools.ts";
import { TestCatalog } from "../support/sql-catalog.ts";
import { type OutputRow, readTopic, rowsOf } from "../support/sql-output.ts";
import { History } from "./checkers/history.ts";
import type { Dice } from "./dice.ts";
import { calm } from "./fault-rates.ts";
import { Nemesis } from "./nemesis.ts";
import { linkToAny, type RunContext } from "./run-context.ts";
import { SimulatedDatabase } from "./simulated-database.ts";
import { SimulatedWorker, type WorkerSetup } from "./simulated-worker.ts";
import { type Stage, stageOf } from "./stage.ts";
import { World } from "./world.ts";

export interface QueryRunResult {
  readonly kind: string;
  readonly violations: readonly string[];
  readonly digest: string;
  readonly resultCount: number;
  readonly takeovers: number;
  readonly powerLosses: number;
}

const schema = `CREATE STREAM bids (k STRING, v BIGINT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '0.5' SECOND)
  WITH ('topic' = 'bids', 'format' = 'json', 'idle-timeout' = '1 s')`;

interface ScenarioQuery {
  readonly statement: string;
  /** Topics that it reads. */
  readonly inputs: readonly string[];
  /** Of its topic. */
  readonly partitions: number;
  /** Rows are only added, in an order that the log decides. */
  readonly isAppend: boolean;
}

/** Those behind the first read it as a view: how far it has come they know from its commits. */
const queries: Readonly<Record<string, ScenarioQuery>> = {
  windows: {
    statement: `SELECT k, window_start, window_end, window_time, COUNT(*) AS n, SUM(v) AS total
      FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' SECOND, INTERVAL '2' SECOND))
      GROUP BY k, window_start, window_end, window_time`,
    // Each window has one row, in whichever partition: their order is that of each alone.
    ...{ inputs: ["bids"], partitions: 2, isAppend: false },
  },
  totals: {
    statement: "SELECT k, COUNT(*) AS n, SUM(v) AS total FROM bids GROUP BY k",
    ...{ inputs: ["bids"], partitions: 3, isAppend: false },
  },
  /** Over a view whose rows change. */
  whole: {
    statement: "SELECT COUNT(*) AS n, SUM(n) AS records, SUM(total) AS total FROM totals",
    ...{ inputs: ["totals"], partitions: 1, isAppend: false },
  },
  cascade: {
    statement: `SELECT k, window_start, window_end, COUNT(*) AS n, SUM(total) AS total
      FROM TABLE(TUMBLE(TABLE windows, DESCRIPTOR(window_time), INTERVAL '3' SECOND))
      GROUP BY k, window_start, window_end`,
    ...{ inputs: ["windows"], partitions: 1, isAppend: true },
  },
  mixed: {
    statement: `SELECT window_start, window_end, COUNT(*) AS n, SUM(v) AS total
      FROM TABLE(TUMBLE(TABLE (
        SELECT v, ts FROM bids UNION ALL SELECT n, window_time FROM windows
      ), DESCRIPTOR(ts), INTERVAL '2' SECOND)) GROUP BY window_start, window_end`,
    ...{ inputs: ["bids", "windows"], partitions: 1, isAppend: true },
  },
};

const virtualMsMax = 120_000;
const catchUpMsMax = 30_000;
const modules = loadSqlModules();

export async function runQueryScenario(
  seed: number,
  show?: (line: string) => void,
): Promise<QueryRunResult> {
  const world = new World({ seed, show });
  const scenario = new QueryScenario(world);
  let ended = false;
  const run = scenario
    .run()
    .catch((error: unknown) => {
      world.violate(`the run broke off: ${error instanceof Error ? error.stack : String(error)}`);
    })
    .finally(() => {
      ended = true;
    });
  while (!ended && world.now < virtualMsMax) await world.time.advance(250);
  if (ended) await run;
  else world.violate("the run does not come to its end");
  scenario.close();
  const { kind, resultCount, takeovers, powerLosses } = scenario;
  const seen = { kind, resultCount, takeovers, powerLosses };
  return { ...seen, violations: world.violations, digest: world.trace.digest };
}

class QueryScenario {
  resultCount = 0;
  takeovers = 0;
  powerLosses = 0;
  readonly #world: World;
  readonly #stage: Stage;
  readonly #database: SimulatedDatabase;
  readonly #workers: SimulatedWorker[] = [];
  readonly #context: RunContext;
  readonly #plans = new Map<string, QueryPlan>();
  #made = 0;

  constructor(world: World) {
    this.#world = world;
    this.#stage = stageOf(world);
    this.#database = new SimulatedDatabase(world, { journaled: false });
    const setup: WorkerSetup = {
      ...this.#stage.setup,
      // Ring and queue have room for a commit.
      ...{ ringBytes: 4 * 1024 * 1024, queueBytesMax: 4 * 1024 * 1024 },
      flush: { ...this.#stage.setup.flush, flushBytes: 65_536 },
      openQueries: ({ platform, database, log }) => {
        const startTask: StartTask = async (task) => {
          this.takeovers += 1;
          return new LocalTask({ platform, modules }, task);
        };
        const common = { platform, database, log, topics: log.topics };
        return new QueryManager({ ...common, identity: log.session, startTask });
      },
    };
    for (let index = 0; index < this.#stage.workerCount; index++) {
      const parts = { world, dice: world.dice.fork(), database: this.#database, setup };
      this.#workers.push(new SimulatedWorker({ name: `worker-${index + 1}`, ...parts }));
    }
    this.#context = {
      world,
      history: new History(world),
      workers: this.#workers,
      topics: ["bids"],
      activeUntil: this.#stage.activeMs,
      generation: 0,
      machinesLosePower: false,
    };
  }

  get kind(): string {
    return this.#stage.kind;
  }

  async run(): Promise<void> {
    const world = this.#world;
    await Promise.all(this.#workers.map((worker) => worker.start()));
    await this.#makeQueries();
    const clients = [0, 1].map(() => this.#produce(world.dice.fork()));
    const nemesis = new Nemesis({
      world,
      dice: world.dice.fork(),
      workers: this.#workers,
      base: this.#stage.faults,
      until: this.#stage.activeMs,
      pauseMsMax: this.#stage.strikePauseMsMax,
      losePower: this.#stage.losesPower ? () => this.#losePower() : undefined,
      losePowerOf: undefined,
    });
    await nemesis.run();
    await nemesis.heal();
    await Promise.all(clients);
    for (const name of Object.keys(queries)) await this.#check(name);
  }

  /** All processes die, and what the disk had not written is gone; the metadata keep all. */
  async #losePower(): Promise<void> {
    const world = this.#world;
    for (const worker of this.#workers) worker.kill();
    this.#stage.disk?.losePower();
    this.powerLosses += 1;
    const { faults } = world;
    world.faults = calm;
    await Promise.all(this.#workers.map((worker) => worker.start()));
    world.faults = faults;
  }

  close(): void {
    for (const worker of this.#workers) worker.gate?.kill();
    this.#database.close();
  }

  async #makeQueries(): Promise<void> {
    const log = this.#aLog();
    const { topics } = log;
    const common = { partitionCount: 1, replicationFactor: -1, config: {} };
    await topics.create({ ...common, name: "bids", partitionCount: 2 });
    const database = {
      batch: async (...batch: Parameters<SimulatedDatabase["execute"]>) =>
        this.#database.execute(...batch),
    };
    const { time } = this.#world;
    const maker = new QueryMaker({ platform: time, database: database as never, log, topics });
    const catalog = new TestCatalog(schema);
    for (const [name, { statement, partitions }] of Object.entries(queries)) {
      const plan = catalog.plan(statement);
      if (name === "windows" || name === "totals") {
        catalog.add(`CREATE MATERIALIZED VIEW ${name} AS ${statement}`);
      }
      this.#plans.set(name, plan);
      const output = await topics.create({
        ...{ ...common, name, writer: name, partitionCount: partitions },
      });
      const definition = await maker.define({
        ...{ queryId: name, plan, shape: shapeOf(plan.root, null), output },
        settings: { ...querySettingsDefault, commitIntervalMs: 100, quietTimeoutMs: 0 },
      });
      const query = { queryId: name, target: name, statement };
      await createQuery(database as never, {
        ...query,
        definition: encodeQueryDefinition(definition),
      });
    }
  }

  #aLog(): Log {
    const log = this.#workers.find(({ isUp }) => isUp)?.log;
    if (log === undefined) throw new Error("no worker is up");
    return log;
  }

  /** Rows of a client; what it gets no answer for may be there or not. */
  async #produce(dice: Dice): Promise<void> {
    const world = this.#world;
    while (world.now < this.#stage.activeMs + 3_000) {
      const partition = dice.below(2);
      const records = Array.from({ length: dice.between(1, 20) }, () => this.#record(dice));
      const bytes = encodeBatch({ records, codec: "none" }, world.time);
      try {
        await linkToAny(this.#context, dice).call(async (log) => {
          const topic = await log.topics.byName("bids");
          if (topic === undefined) throw new Error("the topic is not known yet");
          await log.append({ topic, partition, bytes, header: readBatchHeader(bytes) });
        });
      } catch (error) {
        world.note(`rows have no answer: ${String(error).split("\n", 1)[0]}`);
      }
      await world.sleep(dice.between(10, 200));
    }
  }

  #record(dice: Dice) {
    const timestamp = this.#world.time.clock.now();
    // Some are late by more than the watermark's delay.
    const ts = new Date(timestamp - (dice.chance(0.1) ? dice.below(4_000) : dice.below(400)));
    const row = { k: dice.pick(["a", "b", "c", null]), v: this.#made++, ts: ts.toISOString() };
    return { timestamp, key: null, value: new TextEncoder().encode(JSON.stringify(row)) };
  }

  /** Waits until a query has caught up, and holds its results against an undisturbed run's. */
  async #check(name: string): Promise<void> {
    const world = this.#world;
    const until = world.now + catchUpMsMax;
    let problem = "";
    while (world.now < until) {
      await world.sleep(1_000);
      const log = this.#aLog();
      const found = await readTopic(log, name);
      // A tick may come between: the log is read anew each time.
      problem = differenceOf(found, await this.#undisturbed(log, name), isAppendOf(name));
      if (problem === "") {
        this.resultCount += found.length;
        return;
      }
    }
    world.violate(`${name}: ${problem}`);
  }

  async #undisturbed(log: Log, name: string): Promise<readonly (readonly OutputRow[])[]> {
    const plan = this.#plans.get(name);
    const topics = await Promise.all(
      (queries[name]?.inputs ?? []).map((input) => log.topics.byName(input)),
    );
    const found = topics.filter((topic) => topic !== undefined);
    if (plan === undefined || found.length < topics.length) throw new Error("its parts are gone");
    const partitions = found.flatMap(({ topicNumber, partitionCount, name: topic }) =>
      Array.from({ length: partitionCount }, (_, partition) => ({ topicNumber, topic, partition })),
    );
    const task = new LocalTask(
      { platform: this.#world.time, modules },
      {
        ...{ plan: planToText(plan), shape: shapeOf(plan.root, null), states: [] },
        ...{ ...querySettingsDefault, quietTimeoutMs: 0, isBounded: false, partitions },
      },
    );
    const cursors = partitions.map((each) => ({ ...each, nextOffset: 0 }));
    const reader = log.follow(found, { publishPosition: 0, cursors });
    const names = new Map(found.map((topic) => [topic.topicNumber, topic.name as string]));
    const steps: (readonly OutputRow[])[] = [];
    for (;;) {
      const slice = await reader.next({ bytesMax: 1e7, waitMsMax: 0 });
      if (slice.publishes.length === 0) return steps;
      for (const publish of slice.publishes) {
        task.answer({ kind: "publishes", publishes: [taskPublishOf(publish, names)] });
        const { outputs } = task.answer(
          isAppendOf(name) ? { kind: "drain" } : { kind: "commit", state: "delta" },
        );
        steps.push(
          rowsOf(
            outputs.filter(({ kind }) => kind === "result"),
            codecs,
          ),
        );
      }
      slice.release();
    }
  }
}

function isAppendOf(name: string): boolean {
  return queries[name]?.isAppend ?? false;
}

/** "" when what was found is what an undisturbed run gives, step by step. */
function differenceOf(
  found: readonly OutputRow[],
  steps: readonly (readonly OutputRow[])[],
  isAppend: boolean,
): string {
  const text = ({ key, value }: OutputRow) => `${key} ${value}`;
  if (isAppend) {
    const wanted = steps.flat().map(text);
    const at = wanted.findIndex(
      (row, index) => found[index] === undefined || row !== text(found[index]),
    );
    if (at < 0 && found.length === wanted.length) return "";
    return `${found.length} rows, wanted ${wanted.length}; row ${at} is ${
      found[at] === undefined ? "missing" : text(found[at])
    }, not ${wanted[at]}`;
  }
  // Each row found is one that the undisturbed run had for its key, in its order.
  const histories = new Map<string, string[]>();
  for (const row of steps.flat()) {
    const key = row.key ?? "";
    histories.set(key, [...(histories.get(key) ?? []), row.value ?? "gone"]);
  }
  const places = new Map<string, number>();
  for (const row of found) {
    const key = row.key ?? "";
    const history = histories.get(key) ?? [];
    const at = history.indexOf(row.value ?? "gone", places.get(key) ?? 0);
    if (at < 0) return `${text(row)} is no state that an undisturbed run had then`;
    places.set(key, at + 1);
  }
  for (const [key, history] of histories) {
    if (places.get(key) !== history.length) return `${key} has not come to ${history.at(-1)}`;
  }
  return "";
}

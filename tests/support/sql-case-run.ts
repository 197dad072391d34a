/**
 * Runs a case of `tests/golden/sql` in a query task, straight or with everything that must make no
 * difference: record batches cut otherwise, publishes handed over in slices, commits elsewhere, and
 * the task thrown away after a commit and restored into a fresh one.
 */

import { present } from "../../src/base/assert.ts";
import { LocalTask } from "../../src/pipeline/local-task.ts";
import { querySettingsDefault } from "../../src/pipeline/query-definition.ts";
import { shapeOf } from "../../src/pipeline/query-maker.ts";
import type { PackedState, TaskSetup } from "../../src/pipeline/task-protocol.ts";
import { batchesIn } from "../../src/record/batch.ts";
import { encodeBatch, type RecordInput } from "../../src/record/batch-encode.ts";
import { decodeRecords } from "../../src/record/batch-records.ts";
import { loadSqlModules } from "../../src/runtime/node/wasm-modules.ts";
import type { StreamEntry } from "../../src/sql/check/catalog.ts";
import { planMaterializedView } from "../../src/sql/check/create-view.ts";
import { planInsert } from "../../src/sql/check/insert.ts";
import type { TaskPublish } from "../../src/sql/engine/query-task.ts";
import type { OutputBatch } from "../../src/sql/engine/task-output.ts";
import type { SavedState } from "../../src/sql/engine/task-pages.ts";
import type { QueryPlan } from "../../src/sql/plan/plan.ts";
import { planToText } from "../../src/sql/plan/plan-text.ts";
import type { SqlModules } from "../../src/sql/sqlite/modules.ts";
import { parseScript } from "../../src/sql/syntax/parse-script.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { codecs, crc32c } from "./record-tools.ts";
import type { CasePublish, SqlCase } from "./sql-case.ts";
import { TestCatalog } from "./sql-catalog.ts";
import { createVirtualPlatform } from "./virtual-platform.ts";

let modules: SqlModules | undefined;

export interface CaseQuery {
  readonly plan: QueryPlan;
  readonly setup: Omit<TaskSetup, "states">;
  readonly isAppend: boolean;
  /** Records have the time of a column, not of the publish that made them. */
  readonly isTimed: boolean;
}

/** Plans the last statement over what those before it made. */
export function planCase(sqlCase: SqlCase): CaseQuery {
  const { timeZone, isBounded, quietTimeoutMs, partitions } = sqlCase;
  const catalog = new TestCatalog("", { timeZone, isBounded });
  const statements = parseScript(sqlCase.script);
  const last = statements.pop();
  for (const { text } of statements) catalog.add(text);
  if (last === undefined) throw new Error("a case has a query");
  const { plan, key } = planned(catalog, last);
  const shape = shapeOf(plan.root, key);
  return {
    plan,
    isTimed: shape.timestampColumn !== undefined,
    isAppend: isBounded || plan.root.changes === "append",
    setup: {
      ...{ plan: planToText(plan), shape, isBounded, quietTimeoutMs, partitions },
      memoryBytesMax: querySettingsDefault.memoryBytesMax,
      aheadMsMax: querySettingsDefault.aheadMsMax,
    },
  };
}

function planned(
  catalog: TestCatalog,
  { statement, text }: ReturnType<typeof parseScript>[number],
) {
  if (statement.kind === "createMaterializedView") {
    const { plan, entry } = planMaterializedView(statement, text, catalog.options);
    return { plan, key: keyOf(plan, entry) };
  }
  if (statement.kind === "insert") {
    const { plan, target } = planInsert(statement, text, catalog.options);
    return { plan, key: keyOf(plan, target) };
  }
  return { plan: catalog.plan(text), key: null };
}

function keyOf({ root }: QueryPlan, { primaryKey }: StreamEntry): number[] {
  return primaryKey.map((name) => root.columns.findIndex((column) => column.name === name));
}

export interface ResultRow {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
}

export interface CaseResult {
  /** Results in order, up to the last publish. */
  readonly rows: readonly ResultRow[];
  /** What comes when the input has ended for good. */
  readonly last: readonly ResultRow[];
  readonly late: readonly string[];
  readonly errors: readonly string[];
  /** After each commit: the publishes before it, and what an updating result folds to. */
  readonly states: readonly { readonly publishes: number; readonly state: Folded }[];
  readonly statistics: readonly unknown[];
  /** How often state left memory. */
  readonly spillCount: number;
}

export type Folded = ReadonlyMap<string, string>;

export interface RunOptions {
  /** State goes to scratch disk beyond so much; 0: at once; absent: it stays. */
  readonly spillBytesMax?: number;
  /** Pages of tables in one part of a state; absent: all. */
  readonly statePagesMax?: number;
  /** Records in a record batch at most. */
  readonly batchRecords: number;
  /** Publishes that the task is handed at once. */
  readonly slice: number;
  /** Whether to commit behind a publish, and whether to go on in a fresh task then. */
  readonly after: (publish: number) => "go on" | "commit" | "restore";
  /** By how much the next tick is late that would show something; absent: none is written. */
  readonly tickDelayMs?: () => number;
  /** Seed of the task's own randomness. */
  readonly seed: number;
  /** Where an earlier run stopped: states of its commits, and the next offsets by topic/partition. */
  readonly from?: {
    readonly states: readonly SavedState[];
    readonly offsets: ReadonlyMap<string, number>;
  };
}

export const straight: RunOptions = {
  ...{ batchRecords: 10_000, slice: 1, seed: 1 },
  after: () => "commit",
};

export function runCase(
  { setup, isAppend }: CaseQuery,
  sqlCase: SqlCase,
  options: RunOptions,
): CaseResult {
  return new CaseRunner(setup, isAppend, options).run(sqlCase.publishes);
}

/** Between two publishes, beyond which it must be a tick that is wanted again and again. */
const ticksMax = 1_000;

class CaseRunner {
  readonly #setup: Omit<TaskSetup, "states">;
  readonly #isAppend: boolean;
  readonly #options: RunOptions;
  readonly #offsets: Map<string, number>;
  readonly #rows: ResultRow[] = [];
  readonly #late: string[] = [];
  readonly #errors: string[] = [];
  /** Commits of the chain behind its full state, which counts as one. */
  #deltas = 0;
  readonly #states: CaseResult["states"][number][] = [];
  readonly #folded = new Map<string, string>();
  #chain: readonly SavedState[];
  #task: LocalTask;
  #made = 0;
  #tickAt: number | null = null;
  #spillCount = 0;

  constructor(setup: Omit<TaskSetup, "states">, isAppend: boolean, options: RunOptions) {
    this.#setup = setup;
    this.#isAppend = isAppend;
    this.#options = options;
    this.#offsets = new Map(options.from?.offsets);
    this.#chain = options.from?.states ?? [];
    this.#task = this.#start();
  }

  run(publishes: readonly CasePublish[]): CaseResult {
    let waiting: TaskPublish[] = [];
    for (const [index, publish] of publishes.entries()) {
      this.#tickUntil(publish.publishedAt);
      waiting.push(this.#encoded(publish));
      // A query that ends commits nothing.
      const act = this.#setup.isBounded ? "go on" : this.#options.after(index);
      if (act === "go on" && waiting.length < this.#options.slice) continue;
      this.#hand(waiting);
      waiting = [];
      if (act !== "go on") this.#commit(index + 1);
      if (act !== "restore") continue;
      this.#spillCount += this.#task.spillCount;
      this.#task = this.#start();
    }
    this.#task.answer({ kind: "publishes", publishes: waiting });
    if (!this.#setup.isBounded) this.#commit(publishes.length);
    const before = this.#rows.length;
    const { outputs, statistics } = this.#task.answer({ kind: "finish" });
    this.#take(outputs);
    return {
      rows: this.#rows.slice(0, before),
      last: this.#rows.slice(before),
      ...{ late: this.#late, errors: this.#errors, states: this.#states },
      statistics: [
        statistics.rowsIn,
        statistics.rowsLate,
        statistics.rowsWrong,
        statistics.rowsAhead,
      ],
      spillCount: this.#spillCount + this.#task.spillCount,
    };
  }

  #hand(publishes: readonly TaskPublish[]): void {
    this.#tickAt = this.#task.answer({ kind: "publishes", publishes }).nextTickAt;
  }

  /** Where a query waits for what comes next, it writes ticks. */
  #tickUntil(publishedAt: number): void {
    const { tickDelayMs } = this.#options;
    if (tickDelayMs === undefined) return;
    for (let left = ticksMax; this.#tickAt !== null; left--) {
      const at = this.#tickAt + tickDelayMs();
      if (at > publishedAt) return;
      if (left === 0) throw new Error(`The tick for ${this.#tickAt} shows nothing`);
      this.#hand([{ publishedAt: at, runs: [], created: [] }]);
    }
  }

  /** A chain is a full state and some deltas; then it begins anew. */
  #commit(publishes: number): void {
    const kind = this.#chain.length === 0 || this.#deltas > 3 ? "full" : "delta";
    const reply = this.#task.answer({ kind: "commit", state: kind });
    if (kind === "full") this.#chain = [];
    this.#deltas = kind === "full" ? 1 : this.#deltas + 1;
    let part: PackedState = { kind, bytes: present(reply.state, "the state of a commit") };
    this.#chain = [...this.#chain, part];
    for (let { stateIsLeft } = reply; stateIsLeft; ) {
      const rest = this.#task.answer({ kind: "rest" });
      part = { kind: "delta", bytes: present(rest.state, "the rest of a state") };
      this.#chain = [...this.#chain, part];
      stateIsLeft = rest.stateIsLeft;
    }
    this.#take(reply.outputs);
    this.#states.push({ publishes, state: new Map(this.#folded) });
  }

  #start(): LocalTask {
    modules ??= loadSqlModules();
    const seed = this.#options.seed + this.#made++;
    const platform = createVirtualPlatform({ seed, codecs, crc32c });
    const { spillBytesMax, statePagesMax } = this.#options;
    const spilling = { openScratch: () => new MemoryDisk(), spillBytesMax: spillBytesMax ?? 0 };
    const parts = {
      ...{ platform, modules, ...(spillBytesMax !== undefined && spilling) },
      ...(statePagesMax !== undefined && { statePagesMax }),
    };
    return new LocalTask(parts, { ...this.#setup, states: this.#chain });
  }

  #encoded({ runs, ...publish }: CasePublish): TaskPublish {
    return {
      ...publish,
      runs: runs.map(({ topic, partition, records }) => {
        const place = `${topic}/${partition}`;
        const fromOffset = this.#offsets.get(place) ?? 0;
        this.#offsets.set(place, fromOffset + records.length);
        return { topic, partition, fromOffset, batches: this.#batches(records, fromOffset) };
      }),
    };
  }

  #batches(records: readonly RecordInput[], fromOffset: number): Uint8Array[] {
    const batches: Uint8Array[] = [];
    const { batchRecords } = this.#options;
    for (let at = 0; at < records.length; at += batchRecords) {
      const part = records.slice(at, at + batchRecords);
      const fields = { codec: "none", baseOffset: fromOffset + at } as const;
      batches.push(encodeBatch({ records: part, ...fields }, { codecs, crc32c }));
    }
    return batches;
  }

  #take(outputs: readonly OutputBatch[]): void {
    for (const { kind, bytes } of outputs) {
      for (const batch of batchesIn(bytes)) {
        for (const record of decodeRecords(batch.bytes, { codecs, sizeMax: 1e9 })) {
          const row = { key: textOf(record.key), value: textOf(record.value) };
          if (kind === "late") this.#late.push(row.value ?? "");
          else if (kind === "error") this.#errors.push(row.value ?? "");
          else this.#takeResult({ ...row, timestamp: record.timestamp });
        }
      }
    }
  }

  #takeResult(row: ResultRow): void {
    this.#rows.push(row);
    if (this.#isAppend) return;
    const key = row.key ?? "";
    if (row.value === null) this.#folded.delete(key);
    else this.#folded.set(key, row.value);
  }
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

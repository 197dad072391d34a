/** Rows per second of each way through SQLite and its kernels, on one core. */
import { loadSqlModules } from "../../src/runtime/node/wasm-modules.ts";
import type { RowTable } from "../../src/sql/memory/row-table.ts";
import { Collector } from "../../src/sql/sqlite/collector.ts";
import { SqliteDatabase } from "../../src/sql/sqlite/database.ts";
import { Emitter } from "../../src/sql/sqlite/emitter.ts";
import { registerFunctions } from "../../src/sql/sqlite/functions.ts";
import { SqliteHost } from "../../src/sql/sqlite/host.ts";
import { declareTable } from "../../src/sql/sqlite/virtual-table.ts";
import type { ValueKind } from "../../src/sql/types/data-type.ts";
import type { Benchmark } from "../benchmark.ts";
import type { Figure } from "../support/figures.ts";

const rowCount = 200_000;
const rounds = 15;

const columns = [
  { name: "auction", kind: "integer" },
  { name: "price", kind: "integer" },
  { name: "ts", kind: "integer" },
  { name: "channel", kind: "text" },
] as const;
const types = [
  { kind: "bigint" },
  { kind: "bigint" },
  { kind: "timestamp" },
  { kind: "varchar", length: null },
] as const;

interface Way {
  readonly what: string;
  readonly run: () => void;
  readonly note?: string;
  /** M rows/s, from the prototype's figures in the design. */
  readonly goal?: number;
}

export const sqlKernelsBenchmark: Benchmark = {
  name: "sql-kernels",
  summary: "rows per second through SQLite's virtual tables, collect and emit",
  async run({ say }) {
    const clock = { now: () => Date.now(), monotonic: () => performance.now() };
    const memoryBytesMax = 1024 * 1024 * 1024;
    const host = new SqliteHost({ modules: loadSqlModules(), clock, memoryBytesMax });
    const database = new SqliteDatabase(host);
    const input = declareTable(database, "bids", columns).table;
    fill(input);
    return [...ways(database, input)].map((way): Figure => {
      say(`  ${way.what}`);
      const times = Array.from({ length: rounds }, () => {
        const since = performance.now();
        way.run();
        return performance.now() - since;
      });
      const { what, note, goal } = way;
      return {
        what,
        // The best of them: what else runs on the machine only adds.
        value: rowCount / Math.min(...times) / 1000,
        unit: "M rows/s",
        goal: goal === undefined ? undefined : { atLeast: goal },
        ...(note === undefined ? {} : { note }),
      };
    });
  },
};

function* ways(database: SqliteDatabase, input: RowTable): Generator<Way> {
  yield* scans(database);
  yield* collects(database);
  yield* placements(database, input);
  yield* emits(database, input);
  const text = "SELECT auction, price, ts, channel FROM bids";
  const statement = database.prepare(text);
  yield { what: "four columns, to JavaScript values", run: () => void statement.all() };
}

function* scans(database: SqliteDatabase): Generator<Way> {
  const query = (sql: string) => {
    const statement = database.prepare(sql);
    return () => void statement.all();
  };
  yield {
    what: "scan, equality pushed down, no row passes",
    run: query("SELECT count(*) FROM bids WHERE auction = -1"),
    goal: 35,
  };
  yield {
    what: "scan, range pushed down, no row passes",
    run: query("SELECT count(*) FROM bids WHERE price < 0"),
    goal: 35,
  };
  yield {
    what: "scan, text equality pushed down, no row passes",
    run: query("SELECT count(*) FROM bids WHERE channel = 'nowhere'"),
  };
  yield { what: "scan, SUM of a column by SQLite", run: query("SELECT sum(price) FROM bids") };
  const call = (name: string) => ({
    name,
    argumentCount: 2,
    call: ([a, b]: readonly unknown[]) => (a as bigint) + (b as bigint),
  });
  registerFunctions(database, [call("mr_add"), call("js_add")]);
  yield {
    what: "scan, SUM of a native function",
    run: query("SELECT sum(mr_add(auction, price)) FROM bids"),
  };
  yield {
    what: "scan, SUM of a JavaScript function",
    run: query("SELECT sum(js_add(auction, price)) FROM bids"),
  };
}

function* collects(database: SqliteDatabase): Generator<Way> {
  const way = (what: string, sql: string, kinds: readonly ValueKind[]): Way => {
    const statement = database.prepare(sql);
    const collector = new Collector(database.host, kinds);
    return {
      what,
      run() {
        collector.collect(statement);
        statement.reset();
        collector.clear();
      },
    };
  };
  yield way("collect two integers", "SELECT auction, price FROM bids", ["integer", "integer"]);
  yield way(
    "collect a calculation and a text",
    "SELECT auction, price * 2 + 1, channel FROM bids WHERE price % 2 = 0",
    ["integer", "integer", "text"],
  );
}

/** One computed column beside three that pass: all collected, or the computed one placed. */
function* placements(database: SqliteDatabase, input: RowTable): Generator<Way> {
  const through = database.prepare("SELECT price * 2, auction, ts, channel FROM bids");
  const all = new Collector(database.host, ["integer", "integer", "integer", "text"]);
  yield {
    what: "collect a calculation and three columns that pass",
    run() {
      all.collectEach(through, input, () => {});
      all.clear();
    },
  };
  const computed = database.prepare("SELECT rowid, price * 2 FROM bids");
  const one = new Collector(database.host, ["integer"]);
  yield {
    what: "place a calculation beside three columns that pass",
    run() {
      one.placeEach(computed, input, () => {});
      one.clear();
    },
  };
}

function* emits(database: SqliteDatabase, input: RowTable): Generator<Way> {
  const value = columns.map(({ name }, column) => ({
    name,
    column,
    type: types[column] ?? { kind: "bigint" as const },
  }));
  const emitter = new Emitter(database.host, { value, key: [], timestampColumn: 2 });
  const drain = () => {
    while (emitter.next().kind === "full");
  };
  const statement = database.prepare("SELECT auction, price, ts, channel FROM bids");
  yield {
    what: "emit four columns of a statement",
    run() {
      emitter.startStatement(statement);
      drain();
      statement.reset();
    },
    note: "design: SELECT and output 10–21 ns an input event",
  };
  yield {
    what: "emit four columns of a table",
    run() {
      emitter.startTable(input);
      drain();
    },
  };
}

/** Rows as bids look: few channels, prices over a range, times in order. */
function fill(table: RowTable): void {
  const { memory } = table;
  const names = ["Apple", "Google", "Facebook", "Baidu"].map((name) => {
    const bytes = new TextEncoder().encode(name);
    return { address: memory.place(bytes), length: bytes.length };
  });
  const slots = columns.map(() => memory.allocate(8 * rowCount));
  const [auctions = 0, prices = 0, times = 0, channels = 0] = slots;
  const { view } = memory;
  const start = BigInt(Date.UTC(2026, 0, 1));
  for (let row = 0; row < rowCount; row++) {
    const at = 8 * row;
    view.setBigInt64(auctions + at, BigInt(1000 + ((row * 7919) % 1000)), true);
    view.setBigInt64(prices + at, BigInt((row * 104_729) % 10_000_000), true);
    view.setBigInt64(times + at, start + BigInt(row), true);
    const name = names[row % names.length] ?? { address: 0, length: 0 };
    view.setUint32(channels + at, name.address, true);
    view.setUint32(channels + at + 4, name.length, true);
  }
  for (const [index, values] of slots.entries()) table.point(index, { values });
  table.setRows({ rowCount });
}

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SessionState } from "../../../src/sql/kernel/session.ts";
import type { Accumulator } from "../../../src/sql/plan/plan.ts";
import { type PlainRow, plainAccumulator, sameText } from "../../support/sql-groups.ts";
import {
  accumulatorOf,
  batchesOf,
  keyColumns,
  plainZeros,
  readResult,
  rowOf,
  stateInput,
  tableOfRows,
  valueCells,
} from "../../support/sql-state.ts";
import { type CellValue, createSqliteHost } from "../../support/sqlite.ts";

/** Tables of tests are never freed: each run has a memory of its own. */
let host = createSqliteHost();
let { memory } = host;

function renewHost(): void {
  host = createSqliteHost();
  memory = host.memory;
}

/** A publish: rows, each with a bound above the watermark before it, and the watermark after it. */
const publishes = fc.array(
  fc.record({
    rows: fc.array(
      fc.record({
        time: fc.integer({ min: -60, max: 60 }),
        bound: fc.option(fc.integer({ min: 0, max: 40 }), { freq: 1 }),
        cells: valueCells,
      }),
      { maxLength: 25, size: "max" },
    ),
    step: fc.constantFrom(0, 1, 7, 30, 500),
    saves: fc.constantFrom("no", "no", "delta", "full"),
  }),
  { maxLength: 8, size: "max" },
);

const cases = fc.record({
  keys: keyColumns,
  accumulators: fc.array(accumulatorOf(true), { maxLength: 4, size: "max" }),
  publishes,
  gapMs: fc.constantFrom(1, 5, 20),
  latenessMs: fc.constantFrom(0, 0, 15),
  seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  restoreAt: fc.nat(7),
});

interface Case {
  readonly keys: number[];
  readonly accumulators: Accumulator[];
  readonly publishes: readonly {
    readonly rows: readonly { time: number; bound: number | null; cells: CellValue[] }[];
    readonly step: number;
    readonly saves: string;
  }[];
  readonly gapMs: number;
  readonly latenessMs: number;
  readonly seed: bigint;
  readonly restoreAt: number;
}

/** The weight column carries the bound here. */
const boundColumn = 1;

interface Step {
  readonly rows: readonly PlainRow[];
  readonly before: number;
  readonly after: number;
}

function stepsOf({ publishes: all }: Case): Step[] {
  let watermark = -50;
  return all.map(({ rows, step }) => {
    const before = watermark;
    watermark += step;
    return {
      rows: rows.map(({ time, bound, cells }) => {
        const row = rowOf({ time: time + before + 50, weight: 1 }, cells);
        const own = BigInt(bound === null ? -(2 ** 40) : before + bound);
        return { weight: 1, cells: row.cells.with(boundColumn, own) };
      }),
      before,
      after: watermark,
    };
  });
}

interface Told {
  readonly late: number[];
  readonly taken: CellValue[][];
  readonly closed: CellValue[][];
}

interface PlainSession {
  start: number;
  end: number;
  created: number;
  shown: CellValue[] | null;
  rows: { readonly order: number; readonly row: PlainRow }[];
}

/** The rules, row by row, with every session's rows kept. */
class PlainSessions {
  readonly #spec: Case;
  readonly #open = new Map<string, PlainSession[]>();
  #order = 0;
  #taken: CellValue[][] = [];

  constructor(spec: Case) {
    this.#spec = spec;
  }

  step({ rows, before, after }: Step): Told {
    const late = rows.flatMap((row, index) => (this.#add(row, before) ? [] : [index]));
    const closed: PlainSession[] = [];
    for (const [key, sessions] of this.#open) {
      closed.push(...sessions.filter(({ end, shown }) => end <= after && shown === null));
      for (const each of sessions) if (each.end <= after) each.shown = this.#show(each);
      const left = sessions.filter(({ end }) => end + this.#spec.latenessMs > after);
      this.#open.set(key, left);
    }
    const taken = this.#taken;
    this.#taken = [];
    return {
      late,
      taken,
      closed: closed
        .toSorted((a, b) => a.end - b.end || a.created - b.created)
        .map((each) => this.#show(each)),
    };
  }

  #add(row: PlainRow, watermark: number): boolean {
    const { gapMs, latenessMs, keys } = this.#spec;
    const time = Number(row.cells[0]);
    const key = JSON.stringify(keys.map((column) => sameText(row.cells[column] ?? null)));
    const sessions = this.#open.get(key) ?? [];
    const touching = sessions.filter(({ start, end }) => time <= end && time + gapMs >= start);
    const end = Math.max(time + gapMs, ...touching.map((each) => each.end));
    const bound = Math.max(watermark, Number(row.cells[boundColumn]));
    if (end + latenessMs <= bound) return false;
    const order = this.#order++;
    const ordered = touching.toSorted((a, b) => a.created - b.created);
    for (const { shown } of ordered) if (shown !== null) this.#taken.push(shown);
    const merged: PlainSession = {
      start: Math.min(time, ...touching.map((each) => each.start)),
      end,
      created: ordered[0]?.created ?? order,
      shown: null,
      rows: [...ordered.flatMap((each) => each.rows), { order, row }],
    };
    this.#open.set(key, [...sessions.filter((each) => !touching.includes(each)), merged]);
    return true;
  }

  #show({ start, end, rows }: PlainSession): CellValue[] {
    const inOrder = rows.toSorted((a, b) => a.order - b.order).map(({ row }) => row);
    const { keys, accumulators } = this.#spec;
    return [
      ...keys.map((column) => rows[0]?.row.cells[column] ?? null),
      ...accumulators.map((each) =>
        plainAccumulator(each, inOrder, each.column === null ? "integer" : kindOf(each.column)),
      ),
      BigInt(start),
      BigInt(end),
      BigInt(end - 1),
    ];
  }
}

const kindOf = (column: number) => stateInput[column] ?? "integer";

function create(spec: Case, seed: bigint): SessionState {
  return new SessionState(host, {
    spec: { input: stateInput, keys: spec.keys, accumulators: spec.accumulators },
    seed,
    bytesMax: 0,
    gapMs: spec.gapMs,
    allowedLatenessMs: spec.latenessMs,
  });
}

function runStep(state: SessionState, step: Step, batch: number): Told {
  const late: number[] = [];
  let from = 0;
  for (const rows of batchesOf(step.rows, batch)) {
    const table = tableOfRows(memory, rows);
    const found = state.add({ table, timeColumn: 0, boundColumn, watermarkMs: step.before });
    for (let index = 0; index < found.rowCount; index++) {
      late.push(from + memory.readUint32(found.selection + 4 * index));
    }
    from += rows.length;
  }
  const shown = state.close(step.after);
  const told = {
    late,
    taken: plainZeros(readResult(memory, shown.taken)),
    closed: plainZeros(readResult(memory, shown.closed)),
  };
  state.settle();
  return told;
}

describe("sessions", () => {
  test("open, grow, merge, close and take back as plain JavaScript has it", () => {
    const property = fc.property(cases, (spec) => {
      renewHost();
      const plain = new PlainSessions(spec);
      const steps = stepsOf(spec);
      const expected = steps.map((step) => plain.step(step));
      for (const batch of [1, 7, 1000]) {
        const state = create(spec, spec.seed + BigInt(batch));
        for (const [index, step] of steps.entries()) {
          const told = runStep(state, step, batch);
          const wanted = expected[index];
          expect(told.late).toEqual(wanted?.late ?? []);
          expect(told.closed).toEqual(plainZeros(wanted?.closed ?? []));
          expect(told.taken).toEqual(plainZeros(wanted?.taken ?? []));
        }
        state.free();
      }
    });
    fc.assert(property, { numRuns: 150, endOnFailure: true });
  }, 60_000);

  test("go on after a restore as if nothing had happened", () => {
    const property = fc.property(cases, (spec) => {
      renewHost();
      const steps = stepsOf(spec);
      const unbroken = create(spec, spec.seed);
      const writer = create(spec, spec.seed + 1n);
      const blobs: Uint8Array[] = [writer.save({ full: true })];
      let state = writer;
      for (const [index, step] of steps.entries()) {
        const expected = runStep(unbroken, step, 1000);
        expect(runStep(state, step, 3)).toEqual(expected);
        const { saves } = spec.publishes[index] ?? { saves: "no" };
        if (saves === "full") blobs.length = 0;
        if (saves !== "no") blobs.push(state.save({ full: saves === "full" }));
        if (saves !== "no" && index >= spec.restoreAt) {
          state.free();
          state = create(spec, spec.seed + 2n);
          for (const blob of blobs) state.restore(blob);
        }
      }
      state.free();
      unbroken.free();
    });
    fc.assert(property, { numRuns: 150, endOnFailure: true });
  }, 60_000);
});

/**
 * Columns computed beside those that pass, and a filter. Columns that pass unchanged are the
 * input's own, and nothing of them is copied; computed ones have their values at the places of
 * their rows.
 *
 * SQLite says what expressions mean, and evaluates any of them over the rows where they lie. The
 * vector kernel does the common ones in a fraction of the time, and leaves rows that are out of the
 * ordinary to SQLite, so that values, errors and their reasons are the same either way.
 */
import { assert } from "../../base/assert.ts";
import type { StreamError } from "../../base/stream-error.ts";
import { lowerScalar } from "../functions/lower.ts";
import { type RowList, VectorProgram } from "../kernel/vector.ts";
import { VectorCode } from "../kernel/vector-code.ts";
import { compileVector } from "../kernel/vector-compile.ts";
import { pickColumns, rowAt } from "../memory/row-access.ts";
import { RowTable } from "../memory/row-table.ts";
import type { Scalar } from "../plan/scalar.ts";
import { conjunction, conjunctsOf } from "../plan/scalar-walk.ts";
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { declareTable, type TableColumn, type VirtualTable } from "../sqlite/virtual-table.ts";
import type { ValueKind } from "../types/data-type.ts";
import { columnName } from "./row-layout.ts";

/** A column of the output: one of the input's, or an expression over them. */
export type PlacedColumn =
  | { readonly kind: ValueKind; readonly from: number }
  | { readonly kind: ValueKind; readonly scalar: Scalar };

export interface PlacedReaderOptions {
  /** Unique in the database. */
  readonly name: string;
  /** Columns named as `columnName` names them, then hidden ones. */
  readonly input: readonly TableColumn[];
  readonly output: readonly PlacedColumn[];
  /** The filter; null: all rows. */
  readonly where: Scalar | null;
  readonly timeZone: string;
  /** For comparisons: `never`, SQLite computes everything; `always`, however many rows fail. */
  readonly vector?: "never" | "usual" | "always";
}

/** Hears of a row whose expressions failed, by its place in the rows; it is not in the output. */
export type OnFailed = (index: number, error: StreamError) => void;

/** A statement over the input's virtual table, and what it computes of the output's columns. */
interface Scan {
  readonly statement: SqliteStatement;
  readonly collector: Collector;
  readonly computed: readonly number[];
}

interface Vector {
  readonly program: VectorProgram;
  /** Register of the filter's first conjuncts, and where their instructions end. */
  readonly test: number | null;
  readonly testEnd: number;
  readonly end: number;
  /** Registers by place in the output. */
  readonly registers: ReadonlyMap<number, number>;
  /** What the kernel does not cover, over rows that passed the test; null: nothing. */
  readonly rest: Scan | null;
}

interface Failure {
  readonly row: number;
  readonly error: StreamError;
}

/** After a batch of which the kernel left so much to SQLite, SQLite does as many on its own. */
const restingBatches = 64;
const failedShareMax = 0.25;

export class PlacedReader {
  readonly #output: RowTable;
  /** Of each output column its place in the input; 0 where it is computed. */
  readonly #picked: readonly number[];
  readonly #input: VirtualTable | null;
  /** All that is computed; null: there is nothing. */
  readonly #all: Scan | null;
  readonly #vector: Vector | null;
  readonly #restsAfter: number;
  #resting = 0;

  constructor(database: SqliteDatabase, options: PlacedReaderOptions) {
    const { name, input, output, where } = options;
    this.#output = new RowTable(
      database.host.memory,
      output.map(({ kind }) => kind),
    );
    this.#picked = output.map((column) => ("from" in column ? column.from : 0));
    const computed = output.flatMap((column, index) => ("scalar" in column ? [index] : []));
    const isPlain = computed.length === 0 && where === null;
    this.#input = isPlain ? null : declareTable(database, name, input);
    this.#all = isPlain ? null : scanOf(database, options, { computed, where });
    const isVector = !isPlain && options.vector !== "never";
    this.#restsAfter = options.vector === "always" ? 1 : failedShareMax;
    this.#vector = isVector ? vectorOf(database, options, computed) : null;
  }

  /** Whether nothing is computed: the output is columns of the input. */
  get isPlain(): boolean {
    return this.#all === null;
  }

  /** Whether the kernel does some of it. */
  get usesKernel(): boolean {
    return this.#vector !== null;
  }

  /** The output over `rows`, as long as those are there and until the next call. */
  read(rows: RowTable, onFailed: OnFailed): RowTable {
    const output = this.#output;
    pickColumns(output, rows.address, this.#picked);
    const all = this.#all;
    if (all === null || rows.rowCount === 0) return output;
    if (this.#vector !== null && this.#resting === 0) {
      if (this.#readByKernel(this.#vector, rows, onFailed)) return output;
    } else if (this.#resting > 0) {
      this.#resting--;
    }
    const table = this.#scan(all, rows, onFailed);
    this.#point(all);
    output.setRows({ rowCount: table.rowCount, selection: table.selection });
    return output;
  }

  /** Gives false where SQLite must compute all rows: nothing has been told then. */
  #readByKernel(vector: Vector, rows: RowTable, onFailed: OnFailed): boolean {
    const { program, test, testEnd, end, rest } = vector;
    const failures: Failure[] = [];
    let failed: RowList = { address: 0, count: 0 };
    let passed = program.start(rows);
    program.run(0, testEnd, passed);
    const all = passed;
    if (test !== null) passed = program.pass(test, all);
    if (program.hasFailed) failed = program.failed("failedFilter", all);
    if (rest !== null) passed = this.#scanList(rest, { rows, list: passed, failures });
    program.run(testEnd, end, passed);
    if (program.hasFailed) {
      const failedRest = program.failed("failedRest", passed);
      failed = program.merge("failures", failed, failedRest);
      if (failedRest.count > 0) passed = program.pass(null, passed);
    }
    const failedCount = failed.count + failures.length;
    if (failedCount > rows.rowCount * this.#restsAfter) this.#resting = restingBatches;
    // What SQLite computed for other rows has no room for rows that failed here, and of several
    // expressions that fail the first one has the say.
    const isMixed = rest !== null && rest.computed.length > 0;
    if (this.#resting > 0 || (isMixed && failedCount > 0)) return false;
    if (failed.count > 0) {
      passed = this.#takeFailed(vector, { rows, failed, passed, failures });
    }
    this.#tell(rows, failures, onFailed);
    if (rest !== null) this.#point(rest);
    for (const [place, register] of vector.registers) {
      this.#output.pointColumn(place, program.register(register));
    }
    const isWhole = rows.selection === 0 && passed.count === rows.rowCount;
    const selection = isWhole ? 0 : passed.address;
    this.#output.setRows({ rowCount: passed.count, selection });
    return true;
  }

  /** What SQLite makes of the rows that failed, beside those that did not: all that passed. */
  #takeFailed(
    { program, registers }: Vector,
    round: {
      readonly rows: RowTable;
      readonly failed: RowList;
      readonly passed: RowList;
      readonly failures: Failure[];
    },
  ): RowList {
    const { rows, failed, failures } = round;
    const all = this.#all;
    assert(all !== null, "something is computed");
    const taken = this.#scanList(all, { rows, list: failed, failures });
    for (const [index, place] of all.computed.entries()) {
      const register = registers.get(place);
      assert(register !== undefined, "each computed column has its register");
      program.take(register, all.collector.table.columnAddress(index), taken);
    }
    return program.merge("result", round.passed, taken);
  }

  /** Rows of a list that pass a scan. */
  #scanList(
    scan: Scan,
    round: { readonly rows: RowTable; readonly list: RowList; readonly failures: Failure[] },
  ): RowList {
    const { rows, list, failures } = round;
    if (list.count === 0) return list;
    const input = this.#inputTable();
    const isWhole = rows.selection === 0 && list.count === rows.rowCount;
    input.pointTo(rows);
    input.setRows({ rowCount: list.count, selection: isWhole ? 0 : list.address });
    scan.collector.clear();
    scan.collector.placeEach(scan.statement, input, (index, error) => {
      failures.push({ row: rowAt(input, index), error });
    });
    const { rowCount, selection } = scan.collector.table;
    // Without a selection all rows have passed, or none.
    const isAll = selection === 0 && rowCount === list.count;
    return isAll ? list : { address: selection, count: rowCount };
  }

  #scan({ statement, collector }: Scan, rows: RowTable, onFailed: OnFailed): RowTable {
    const input = this.#inputTable();
    input.pointTo(rows);
    collector.clear();
    collector.placeEach(statement, input, onFailed);
    return collector.table;
  }

  #inputTable(): RowTable {
    assert(this.#input !== null, "what is computed has an input");
    return this.#input.table;
  }

  #point({ computed, collector }: Scan): void {
    for (const [place, index] of computed.entries()) {
      this.#output.pointColumn(index, collector.table.columnAddress(place));
    }
  }

  /** In the order of the rows, as SQLite alone would tell. */
  #tell(rows: RowTable, failures: Failure[], onFailed: OnFailed): void {
    failures.sort((a, b) => a.row - b.row);
    for (const { row, error } of failures) onFailed(indexOf(rows, row), error);
  }
}

/** The index at which a row of the columns stands in a table that selects it. */
function indexOf(table: RowTable, row: number): number {
  if (table.selection === 0) return row;
  let low = 0;
  let high = table.rowCount;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rowAt(table, middle) < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

function scanOf(
  database: SqliteDatabase,
  { name, output, timeZone }: PlacedReaderOptions,
  wanted: { readonly computed: readonly number[]; readonly where: Scalar | null },
): Scan {
  const { computed, where } = wanted;
  const expressions = computed.map((index) => {
    const column = output[index];
    assert(column !== undefined && "scalar" in column, "the column is computed");
    return lowerScalar(column.scalar, columnName, timeZone);
  });
  const filter = where === null ? "" : ` WHERE ${lowerScalar(where, columnName, timeZone)}`;
  const selected = ["rowid", ...expressions].join(", ");
  return {
    statement: database.prepare(`SELECT ${selected} FROM "${name}"${filter}`),
    collector: new Collector(
      database.host,
      computed.map((index) => output[index]?.kind ?? "integer"),
    ),
    computed,
  };
}

/** What the kernel covers; null: nothing. */
function vectorOf(
  database: SqliteDatabase,
  options: PlacedReaderOptions,
  computed: readonly number[],
): Vector | null {
  const { output, where, timeZone } = options;
  const code = new VectorCode();
  const compile = (scalar: Scalar) => compileVector(scalar, { code, timeZone });
  // Only the first conjuncts: behind one that SQLite evaluates, another could hide its error.
  const conjuncts = where === null ? [] : conjunctsOf(where);
  const uncovered = conjuncts.findIndex((conjunct) => compile(conjunct) === null);
  const coveredCount = uncovered < 0 ? conjuncts.length : uncovered;
  const tested = conjunction(conjuncts.slice(0, coveredCount));
  const test = tested === null ? null : compile(tested);
  const testEnd = code.instructions.length;
  const registers = new Map<number, number>();
  for (const index of computed) {
    const column = output[index];
    assert(column !== undefined && "scalar" in column, "the column is computed");
    const register = compile(column.scalar);
    // A NaN, which SQLite makes NULL, cannot be taken back out of the input's own column.
    const isOwn = register !== null && code.registers[register]?.from === "input";
    if (register !== null && !(isOwn && column.kind === "real")) registers.set(index, register);
  }
  if (test === null && registers.size === 0) return null;
  const left = computed.filter((index) => !registers.has(index));
  const restWhere = conjunction(conjuncts.slice(coveredCount));
  const hasRest = left.length > 0 || restWhere !== null;
  const kept = [...registers.values(), ...(test === null ? [] : [test])];
  return {
    program: new VectorProgram(database.host, code, kept),
    ...{ test, testEnd, end: code.instructions.length, registers },
    rest: hasRest ? scanOf(database, options, { computed: left, where: restWhere }) : null,
  };
}

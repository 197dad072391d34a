/**
 * Filter and projection. SQLite evaluates the expressions over the rows where they lie; what only
 * picks columns copies nothing: the output points at the input's rows.
 */
import { assert } from "../../base/assert.ts";
import type { StreamError } from "../../base/stream-error.ts";
import { lowerScalar } from "../functions/lower.ts";
import { pickColumns } from "../memory/row-access.ts";
import { RowTable } from "../memory/row-table.ts";
import type { CalcNode } from "../plan/plan.ts";
import type { Scalar } from "../plan/scalar.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { quoteName } from "../sqlite/quote.ts";
import { reasonOf } from "./evaluation-error.ts";
import { errorRowOf, Operator, type OperatorContext, type Rows } from "./operator.ts";
import {
  columnName,
  hiddenIndex,
  hiddenNames,
  type RowLayout,
  tableColumns,
} from "./row-layout.ts";
import { RowReader } from "./row-reader.ts";
import { SelectionBuffer } from "./selection-buffer.ts";

export interface CalcOptions {
  readonly name: string;
  readonly node: CalcNode;
  readonly timeZone: string;
  readonly database: SqliteDatabase;
  readonly context: OperatorContext;
}

export class CalcOperator extends Operator {
  readonly layout: RowLayout;
  readonly #input: RowLayout;
  readonly #context: OperatorContext;
  readonly #work: (rows: RowTable, onFailed: OnFailed) => RowTable;

  constructor(input: Operator, options: CalcOptions) {
    super([input]);
    this.#input = input.layout;
    this.#context = options.context;
    const { columns } = options.node;
    this.layout = { ...input.layout, columns };
    const picked = pickedColumns(options.node, input.layout);
    this.#work =
      picked === null
        ? evaluator(options, this.#input)
        : picker(options, { input: this.#input, picked });
  }

  push(_input: number, rows: Rows): void {
    const table = this.#work(rows.table, (index, error) => {
      this.#context.onError(errorRowOf(this.#input, rows, index, reasonOf(error)));
    });
    this.emit({ table, origin: rows.origin });
  }
}

type OnFailed = (index: number, error: StreamError) => void;

/** The SQL of a node's filter, after WHERE; "" when it has none. */
export function whereOf(node: CalcNode, timeZone: string): string {
  if (node.filter === null) return "";
  return ` WHERE ${lowerScalar(node.filter, columnName, timeZone)}`;
}

/** Evaluates all projections into fresh columns. */
function evaluator(options: CalcOptions, input: RowLayout) {
  const { node, timeZone, database, name } = options;
  const output = { ...input, columns: node.columns };
  const expressions = node.projections.map((each) => lowerScalar(each, columnName, timeZone));
  const reader = new RowReader(database, {
    name,
    columns: tableColumns(input),
    sql: (table) =>
      `SELECT ${[...expressions, ...hiddenNames(input).map(quoteName)].join(", ")} ` +
      `FROM ${table}${whereOf(node, timeZone)}`,
    kinds: tableColumns(output).map(({ kind }) => kind),
  });
  return (rows: RowTable, onFailed: OnFailed) => reader.read(rows, onFailed);
}

/** Points at the columns picked; a filter becomes a selection of rows. */
function picker(
  options: CalcOptions,
  { input, picked }: { readonly input: RowLayout; readonly picked: readonly number[] },
) {
  const { node, timeZone, database, name } = options;
  const columns = tableColumns(input);
  const table = new RowTable(
    database.host.memory,
    picked.map((index) => {
      const column = columns[index];
      assert(column !== undefined, "a picked column is there");
      return column.kind;
    }),
  );
  if (node.filter === null) {
    return (rows: RowTable) => {
      pickColumns(table, rows.address, picked);
      return table;
    };
  }
  const reader = new RowReader(database, {
    name,
    columns,
    sql: (from) => `SELECT rowid FROM ${from}${whereOf(node, timeZone)}`,
    kinds: ["integer"],
  });
  const selection = new SelectionBuffer(database.host.memory);
  return (rows: RowTable, onFailed: OnFailed) => {
    const found = reader.read(rows, onFailed);
    pickColumns(table, rows.address, picked);
    const { rowCount } = found;
    table.setRows({ rowCount, selection: selection.fill(found, rows) });
    return table;
  };
}

/** The input's columns that the node gives, hidden ones included; null if it computes any. */
function pickedColumns(node: CalcNode, input: RowLayout): readonly number[] | null {
  const picked: number[] = [];
  for (const projection of node.projections) {
    if (!isColumn(projection)) return null;
    picked.push(projection.index);
  }
  return [...picked, ...hiddenNames(input).map((name) => hiddenIndex(input, name))];
}

function isColumn(scalar: Scalar): scalar is Scalar & { kind: "column" } {
  return scalar.kind === "column";
}

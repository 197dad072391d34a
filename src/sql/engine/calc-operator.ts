/**
 * Filter and projection. Expressions are evaluated over the rows where they lie; columns that pass
 * unchanged copy nothing: the output points at the input's rows.
 */
import { lowerScalar } from "../functions/lower.ts";
import { integerAt } from "../memory/row-access.ts";
import type { CalcNode } from "../plan/plan.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { valueKindOf } from "../types/data-type.ts";
import { reasonOf } from "./evaluation-error.ts";
import { errorRowOf, Operator, type OperatorContext, type Rows } from "./operator.ts";
import { type PlacedColumn, PlacedReader } from "./placed-reader.ts";
import {
  columnName,
  hiddenIndex,
  hiddenNames,
  type RowLayout,
  tableColumns,
  weightColumn,
} from "./row-layout.ts";

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
  /** Column of the weight; −1: there is none. */
  readonly #weight: number;
  readonly #reader: PlacedReader;

  constructor(input: Operator, options: CalcOptions) {
    super([input]);
    const { node, timeZone, database, name } = options;
    this.#input = input.layout;
    this.#context = options.context;
    this.#weight = hiddenIndex(input.layout, weightColumn);
    this.layout = { ...input.layout, columns: node.columns };
    const projected = node.projections.map((scalar): PlacedColumn => {
      const kind = valueKindOf(scalar.type);
      if (scalar.kind === "column") return { kind, from: scalar.index };
      return { kind, scalar };
    });
    const hidden = hiddenNames(input.layout).map((each): PlacedColumn => {
      return { kind: "integer", from: hiddenIndex(input.layout, each) };
    });
    this.#reader = new PlacedReader(database, {
      name,
      input: tableColumns(input.layout),
      output: [...projected, ...hidden],
      where: node.filter,
      timeZone,
    });
  }

  push(_input: number, rows: Rows): void {
    const table = this.#reader.read(rows.table, (index, error) => {
      // What fails as it is taken back failed when it was added, and was told then.
      if (this.#weight >= 0 && integerAt(rows.table, this.#weight, index) < 0n) return;
      this.#context.onError(errorRowOf(this.#input, rows, index, reasonOf(error)));
    });
    this.emit({ table, origin: rows.origin });
  }
}

/** The SQL of a node's filter, after WHERE; "" when it has none. */
export function whereOf(node: CalcNode, timeZone: string): string {
  if (node.filter === null) return "";
  return ` WHERE ${lowerScalar(node.filter, columnName, timeZone)}`;
}

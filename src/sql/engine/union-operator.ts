/** UNION ALL: the rows of all inputs. Its watermark is the least of theirs. */

import { assert } from "../../base/assert.ts";
import { pickColumns } from "../memory/row-access.ts";
import { RowTable } from "../memory/row-table.ts";
import type { UnionNode } from "../plan/plan.ts";
import type { SqliteMemory } from "../sqlite/memory.ts";
import { OnesColumn } from "./ones-column.ts";
import { Operator, type Rows } from "./operator.ts";
import {
  hiddenIndex,
  hiddenNames,
  type RowLayout,
  tableColumns,
  weightColumn,
} from "./row-layout.ts";

interface Arm {
  readonly picked: readonly number[];
  readonly table: RowTable;
  /** Where a weight of 1 is put in for rows that have none, or −1. */
  readonly weightIndex: number;
}

export class UnionOperator extends Operator {
  readonly layout: RowLayout;
  readonly #arms: readonly Arm[];
  readonly #ones: OnesColumn;

  constructor(
    inputs: readonly Operator[],
    options: { readonly node: UnionNode; readonly memory: SqliteMemory },
  ) {
    super(inputs);
    const { node, memory } = options;
    this.layout = {
      columns: node.columns,
      hasOrigin: inputs.every(({ layout }) => layout.hasOrigin),
      hasWeight: inputs.some(({ layout }) => layout.hasWeight),
    };
    this.#ones = new OnesColumn(memory);
    const kinds = tableColumns(this.layout).map(({ kind }) => kind);
    this.#arms = inputs.map(({ layout }): Arm => {
      const hidden = hiddenNames(this.layout).map((name) => hiddenIndex(layout, name));
      return {
        // A missing weight points at any integer column for now.
        picked: [...node.columns.keys(), ...hidden.map((index) => Math.max(index, 0))],
        table: new RowTable(memory, kinds),
        weightIndex: layout.hasWeight ? -1 : hiddenIndex(this.layout, weightColumn),
      };
    });
  }

  push(input: number, { table, origin }: Rows): void {
    const arm = this.#arms[input];
    assert(arm !== undefined, "the input exists");
    pickColumns(arm.table, table.address, arm.picked);
    if (arm.weightIndex >= 0) this.#ones.point(arm.table, arm.weightIndex);
    this.emit({ table: arm.table, origin: this.layout.hasOrigin ? origin : null });
  }
}

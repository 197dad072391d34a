/**
 * Rows of both sides of a join, kept until all are there, and then joined on the kernel
 * (`wasm/sql/parts/match.ts`): an inner join on columns that are equal. NULL equals nothing.
 */
import { assert, present } from "../../base/assert.ts";
import { slotBytes } from "../memory/column-layout.ts";
import { RowTable } from "../memory/row-table.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import type { ValueKind } from "../types/data-type.ts";
import { type KeepKernel, KeptRows, keepKernelOf } from "./kept-rows.ts";
import { RowBuffer } from "./row-buffer.ts";

/** Columns that must be equal, each by its place on its side. */
export interface EqualColumns {
  readonly left: number;
  readonly right: number;
}

export interface MatchedRowsOptions {
  readonly left: readonly ValueKind[];
  readonly right: readonly ValueKind[];
  readonly equal: readonly EqualColumns[];
  /** Any integer column of each side. */
  readonly times: readonly [left: number, right: number];
  /** Random: keeps senders from choosing keys that collide. No result depends on it. */
  readonly seed: bigint;
}

/** Of `Matches` in the kernel. */
const matchesBytes = 32;
const matchesField = { left: 0, right: 4, count: 8 } as const;

export class MatchedRows {
  readonly #host: SqliteHost;
  readonly #kernel: KeepKernel;
  readonly #sides: readonly [KeptRows, KeptRows];
  readonly #result: RowTable;
  readonly #columns: readonly { readonly values: RowBuffer; readonly nulls: RowBuffer }[];
  readonly #matches: number;
  readonly #pairs: number;
  readonly #pairCount: number;
  readonly #seed: bigint;

  /** Whether the kernel compares such columns as SQLite does. */
  static covers(left: ValueKind | undefined, right: ValueKind | undefined): boolean {
    return left === right && left !== undefined && left !== "real";
  }

  /** @throws StreamError `sql_memory_exceeded`, as `add` and `match` */
  constructor(host: SqliteHost, options: MatchedRowsOptions) {
    const { left, right, equal, times } = options;
    const { memory } = host;
    this.#host = host;
    this.#kernel = keepKernelOf(host);
    this.#seed = BigInt.asIntN(64, options.seed);
    this.#sides = [
      new KeptRows(host, { kinds: left, timeColumn: times[0] }),
      new KeptRows(host, { kinds: right, timeColumn: times[1] }),
    ];
    const kinds = [...left, ...right];
    this.#result = new RowTable(memory, kinds);
    this.#columns = kinds.map(() => ({
      values: new RowBuffer(memory),
      nulls: new RowBuffer(memory),
    }));
    this.#matches = memory.allocateZeroed(matchesBytes);
    this.#pairCount = equal.length;
    this.#pairs = memory.allocate(Math.max(8, 8 * equal.length));
    for (const [index, pair] of equal.entries()) {
      assert(MatchedRows.covers(left[pair.left], right[pair.right]), "kinds that are compared");
      memory.writeUint32(this.#pairs + 8 * index, pair.left);
      memory.writeUint32(this.#pairs + 8 * index + 4, pair.right);
    }
  }

  /** Keeps copies of the rows of a table of one side: 0 left, 1 right. */
  add(side: 0 | 1, table: RowTable): void {
    this.#sides[side].append(table);
  }

  get bytesHeld(): number {
    return this.#sides[0].bytesHeld + this.#sides[1].bytesHeld;
  }

  /** The rows of a side in the order in which they came; good until the next call. */
  rowsOf(side: 0 | 1): KeptRows {
    this.#sides[side].showAll();
    return this.#sides[side];
  }

  /**
   * The rows that match, left columns before right ones, by row of the left side and then of the
   * right; good until the next call.
   */
  match(): RowTable {
    const [left, right] = [this.rowsOf(0), this.rowsOf(1)];
    const isDone = this.#kernel.matchRows(
      this.#matches,
      left.address,
      right.address,
      this.#pairs,
      this.#pairCount,
      this.#seed,
    );
    const { memory } = this.#host;
    if (isDone === 0) throw memory.exceeded("join the rows of a window");
    const count = memory.readUint32(this.#matches + matchesField.count);
    this.#reserve(count);
    const lists = [matchesField.left, matchesField.right] as const;
    let column = 0;
    for (const [index, side] of [left, right].entries()) {
      const list = memory.readUint32(this.#matches + present(lists[index], "a list per side"));
      const target = this.#result.columnAddress(column);
      this.#kernel.gatherRows(side.address, list, count, target);
      column += side.kinds.length;
    }
    this.#result.setRows({ rowCount: count });
    return this.#result;
  }

  #reserve(count: number): void {
    for (const [index, { values, nulls }] of this.#columns.entries()) {
      const kind = present(this.#result.kinds[index], "a kind per column");
      this.#result.point(index, {
        values: values.reserve(slotBytes(kind) * Math.max(1, count)),
        nulls: nulls.reserve(Math.max(1, count)),
      });
    }
  }

  clear(): void {
    for (const side of this.#sides) side.clear();
  }

  free(): void {
    for (const side of this.#sides) side.free();
    for (const { values, nulls } of this.#columns) {
      values.free();
      nulls.free();
    }
    this.#kernel.releaseMatches(this.#matches);
    this.#host.memory.free(this.#matches);
    this.#host.memory.free(this.#pairs);
    this.#result.free();
  }
}

/**
 * A table of the task's database with what left a kernel: an image of each entry, by its key. Its
 * pages go to scratch disk and to checkpoints as those of any other (ADR 23). It finds sessions
 * also by when something is due for them, and groups that come out at an end by their order.
 */
import { present } from "../../base/assert.ts";
import { columnBytes, tableField } from "../memory/column-layout.ts";
import type { RowTable } from "../memory/row-table.ts";
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { quoteName } from "../sqlite/quote.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { declaredTypes, declareTable, type VirtualTable } from "../sqlite/virtual-table.ts";
import type { ValueKind } from "../types/data-type.ts";
import { ColdNames, nameColumns } from "./cold-names.ts";
import { ColdTimes, timeColumns } from "./cold-times.ts";
import type { KernelState, StateKernel, StateResult } from "./state.ts";

export interface ColdKernel extends StateKernel {
  missingRows(state: number, table: number, result: number): void;
  writeGroups(state: number, result: number, from: number): number;
  forgetGroups(state: number): void;
  readGroups(state: number, table: number): void;
}

export interface ColdPlace {
  readonly database: SqliteDatabase;
  /** Unique in the database, and the same in every run of the plan. */
  readonly name: string;
}

export interface ColdKey {
  /** Of the rows that are added. */
  readonly column: number;
  readonly kind: ValueKind;
}

export type ColdOrder = "due" | "name" | null;

/** What the kernel writes of an entry before the images; long with a time or a name. */
const slotBytes = 8;
const longSlotBytes = 16;

/** The table, and the statements that rows pass through. */
export class ColdTable {
  /** What the kernel selects: rows that need groups, or groups that leave. */
  readonly shown: StateResult;
  readonly #keyCount: number;
  readonly #leaving: VirtualTable;
  readonly #coming: VirtualTable;
  readonly #insert: SqliteStatement;
  readonly #find: SqliteStatement;
  readonly #drop: SqliteStatement;
  readonly #images: Collector;
  readonly #times: ColdTimes | null;
  readonly #names: ColdNames | null;
  readonly #stride: number;

  constructor(
    { database, name }: ColdPlace,
    options: {
      readonly shown: StateResult;
      readonly kinds: readonly ValueKind[];
      /** By what else they are found: sessions by when something is due, groups by their names. */
      readonly order?: ColdOrder;
      /** The kernel writes names of groups. */
      readonly isNamed?: boolean;
    },
  ) {
    const { kinds, shown, order = null, isNamed = false } = options;
    this.shown = shown;
    this.#keyCount = kinds.length;
    const keys = kinds.map((kind, index) => ({ name: `k${index}`, kind }));
    const names = keys.map((key) => key.name);
    // With the types of virtual tables, so that comparing converts nothing and the index serves.
    this.#stride = isNamed || order !== null ? longSlotBytes : slotBytes;
    const times = order === "due" ? timeColumns : order === "name" ? nameColumns : [];
    const columns = [...keys, ...times].map((each) => `${each.name} ${declaredTypes[each.kind]}`);
    const rows = quoteName(name);
    database.run(`CREATE TABLE IF NOT EXISTS ${rows} (${columns.join(", ")}, image BLOB NOT NULL)`);
    const index = quoteName(`${name}_by`);
    database.run(`CREATE INDEX IF NOT EXISTS ${index} ON ${rows} (${names.join(", ")})`);
    const [leaving, coming] = [`${name}_out`, `${name}_in`];
    const image = { name: "image", kind: "blob" } as const;
    this.#leaving = declareTable(database, leaving, [...keys, ...times, image]);
    this.#coming = declareTable(database, coming, keys);
    const list = [...names, ...times.map((each) => each.name), "image"].join(", ");
    const sorted = names.join(", ");
    this.#insert = database.prepare(
      // In the order of the index: pages that are far apart are met once each.
      `INSERT INTO ${rows} (${list}) SELECT ${list} FROM ${quoteName(leaving)} ORDER BY ${sorted}`,
    );
    const matches = names.map((key) => `c.${key} IS r.${key}`).join(" AND ");
    const found =
      `SELECT c.rowid FROM (SELECT DISTINCT ${sorted} FROM ${quoteName(coming)}) r ` +
      `CROSS JOIN ${rows} c ON ${matches}`;
    this.#find = database.prepare(`SELECT image FROM ${rows} WHERE rowid IN (${found})`);
    this.#drop = database.prepare(`DELETE FROM ${rows} WHERE rowid IN (${found})`);
    this.#images = new Collector(database.host, ["blob"]);
    this.#times = order === "due" ? new ColdTimes(database, { name, rows, matches: names }) : null;
    this.#names = order === "name" ? new ColdNames(database, { name, rows }) : null;
  }

  static isThere({ database, name }: ColdPlace): boolean {
    return database.query("SELECT 1 FROM sqlite_master WHERE name = ?1", name).length > 0;
  }

  /** Sends all that a state has. @throws `sql_memory_exceeded` */
  sendAll(kernel: ColdKernel, state: KernelState, act: string): void {
    const { address } = state;
    for (let from = 0; ; ) {
      const next = kernel.writeGroups(address, this.shown.address, from);
      state.check(kernel.failure(address), act);
      if (next === from) break;
      this.#keep(kernel.blobAddress(address), from);
      from = next;
    }
    kernel.forgetGroups(address);
    state.check(kernel.failure(address), act);
  }

  /** What these rows need comes back. @throws `sql_memory_exceeded` */
  fetchFor(
    rows: RowTable,
    kernel: ColdKernel,
    { state, keys }: { readonly state: KernelState; readonly keys: readonly ColdKey[] },
  ): void {
    const { address } = state;
    kernel.missingRows(address, rows.address, this.shown.address);
    state.check(kernel.failure(address), "look for groups");
    if (this.shown.rowCount === 0) return;
    const images = this.#take(rows, keys);
    if (images !== null) kernel.readGroups(address, images.address);
    state.check(kernel.failure(address), "fetch groups from scratch disk");
  }

  /** Of a table by names: all groups by their order. */
  get names(): ColdNames {
    return present(this.#names, "names of a table of groups");
  }

  /** Of a table with times: what is due by one comes back, or a part of it. */
  get times(): ColdTimes {
    return present(this.#times, "times of a table of sessions");
  }

  /** Keeps the groups in `shown`, whose images lie in the blob; the first slot is of row `from`. */
  #keep(blob: number, from: number): void {
    const { table } = this.#leaving;
    const columnOf = tableColumnsOf(this.shown.address, table);
    this.#pointKeys(table, columnOf);
    const stride = this.#stride;
    const values = (blob - stride * from) >>> 0;
    let column = this.#keyCount;
    if (this.#names !== null) table.point(column++, { values: values + slotBytes, stride });
    if (this.#times !== null) {
      this.#times.note();
      table.point(column++, { values: values + slotBytes, stride });
      // Of sessions the last column of results, where they are shown as they lie.
      table.pointColumn(column++, columnOf(this.shown.kinds.length - 1));
    }
    table.point(column, { values, base: blob, stride });
    this.#insert.change();
    table.setRows({ rowCount: 0 });
  }

  /** Takes the images of groups of the rows that `shown` selects; null: there are none. */
  #take(rows: RowTable, keys: readonly ColdKey[]): RowTable | null {
    const { table } = this.#coming;
    this.#pointKeys(table, (index) => rows.columnAddress(keys[index]?.column ?? 0));
    this.#images.clear();
    const outcome = this.#images.collect(this.#find);
    this.#find.reset();
    if (outcome.kind === "failed") throw outcome.error;
    if (this.#images.table.rowCount > 0) {
      this.#drop.change();
      this.#times?.note();
    }
    table.setRows({ rowCount: 0 });
    return this.#images.table.rowCount === 0 ? null : this.#images.table;
  }

  #pointKeys(table: RowTable, columnOf: (index: number) => number): void {
    const { address } = this.shown;
    for (let index = 0; index < this.#keyCount; index++) {
      table.pointColumn(index, columnOf(index));
    }
    table.setRows({
      rowCount: table.memory.readUint32(address + tableField.rowCount),
      selection: table.memory.readUint32(address + tableField.selection),
    });
  }

  free(): void {
    for (const each of [this.#insert, this.#find, this.#drop]) each.finalize();
    this.#times?.free();
    this.#names?.free();
    this.#leaving.drop();
    this.#coming.drop();
    this.#images.free();
    this.shown.free();
  }
}

function tableColumnsOf(address: number, { memory }: RowTable): (index: number) => number {
  const columns = memory.readUint32(address + tableField.columns);
  return (index) => columns + columnBytes * index;
}

/**
 * Groups without windows that left memory: rows of a table of the task's database, by key, whose
 * pages go to scratch disk and to checkpoints as those of any other (ADR 23). A group is either in
 * the kernel or here. When memory is short, all groups leave together, after their changes were
 * read; before rows are added, the groups that they need come back.
 *
 * What must hold: keys are compared here by SQLite, which may find more groups than the kernel
 * would (0.0 and -0.0), never fewer. One that comes back too early does no harm.
 *
 * An image is, little-endian, what a checkpoint has of one entry (`wasm/sql/parts/image.ts`):
 *   u32 count of nodes, the entry's fields one after the other, its nodes
 * The table has it beside the key, and as many tables as layouts of entries: their names end with
 * the fingerprint of the layout.
 */
import { columnBytes, tableField } from "../memory/column-layout.ts";
import type { RowTable } from "../memory/row-table.ts";
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { quoteName } from "../sqlite/quote.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { declaredTypes, declareTable, type VirtualTable } from "../sqlite/virtual-table.ts";
import type { ValueKind } from "../types/data-type.ts";
import type { SpillSpace } from "./spill-space.ts";
import type { KernelState, StateKernel, StateResult } from "./state.ts";

export interface ColdKernel extends StateKernel {
  panes(state: number): number;
  paneEntries(state: number, index: number): number;
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

/** Groups that hold less than this part of what all may hold are not what memory is short of. */
const smallShare = 1 / 32;

export class ColdGroups {
  readonly #kernel: ColdKernel;
  readonly #state: KernelState;
  readonly #place: ColdPlace;
  readonly #keys: readonly { readonly column: number; readonly kind: ValueKind }[];
  readonly #space: SpillSpace | null;
  #table: ColdTable | null = null;

  constructor(
    kernel: ColdKernel,
    options: {
      readonly state: KernelState;
      readonly place: ColdPlace;
      readonly keys: readonly { readonly column: number; readonly kind: ValueKind }[];
      readonly space: SpillSpace | null;
    },
  ) {
    this.#kernel = kernel;
    this.#state = options.state;
    this.#keys = options.keys;
    this.#space = options.space;
    const { database, name } = options.place;
    this.#place = { database, name: `${name}_cold_${options.state.layout.fingerprint}` };
    const found = database.query("SELECT 1 FROM sqlite_master WHERE name = ?1", this.#place.name);
    if (found.length > 0) this.#table = this.#open();
  }

  /** Whether groups would leave at the next `spill`, as far as they are settled. */
  get isOver(): boolean {
    const space = this.#space;
    if (space === null || space.bytesOver <= 0) return false;
    return this.#state.bytesHeld >= space.bytesMax * smallShare && this.#count > 0;
  }

  get #count(): number {
    const { address } = this.#state;
    return this.#kernel.panes(address) === 0 ? 0 : this.#kernel.paneEntries(address, 0);
  }

  /** All groups leave when memory is short. Changes are settled. @throws `sql_memory_exceeded` */
  spill(): void {
    if (!this.isOver) return;
    this.#table ??= this.#open();
    const { address } = this.#state;
    const { shown } = this.#table;
    for (let from = 0; ; ) {
      const next = this.#kernel.writeGroups(address, shown.address, from);
      this.#check("send groups to scratch disk");
      if (next === from) break;
      this.#table.keep(this.#kernel.blobAddress(address), from);
      from = next;
    }
    this.#kernel.forgetGroups(address);
    this.#check("send groups to scratch disk");
  }

  /** The groups of these rows come back. @throws `sql_memory_exceeded` */
  fetchFor(rows: RowTable): void {
    if (this.#table === null) return;
    const { address } = this.#state;
    const { shown } = this.#table;
    this.#kernel.missingRows(address, rows.address, shown.address);
    this.#check("look for groups");
    if (shown.rowCount === 0) return;
    const images = this.#table.take(rows, this.#keys);
    if (images !== null) this.#kernel.readGroups(address, images.address);
    this.#check("fetch groups from scratch disk");
  }

  free(): void {
    this.#table?.free();
    this.#table = null;
  }

  #open(): ColdTable {
    const kinds = this.#keys.map(({ kind }) => kind);
    return new ColdTable(this.#place, { shown: this.#state.newResult(), kinds });
  }

  #check(act: string): void {
    this.#state.check(this.#kernel.failure(this.#state.address), act);
  }
}

/** The table, and the statements that rows pass through. */
class ColdTable {
  /** What the kernel selects: rows that need groups, or groups that leave. */
  readonly shown: StateResult;
  readonly #keyCount: number;
  readonly #leaving: VirtualTable;
  readonly #coming: VirtualTable;
  readonly #insert: SqliteStatement;
  readonly #find: SqliteStatement;
  readonly #drop: SqliteStatement;
  readonly #images: Collector;

  constructor(
    { database, name }: ColdPlace,
    options: { readonly shown: StateResult; readonly kinds: readonly ValueKind[] },
  ) {
    const { kinds, shown } = options;
    this.shown = shown;
    this.#keyCount = kinds.length;
    const keys = kinds.map((kind, index) => ({ name: `k${index}`, kind }));
    const names = keys.map((key) => key.name);
    // With the types of virtual tables, so that comparing converts nothing and the index serves.
    const columns = keys.map((key) => `${key.name} ${declaredTypes[key.kind]}`);
    const rows = quoteName(name);
    database.run(`CREATE TABLE IF NOT EXISTS ${rows} (${columns.join(", ")}, image BLOB NOT NULL)`);
    const index = quoteName(`${name}_by`);
    database.run(`CREATE INDEX IF NOT EXISTS ${index} ON ${rows} (${names.join(", ")})`);
    const [leaving, coming] = [`${name}_out`, `${name}_in`];
    this.#leaving = declareTable(database, leaving, [...keys, { name: "image", kind: "blob" }]);
    this.#coming = declareTable(database, coming, keys);
    const list = [...names, "image"].join(", ");
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
  }

  /** Keeps the groups in `shown`, whose images lie in the blob; the first slot is of row `from`. */
  keep(blob: number, from: number): void {
    const { table } = this.#leaving;
    this.#pointKeys(table, tableColumnsOf(this.shown.address, table));
    const values = (blob - 8 * from) >>> 0;
    table.point(this.#keyCount, { values, base: blob, stride: 8 });
    this.#insert.all();
    table.setRows({ rowCount: 0 });
  }

  /** Takes the images of groups of the rows that `shown` selects; null: there are none. */
  take(
    rows: RowTable,
    keys: readonly { readonly column: number; readonly kind: ValueKind }[],
  ): RowTable | null {
    const { table } = this.#coming;
    this.#pointKeys(table, (index) => rows.columnAddress(keys[index]?.column ?? 0));
    this.#images.clear();
    const outcome = this.#images.collect(this.#find);
    this.#find.reset();
    if (outcome.kind === "failed") throw outcome.error;
    if (this.#images.table.rowCount > 0) this.#drop.all();
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
    for (const statement of [this.#insert, this.#find, this.#drop]) statement.finalize();
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

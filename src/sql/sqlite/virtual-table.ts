/**
 * A table of a database whose rows are columns in shared memory: `FROM name` reads them where they
 * lie. The kernel is `wasm/sql/table.ts`.
 */
import { assert } from "../../base/assert.ts";
import { tableField } from "../memory/column-layout.ts";
import { RowTable } from "../memory/row-table.ts";
import type { ValueKind } from "../types/data-type.ts";
import type { SqliteDatabase } from "./database.ts";
import { sqliteCode } from "./exports.ts";
import type { SqliteHost } from "./host.ts";
import { quoteName } from "./quote.ts";

export interface TableColumn {
  readonly name: string;
  readonly kind: ValueKind;
}

/** What SQLite calls the type of each kind; it decides how a column compares with a constant. */
export const declaredTypes: Readonly<Record<ValueKind, string>> = {
  integer: "INTEGER",
  real: "REAL",
  text: "TEXT",
  blob: "BLOB",
  wide: "BLOB",
};

/** Callbacks of sqlite3_module in version 1 by place; xCreate is left out: there is no such DDL. */
const moduleSlots = [
  [2, "connect"],
  [3, "bestIndex"],
  [4, "disconnect"],
  [5, "disconnect"],
  [6, "open"],
  [7, "close"],
  [8, "filter"],
  [9, "next"],
  [10, "eof"],
  [11, "column"],
  [12, "rowid"],
] as const;

const moduleBytes = 100;

type TableKernel = Readonly<Record<(typeof moduleSlots)[number][1], CallableFunction>>;

/** Address of the sqlite3_module of each host: one serves all tables. */
const modules = new WeakMap<SqliteHost, number>();

/** Columns in shared memory as a table of a database. */
export interface VirtualTable {
  readonly name: string;
  /** Points at the rows: change it at will, but not while a statement over it runs. */
  readonly table: RowTable;
  /** Ends the table; statements over it must be finalized before. */
  drop(): void;
}

/** Makes a table `name` without rows; point `table` at some. */
export function declareTable(
  database: SqliteDatabase,
  name: string,
  columns: readonly TableColumn[],
): VirtualTable {
  const { host, address: db } = database;
  const { memory, exports } = host;
  const module = moduleOf(host);
  const list = columns.map((each) => `${quoteName(each.name)} ${declaredTypes[each.kind]}`);
  // SQLite knows no table without columns, but a row may be of interest for being there alone.
  if (list.length === 0) list.push('"$none" HIDDEN');
  const schema = memory.placeText(`CREATE TABLE x(${list.join(", ")})`);
  const table = new RowTable(
    memory,
    columns.map(({ kind }) => kind),
  );
  memory.writeUint32(table.address + tableField.schema, schema.address);
  const { address } = table;
  const code = memory.withText(name, (at) =>
    exports.sqlite3_create_module_v2(db, at, module, address, 0),
  );
  if (code !== sqliteCode.ok) throw database.failure(code, `declare the table ${name}`);
  return {
    name,
    table,
    drop() {
      memory.withText(name, (at) => exports.sqlite3_create_module_v2(db, at, 0, 0, 0));
      memory.free(schema.address);
      table.free();
    },
  };
}

function moduleOf(host: SqliteHost): number {
  const known = modules.get(host);
  if (known !== undefined) return known;
  const kernel = host.link<TableKernel>("table");
  const module = host.memory.allocateZeroed(moduleBytes);
  const pointers = new Map<string, number>();
  for (const [slot, name] of moduleSlots) {
    const pointer = pointers.get(name) ?? host.functionPointer(kernel[name]);
    pointers.set(name, pointer);
    host.memory.writeUint32(module + 4 * slot, pointer);
  }
  assert(pointers.size === moduleSlots.length - 1, "only disconnect serves twice");
  modules.set(host, module);
  return module;
}

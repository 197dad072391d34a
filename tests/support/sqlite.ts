/** SQLite hosts for tests, and rows of JavaScript values as columns in their memory. */
import { assert } from "../../src/base/assert.ts";
import { loadSqlModules } from "../../src/runtime/node/wasm-modules.ts";
import { columnField } from "../../src/sql/memory/column-layout.ts";
import { RowTable } from "../../src/sql/memory/row-table.ts";
import type { SqlValue } from "../../src/sql/plan/scalar.ts";
import { SqliteDatabase } from "../../src/sql/sqlite/database.ts";
import { SqliteHost } from "../../src/sql/sqlite/host.ts";
import type { SqliteMemory } from "../../src/sql/sqlite/memory.ts";
import type { SqlModules } from "../../src/sql/sqlite/modules.ts";
import type { ValueKind } from "../../src/sql/types/data-type.ts";

let modules: SqlModules | undefined;

export function createSqliteHost(memoryBytesMax = 256 * 1024 * 1024): SqliteHost {
  modules ??= loadSqlModules();
  const clock = { now: () => 1_767_225_600_000, monotonic: () => 0 };
  return new SqliteHost({ modules, clock, memoryBytesMax });
}

export function openSqlite(memoryBytesMax?: number): SqliteDatabase {
  return new SqliteDatabase(createSqliteHost(memoryBytesMax));
}

/** A value of a column; a wide one is a bigint of up to 128 bits. */
export type CellValue = Exclude<SqlValue, number> | number;

/** Writes rows into fresh memory and points `table` at them, NULLs included. Never freed. */
export function fillTable(table: RowTable, rows: readonly (readonly CellValue[])[]): void {
  const { memory, kinds } = table;
  for (const [index, kind] of kinds.entries()) {
    const cells = rows.map((row) => row[index] ?? null);
    const nulls = memory.allocateZeroed(cells.length);
    const values = memory.allocateZeroed(cells.length * 16);
    const bytes = kind === "wide" ? 16 : 8;
    for (const [row, cell] of cells.entries()) {
      if (cell === null) memory.bytes[nulls + row] = 1;
      else writeCell(memory, { kind, at: values + row * bytes, cell });
    }
    const hasNulls = cells.includes(null);
    table.point(index, hasNulls ? { values, nulls } : { values });
  }
  table.setRows({ rowCount: rows.length });
}

function writeCell(
  memory: SqliteMemory,
  to: { readonly kind: ValueKind; readonly at: number; readonly cell: CellValue },
): void {
  const { kind, at, cell } = to;
  if (kind === "integer") {
    assert(typeof cell === "bigint", "an integer is a bigint");
    memory.view.setBigInt64(at, cell, true);
  } else if (kind === "real") {
    assert(typeof cell === "number", "a real is a number");
    memory.view.setFloat64(at, cell, true);
  } else if (kind === "wide") {
    assert(typeof cell === "bigint", "a wide value is a bigint");
    memory.view.setBigUint64(at, BigInt.asUintN(64, cell), true);
    memory.view.setBigInt64(at + 8, BigInt.asIntN(64, cell >> 64n), true);
  } else {
    assert(typeof cell === "string" || cell instanceof Uint8Array, "bytes are text or bytes");
    const bytes = typeof cell === "string" ? new TextEncoder().encode(cell) : cell;
    const place = memory.place(bytes);
    memory.writeUint32(at, place);
    memory.writeUint32(at + 4, bytes.length);
  }
}

/** A Table of its own over JavaScript values. */
export function tableOf(
  memory: SqliteMemory,
  kinds: readonly ValueKind[],
  rows: readonly (readonly CellValue[])[],
): RowTable {
  const table = new RowTable(memory, kinds);
  fillTable(table, rows);
  return table;
}

/** The 16 bytes that SQLite sees of a wide value. */
export function wideBlob(value: bigint): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt.asUintN(64, (value >> 64n) ^ (1n << 63n)));
  view.setBigUint64(8, BigInt.asUintN(64, value));
  return bytes;
}

export function wideOfBlob(blob: Uint8Array): bigint {
  const view = new DataView(blob.buffer, blob.byteOffset);
  const high = BigInt.asIntN(64, view.getBigUint64(0) ^ (1n << 63n));
  return (high << 64n) | view.getBigUint64(8);
}

/** The rows of a table as JavaScript values, its selection followed. */
export function readTable(table: RowTable): CellValue[][] {
  const { memory } = table;
  return Array.from({ length: table.rowCount }, (_, index) => {
    const row = table.selection === 0 ? index : memory.readUint32(table.selection + 4 * index);
    return table.kinds.map((kind, column) => readCell(table, { kind, column, row }));
  });
}

function readCell(
  table: RowTable,
  cell: { readonly kind: ValueKind; readonly column: number; readonly row: number },
): CellValue {
  const { memory } = table;
  const field = (name: keyof typeof columnField) =>
    memory.readUint32(table.columnAddress(cell.column) + columnField[name]);
  const nulls = field("nulls");
  if (nulls !== 0 && memory.bytes[nulls + cell.row * field("nullStride")] !== 0) return null;
  const at = field("values") + cell.row * field("stride");
  if (cell.kind === "integer") return memory.view.getBigInt64(at, true);
  if (cell.kind === "real") return memory.view.getFloat64(at, true);
  if (cell.kind === "wide") {
    return (memory.view.getBigInt64(at + 8, true) << 64n) | memory.view.getBigUint64(at, true);
  }
  const bytes = field("base") + memory.readUint32(at);
  const length = memory.readUint32(at + 4);
  return cell.kind === "text" ? memory.text(bytes, length) : memory.take(bytes, length);
}

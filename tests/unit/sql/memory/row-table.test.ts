import { describe, expect, test } from "bun:test";
import { columnBytes, columnField, tableField } from "../../../../src/sql/memory/column-layout.ts";
import { RowTable } from "../../../../src/sql/memory/row-table.ts";
import { createSqliteHost, readTable, tableOf } from "../../../support/sqlite.ts";

describe("RowTable", () => {
  test("writes descriptors as the layout says", () => {
    const { memory } = createSqliteHost();
    const table = new RowTable(memory, ["integer", "wide"]);
    table.point(1, { values: 4096, nulls: 8192, stride: 48, nullStride: 4, base: 7 });
    table.setRows({ rowCount: 5, selection: 1024, first: 2 });
    const word = (at: number) => memory.readUint32(at);
    const columns = word(table.address + tableField.columns);
    expect(word(table.address + tableField.columnCount)).toBe(2);
    expect(columns + columnBytes).toBe(table.columnAddress(1));
    const fields = Object.values(columnField).map((at) => word(columns + columnBytes + at));
    expect(fields).toEqual([4, 4096, 8192, 48, 4, 7]);
    expect(Object.values(columnField).map((at) => word(columns + at))).toEqual([0, 0, 0, 8, 1, 0]);
    expect([table.rowCount, table.selection, table.first, table.current]).toEqual([5, 1024, 2, 2]);
  });

  test("points to the rows of another table, with its selection but from the start", () => {
    const { memory } = createSqliteHost();
    const source = tableOf(memory, ["text"], [["a"], [null], ["c"]]);
    const selection = memory.allocate(8);
    memory.writeUint32(selection, 1);
    memory.writeUint32(selection + 4, 2);
    source.setRows({ rowCount: 2, selection, first: 1 });
    const table = new RowTable(memory, ["text"]);
    table.pointTo(source);
    expect(readTable(table)).toEqual([[null], ["c"]]);
    expect(table.first).toBe(0);
  });

  test("columns of other kinds, or that are not there, are our own mistake", () => {
    const { memory } = createSqliteHost();
    const table = new RowTable(memory, ["text"]);
    expect(() => table.pointTo(new RowTable(memory, ["blob"]))).toThrow("the same columns");
    expect(() => table.point(1, { values: 0 })).toThrow("has a column 1");
  });
});

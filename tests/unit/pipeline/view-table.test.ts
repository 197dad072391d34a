import { describe, expect, test } from "bun:test";
import { isStreamError } from "../../../src/base/stream-error.ts";
import {
  changesBatch,
  keyedStatement,
  keyedView,
  openViewTable,
  valuesIn,
} from "../../support/view-records.ts";

const all = keyedStatement("SELECT c0, c1 FROM rows ORDER BY at");

describe("ViewTable", () => {
  test("keeps every record of a view that only adds", () => {
    const table = openViewTable({ ...keyedView, isUpdating: false });
    const changes = [
      { key: 1, value: 1 },
      { key: 1, value: 2 },
    ];
    table.apply([changesBatch(changes, 5)], 7);
    expect(valuesIn(table.read(all).batches)).toEqual([
      { k: 1, n: 1 },
      { k: 1, n: 2 },
    ]);
  });

  test("finds rows by the key and by columns that are looked up by their index", () => {
    const table = openViewTable();
    table.apply([changesBatch([{ key: 1, value: 7 }], 0)], 1);
    const plan = (column: string) =>
      JSON.stringify(
        table.explain(`SELECT c0, c1 FROM rows WHERE ${column} = 7`).map((row) => row.at(-1)),
      );
    expect(plan("c0")).toContain("by_0");
    expect(plan("c1")).not.toContain("by_1");
    const lookup = { ...keyedStatement("SELECT c0, c1 FROM rows WHERE c1 = 7"), lookups: [1] };
    for (let times = 0; times < 3; times++) table.read(lookup);
    expect(plan("c1")).toContain("by_1");
    expect(valuesIn(table.read(lookup).batches)).toEqual([{ k: 1, n: 7 }]);
  });

  test("gives a large result in pages, between which others are served", () => {
    const table = openViewTable();
    const changes = Array.from({ length: 9_000 }, (_, key) => ({ key, value: 1 }));
    table.apply([changesBatch(changes, 0)], 9_000);
    const pages = [table.read(all, 50_000)];
    for (let read = pages[0]?.read ?? null; read !== null; ) {
      // The same question at the same time disturbs neither.
      expect(table.read(all).rowCount).toBe(9_000);
      const page = table.next(read);
      if (page === null) throw new Error("nothing has changed");
      pages.push(page);
      read = page.read;
    }
    expect(pages.length).toBeGreaterThan(2);
    const values = pages.flatMap(({ batches }) => valuesIn(batches));
    expect(values).toEqual(changes.map(({ key }) => ({ k: key, n: 1 })));
  });

  test("breaks off a read between whose pages it changes, or that is left", () => {
    const table = openViewTable();
    const changes = Array.from({ length: 9_000 }, (_, key) => ({ key, value: 1 }));
    table.apply([changesBatch(changes, 0)], 9_000);
    const begin = () => table.read(all, 1).read ?? -1;
    const [broken, left] = [begin(), begin()];
    table.leave(left);
    expect(table.next(left)).toBeNull();
    expect(table.next(broken)?.rowCount).toBeGreaterThan(0);
    table.apply([changesBatch([{ key: 1, value: 2 }], 9_000)], 9_001);
    expect(table.next(broken)).toBeNull();
    const followed = begin();
    table.keepChanges();
    expect(table.next(followed)).toBeNull();
    const dropped = begin();
    table.dropChanges();
    expect(table.next(dropped)).toBeNull();
  });

  test("lets changes far behind the end go, but none of the last batch", () => {
    const table = openViewTable({ ...keyedView, changesMax: 3 });
    table.keepChanges();
    const batch = (from: number, count: number) =>
      changesBatch(
        Array.from({ length: count }, (_, index) => ({ key: 1, value: from + index })),
        from,
      );
    table.apply([batch(0, 2)], 2);
    expect(table.state.changesFrom).toBe(0);
    table.apply([batch(2, 10)], 12);
    expect(table.state.changesFrom).toBe(2);
    table.apply([batch(12, 1)], 13);
    expect(table.state.changesFrom).toBe(10);
  });

  test("refuses a record that is none of its view", () => {
    const table = openViewTable({
      ...keyedView,
      columns: [
        { name: "k", type: { kind: "bigint" }, nullable: false },
        { name: "other", type: { kind: "bigint" }, nullable: false },
      ],
    });
    const batch = changesBatch([{ key: 1, value: 1 }], 0);
    expect(() => table.apply([batch], 1)).toThrow(/Cannot read the view "totals": a record/);
  });

  test("says that there is no more memory, by a code of its own", () => {
    const table = openViewTable({ ...keyedView, memoryBytesMax: 12 * 1024 * 1024 });
    let failure: unknown;
    try {
      for (let from = 0; from < 400_000; from += 10_000) {
        const changes = Array.from({ length: 10_000 }, (_, index) => ({
          ...{ key: from + index, value: index },
        }));
        table.apply([changesBatch(changes, from)], from + 10_000);
      }
    } catch (error) {
      failure = error;
    }
    expect(isStreamError(failure, "sql_memory_exceeded")).toBe(true);
  });
});

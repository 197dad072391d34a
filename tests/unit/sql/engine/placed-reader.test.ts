import { describe, expect, test } from "bun:test";
import { reasonOf } from "../../../../src/sql/engine/evaluation-error.ts";
import { type PlacedColumn, PlacedReader } from "../../../../src/sql/engine/placed-reader.ts";
import { functionByKey, hostFunctions } from "../../../../src/sql/functions/catalog.ts";
import { RowTable } from "../../../../src/sql/memory/row-table.ts";
import type { Scalar } from "../../../../src/sql/plan/scalar.ts";
import { registerFunctions } from "../../../../src/sql/sqlite/functions.ts";
import { type DataType, valueKindOf } from "../../../../src/sql/types/data-type.ts";
import { type CellValue, fillTable, openSqlite, readTable } from "../../../support/sqlite.ts";

const bigint: DataType = { kind: "bigint" };
const string: DataType = { kind: "varchar", length: null };
const number: Scalar = { kind: "column", index: 0, type: bigint, nullable: true };
const word: Scalar = { kind: "column", index: 1, type: string, nullable: true };

function literal(value: bigint | string): Scalar {
  return { kind: "literal", value, type: typeof value === "bigint" ? bigint : string };
}

function call(name: string, ...args: readonly Scalar[]): Scalar {
  return functionByKey(name).bind(args);
}

function computed(scalar: Scalar): PlacedColumn {
  return { kind: valueKindOf(scalar.type), scalar };
}

/** Reads `rows` and tells what came out and what failed. */
function readerOf(output: readonly PlacedColumn[], where: Scalar | null) {
  const database = openSqlite();
  registerFunctions(database, hostFunctions);
  const table = new RowTable(database.host.memory, ["integer", "text"]);
  const reader = new PlacedReader(database, {
    name: "rows",
    input: [
      { name: "c0", kind: "integer" },
      { name: "c1", kind: "text" },
    ],
    ...{ output, where, timeZone: "UTC" },
  });
  const read = (rows: readonly (readonly CellValue[])[], kept?: readonly number[]) => {
    fillTable(table, rows);
    if (kept !== undefined) {
      const selection = database.host.memory.allocate(4 * kept.length);
      for (const [at, row] of kept.entries()) {
        database.host.memory.writeUint32(selection + 4 * at, row);
      }
      table.setRows({ rowCount: kept.length, selection });
    }
    const errors: [number, string][] = [];
    const result = reader.read(table, (index, error) => errors.push([index, reasonOf(error)]));
    return { rows: readTable(result), errors };
  };
  return { reader, read };
}

const max = 2n ** 63n - 1n;

describe("PlacedReader", () => {
  test("rows that a filter left are compared as if each stood alone", () => {
    const between = call("and", call("ge", number, literal(10n)), call("lt", number, literal(60n)));
    const either = call("or", call("lt", number, literal(5n)), between);
    const { read } = readerOf(
      [{ kind: "integer", from: 0 }, ...[between, either].map(computed)],
      null,
    );
    const values = Array.from({ length: 100 }, (_, row) => BigInt((row * 37) % 90));
    const truth = (value: bigint) => value >= 10n && value < 60n;
    const expected = (value: bigint) => [
      value,
      truth(value) ? 1n : 0n,
      truth(value) || value < 5n ? 1n : 0n,
    ];
    const rows = values.map((value) => [value, null]);
    // From nearly all rows to few, the first and the last among those that are left out.
    for (const step of [100, 11, 3, 2]) {
      const kept = [...values.keys()].filter((row) => row > 0 && row < 97 && row % step !== 1);
      const wanted = kept.map((row) => expected(values[row] ?? 0n));
      expect(read(rows, kept)).toEqual({ rows: wanted, errors: [] });
    }
    const withNulls = rows.map((cells, row) => (row % 7 === 3 ? [null, null] : cells));
    const kept = [...values.keys()].filter((row) => row % 11 !== 0);
    const wanted = kept.map((row) =>
      row % 7 === 3 ? [null, null, null] : expected(values[row] ?? 0n),
    );
    expect(read(withNulls, kept)).toEqual({ rows: wanted, errors: [] });
  });

  test("rows that the kernel cannot compute come from SQLite, in the order of the rows", () => {
    const { reader, read } = readerOf(
      [{ kind: "integer", from: 0 }, computed(call("lower", word))],
      call("gt", call("plus", number, literal(1n)), literal(2n)),
    );
    expect(reader.usesKernel).toBe(true);
    const rows = Array.from({ length: 3000 }, (_, row): CellValue[] => [BigInt(row), "A"]);
    rows[7] = [max, "B"];
    rows[9] = [9n, "ÄÖ"];
    rows[11] = [null, "C"];
    rows[2500] = [max, "D"];
    const { rows: found, errors } = read(rows);
    const reason = `${max + 1n} is out of range for BIGINT`;
    expect(errors).toEqual([
      [7, reason],
      [2500, reason],
    ]);
    const out = new Set([0, 1, 7, 11, 2500]);
    const wanted = rows.flatMap(([value], row) => {
      return out.has(row) ? [] : [[value, row === 9 ? "äö" : "a"]];
    });
    expect(found).toEqual(wanted as CellValue[][]);
  });

  test("a row that fails is told by its place among the rows selected", () => {
    const { read } = readerOf([computed(call("divide", literal(12n), number))], null);
    const rows = [0n, 2n, 0n, 3n, 4n, 6n].map((each): CellValue[] => [each, null]);
    expect(read(rows, [1, 2, 3, 4, 5])).toEqual({
      rows: [[6n], [4n], [3n], [2n]],
      errors: [[1, "Division by zero"]],
    });
  });

  test("what the kernel does not cover is SQLite's, beside what it does", () => {
    const { reader, read } = readerOf(
      [computed(call("reverse", word)), computed(call("times", number, literal(2n)))],
      call(
        "and",
        call("ge", number, literal(2n)),
        call("eq", call("left", word, literal(1n)), literal("a")),
      ),
    );
    expect(reader.usesKernel).toBe(true);
    const rows: CellValue[][] = [
      [1n, "abc"],
      [2n, "abc"],
      [3n, "bcd"],
      [4n, "axy"],
      [null, "a"],
    ];
    const wanted = [
      ["cba", 4n],
      ["yxa", 8n],
    ];
    expect(read(rows)).toEqual({ rows: wanted, errors: [] });
    const reason = `${2n * max} is out of range for BIGINT`;
    expect(read([...rows, [max, "a"]])).toEqual({ rows: wanted, errors: [[5, reason]] });
  });

  test("batches that the kernel can do little of go to SQLite for a while, with one result", () => {
    const { read } = readerOf([computed(call("upper", word))], null);
    for (let batch = 0; batch < 70; batch++) {
      expect(
        read([
          [1n, "äa"],
          [2n, "öb"],
          [3n, `c${batch}`],
        ]).rows,
      ).toEqual([["ÄA"], ["ÖB"], [`C${batch}`]]);
    }
  });

  test("columns alone are the input's, and nothing is evaluated", () => {
    const { reader, read } = readerOf([{ kind: "text", from: 1 }], null);
    expect([reader.isPlain, reader.usesKernel]).toEqual([true, false]);
    expect(read([[1n, "x"]]).rows).toEqual([["x"]]);
  });
});

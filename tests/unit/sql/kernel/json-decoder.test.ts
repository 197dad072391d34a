import { describe, expect, test } from "bun:test";
import type { DecodeFault } from "../../../../src/sql/kernel/decode-error.ts";
import type { JsonColumn } from "../../../../src/sql/kernel/json-plan.ts";
import type { DataType } from "../../../../src/sql/types/data-type.ts";
import { JsonRowReader } from "../../../support/json-rows.ts";
import { createSqliteHost } from "../../../support/sqlite.ts";

const text: DataType = { kind: "varchar", length: null };

function column(path: string, type: DataType, nullable = true): JsonColumn {
  return { path: path.split("."), type, nullable };
}

function readerOf(...columns: JsonColumn[]): JsonRowReader {
  return new JsonRowReader(createSqliteHost(), columns);
}

/** What each JSON text of a value of `v` becomes: the value, or the fault. */
function each(type: DataType, values: readonly string[]): unknown[] {
  const reader = readerOf(column("v", type));
  const { rows, errors } = reader.decode(values.map((value) => `{"v":${value}}`));
  return rows.map((row, index) =>
    row === undefined ? errors.find((error) => error.row === index)?.fault : row?.[0],
  );
}

describe("JsonDecoder", () => {
  test("BIGINT is exact to its last digit", () => {
    const values = ["9223372036854775807", "-9223372036854775808", "9007199254740993", "1e18"];
    expect(each({ kind: "bigint" }, values)).toEqual([
      2n ** 63n - 1n,
      -(2n ** 63n),
      2n ** 53n + 1n,
      10n ** 18n,
    ]);
    const wrong = ["9223372036854775808", "-9223372036854775809", "1.5", "true", '"x"', "[1]"];
    expect(each({ kind: "bigint" }, wrong)).toEqual([
      "outOfRange",
      "outOfRange",
      "notIntegral",
      "wrongType",
      "badText",
      "wrongType",
    ]);
  });

  test("integers keep to the width of their type", () => {
    const widths = { tinyint: 8, smallint: 16, int: 32 } as const;
    for (const [kind, bits] of Object.entries(widths) as [
      "tinyint" | "smallint" | "int",
      number,
    ][]) {
      const most = 2 ** (bits - 1);
      const values = [most - 1, -most, most, -most - 1].map(String);
      const expected = [BigInt(most - 1), BigInt(-most), "outOfRange", "outOfRange"];
      expect(each({ kind }, values)).toEqual(expected);
    }
  });

  test("a DECIMAL rounds half up to its scale, and says when it has too many digits", () => {
    const type: DataType = { kind: "decimal", precision: 5, scale: 2 };
    const values = ["1.005", "-1.005", "1.0049", '"12.5"', "999.994", "999.995", "1e3", "0.001"];
    expect(each(type, values)).toEqual([
      101n,
      -101n,
      100n,
      1250n,
      99999n,
      "outOfRange",
      "outOfRange",
      0n,
    ]);
    const wide: DataType = { kind: "decimal", precision: 38, scale: 0 };
    const digits = "9".repeat(38);
    expect(each(wide, [digits, `-${digits}`, `${digits}.5`])).toEqual([
      BigInt(digits),
      -BigInt(digits),
      "outOfRange",
    ]);
  });

  test("a DOUBLE is the nearest one, whatever its text; beyond its range it is wrong", () => {
    const values = ["0.1", "1e23", "123456789012345678", "5e-324", "1e400", '"1.5"', "-0", '"NaN"'];
    expect(each({ kind: "double" }, values)).toEqual([
      0.1,
      1e23,
      123456789012345680,
      5e-324,
      "outOfRange",
      1.5,
      -0,
      "badText",
    ]);
    expect(each({ kind: "float" }, ["0.1", "3.5e38"])).toEqual([Math.fround(0.1), "outOfRange"]);
  });

  test("more numbers than the kernel can leave to the host in one go are rounded all the same", () => {
    const reader = readerOf(column("v", { kind: "double" }), column("w", { kind: "double" }));
    const values = Array.from(
      { length: 5000 },
      (_, index) => `1.${String(index).padStart(25, "7")}`,
    );
    const { rows } = reader.decode(values.map((value) => `{"v":${value},"w":"${value}"}`));
    expect(rows).toEqual(values.map((value) => [Number(value), Number(value)]));
  });

  test("a STRING takes other values as their text", () => {
    const values = [
      '"a\\u00e9\\ud83d\\ude00\\n"',
      "1.50",
      "true",
      '{"a": [1]}',
      "null",
      '"\\ud800"',
    ];
    expect(each(text, values)).toEqual(["aé😀\n", "1.50", "true", '{"a": [1]}', null, "�"]);
  });

  test("timestamps from before 1970 to year 9999, with and without a zone, and as numbers", () => {
    const values = [
      '"2026-01-01 00:00:10.000"',
      '"2026-01-01T00:00:10Z"',
      '"2026-01-01T01:00:10.5+01:00"',
      "1767225610000",
      '"1969-12-31 23:59:59.999"',
      '"9999-12-31 23:59:59.999"',
      '"2026-02-29 00:00:00"',
      "253402300800000",
      "true",
    ];
    expect(each({ kind: "timestamp" }, values)).toEqual([
      1767225610000n,
      1767225610000n,
      1767225610500n,
      1767225610000n,
      -1n,
      253402300799999n,
      "badText",
      "outOfRange",
      "wrongType",
    ]);
  });

  test("one value may go to several columns, whole and in part", () => {
    const reader = readerOf(
      column("a", { kind: "json" }),
      column("a.b", { kind: "int" }),
      column("a.b", text),
      column("a.c.d", text),
    );
    const { rows, errors } = reader.decode([
      '{"a": {"b":"5","c":{"d":1}}}',
      '{"a":null}',
      '{"a":3}',
    ]);
    expect(rows).toEqual([
      ['{"b":"5","c":{"d":1}}', 5n, "5", "1"],
      [null, null, null, null],
      undefined,
    ]);
    expect(errors).toMatchObject([{ row: 2, fault: "wrongType", position: 5 }]);
  });

  test("what is no JSON object is told as what it is, and where", () => {
    const cases: readonly [string, DecodeFault, number][] = [
      ["", "empty", 0],
      [" \n ", "empty", 3],
      ["[1]", "notObject", 0],
      ["5", "notObject", 0],
      ['{"v":1', "endsEarly", 6],
      ['{"v":"a', "endsEarly", 7],
      ['{"v":1} x', "trailing", 8],
      ['{"v":1}}', "trailing", 7],
      ['{"v":01}', "syntax", 6],
      ['{"v":1,}', "syntax", 7],
      ["{v:1}", "syntax", 1],
      ['{"u":"a\nb"}', "controlCharacter", 7],
      ['{"u":"\\x"}', "badEscape", 6],
      ['{"u":"\\u12g4"}', "badEscape", 6],
    ];
    const reader = readerOf(column("v", { kind: "int" }));
    const { errors } = reader.decode(cases.map(([value]) => value));
    expect(errors.map(({ fault, position }) => [fault, position] as const)).toEqual(
      cases.map(([, fault, position]) => [fault, position]),
    );
  });

  test("broken UTF-8 is refused wherever it stands", () => {
    const reader = readerOf(column("v", { kind: "int" }));
    const encoder = new TextEncoder();
    const sequences = [
      [0xff],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xe2, 0x82],
    ];
    for (const [before, after] of [
      ['{"v":1,"u":"', '"}'],
      ['{"v":1,"', '":2}'],
      [`{"v":1,"u":"${"x".repeat(100)}`, '"}'],
    ] as const) {
      for (const sequence of sequences) {
        const bytes = new Uint8Array([
          ...encoder.encode(before),
          ...sequence,
          ...encoder.encode(after),
        ]);
        const { errors } = reader.decode([bytes]);
        expect(errors).toMatchObject([{ fault: "invalidUtf8", position: before.length }]);
      }
    }
    expect(reader.decode(['{"v":1,"u":"ü漢😀"}']).rows).toEqual([[1n]]);
  });

  test("1 000 levels are read, 1 001 and 10 000 are an error, wanted or not", () => {
    const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
    const objects = (levels: number) => `${'{"v":'.repeat(levels)}1${"}".repeat(levels)}`;
    for (const type of [{ kind: "json" }, { kind: "int" }] as const) {
      const wanted = type.kind === "json" ? "v" : "w";
      const reader = readerOf(column(wanted, type));
      const rows = [nested(999), nested(1000), nested(10_000), objects(999), objects(10_000)];
      const { errors } = reader.decode(rows.map((value) => `{"v":${value}}`));
      expect(errors.map(({ row, fault }) => [row, fault] as const)).toEqual([
        [1, "tooDeep"],
        [2, "tooDeep"],
        [4, "tooDeep"],
      ]);
    }
  });

  test("a value of 10 MB, plain and full of escapes", () => {
    const reader = readerOf(column("v", text), column("n", { kind: "int" }));
    const plain = "x".repeat(10_000_000);
    const { rows } = reader.decode([
      `{"v":"${plain}","n":1}`,
      `{"v":"${"\\n".repeat(5_000_000)}","n":2}`,
    ]);
    expect(rows[0]?.[0] === plain).toBe(true);
    expect(rows[1]?.[0] === "\n".repeat(5_000_000)).toBe(true);
    expect(rows.map((row) => row?.[1])).toEqual([1n, 2n]);
  });

  test("a plan of more names than the graph can tell apart decodes without it", () => {
    const columns = Array.from({ length: 100 }, (_, index) => column(`c${index}`, { kind: "int" }));
    const reader = readerOf(...columns);
    const row = `{${columns.map(({ path }, index) => `"${path[0]}":${index}`).join(",")}}`;
    expect(reader.decode([row, row]).rows[1]).toEqual(columns.map((_, index) => BigInt(index)));
    expect(reader.decoder.shapes).toEqual({ hits: 0, misses: 0 });
  });

  test("shapes that keep changing turn the graph off, and one that stays is learned again", () => {
    const reader = readerOf(column("v", { kind: "int" }));
    const changing = Array.from({ length: 4000 }, (_, index) => `{"k${index}":1,"v":${index}}`);
    expect(reader.decode(changing).errors).toEqual([]);
    const { misses } = reader.decoder.shapes;
    expect(misses).toBeLessThan(1500);
    const same = Array.from({ length: 20_000 }, (_, index) => `{"some":"thing","v":${index}}`);
    expect(reader.decode(same).rows.at(-1)).toEqual([19_999n]);
    expect(reader.decoder.shapes.hits).toBeGreaterThan(10_000);
  });
});

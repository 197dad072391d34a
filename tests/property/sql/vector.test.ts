/**
 * The vector kernel against SQLite: random typed expressions over random rows, NULLs and extremes
 * among them, give the same values, the same rows and the same errors either way.
 */
import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { reasonOf } from "../../../src/sql/engine/evaluation-error.ts";
import { PlacedReader } from "../../../src/sql/engine/placed-reader.ts";
import { columnName } from "../../../src/sql/engine/row-layout.ts";
import { functionByKey, hostFunctions } from "../../../src/sql/functions/catalog.ts";
import { coerce } from "../../../src/sql/functions/definition.ts";
import { VectorCode } from "../../../src/sql/kernel/vector-code.ts";
import { compileVector } from "../../../src/sql/kernel/vector-compile.ts";
import { patternProgram } from "../../../src/sql/kernel/vector-pattern.ts";
import { RowTable } from "../../../src/sql/memory/row-table.ts";
import type { Scalar } from "../../../src/sql/plan/scalar.ts";
import { registerFunctions } from "../../../src/sql/sqlite/functions.ts";
import { type DataType, valueKindOf } from "../../../src/sql/types/data-type.ts";
import { decimalValue } from "../../../src/sql/types/decimal.ts";
import { isSameType } from "../../../src/sql/types/show-type.ts";
import { type CellValue, fillTable, openSqlite, readTable } from "../../support/sqlite.ts";

const string: DataType = { kind: "varchar", length: null };
const types: readonly DataType[] = [
  { kind: "boolean" },
  { kind: "tinyint" },
  { kind: "smallint" },
  { kind: "int" },
  { kind: "bigint" },
  { kind: "float" },
  { kind: "double" },
  { kind: "decimal", precision: 5, scale: 2 },
  { kind: "decimal", precision: 18, scale: 4 },
  { kind: "decimal", precision: 30, scale: 6 },
  string,
  { kind: "timestamp" },
  { kind: "timestampLtz" },
  { kind: "date" },
  { kind: "time" },
  { kind: "intervalDay" },
  { kind: "bytes" },
];
const numeric = types.slice(1, 10);
const texts = [
  "",
  "a",
  "apple",
  "Apple",
  "APPLE pie/x/y",
  "a/b//c",
  "größe",
  "ab\0c",
  "%",
  "日本/語",
];

function integers(bits: number): fc.Arbitrary<bigint> {
  const high = (1n << BigInt(bits - 1)) - 1n;
  return fc.oneof(
    fc.bigInt({ min: -high - 1n, max: high }),
    fc.bigInt({ min: -12n, max: 12n }),
    fc.constantFrom(high, -high - 1n, 0n, 1n, -1n),
  );
}

/** A value as memory holds it: a wide one as a bigint. */
function cellOf(type: DataType): fc.Arbitrary<CellValue> {
  switch (type.kind) {
    case "boolean":
      return fc.bigInt({ min: 0n, max: 1n });
    case "tinyint":
      return integers(8);
    case "smallint":
      return integers(16);
    case "int":
      return integers(32);
    case "float":
      return fc.oneof(fc.float(), fc.constantFrom(0, -0, 1.5, -2));
    case "double":
      return fc.oneof(fc.double(), fc.constantFrom(0, -0, 0.1, 1e300, Number.NaN, 3));
    case "decimal": {
      const max = 10n ** BigInt(type.precision) - 1n;
      return fc.oneof(
        fc.bigInt({ min: -max, max }),
        fc.bigInt({ min: -500n, max: 500n }),
        fc.constantFrom(max, -max),
      );
    }
    case "varchar":
      return fc.oneof(fc.constantFrom(...texts), fc.string({ unit: "grapheme", maxLength: 20 }));
    case "bytes":
      return fc.uint8Array({ maxLength: 4 });
    case "timestamp":
    case "timestampLtz":
      return fc.oneof(
        fc.bigInt({ min: 1_700_000_000_000n, max: 1_700_100_000_000n }),
        fc.bigInt({ min: -62_135_596_800_000n, max: 253_402_300_799_999n }),
      );
    case "date":
      return fc.bigInt({ min: -719_162n, max: 2_932_896n });
    case "time":
      return fc.bigInt({ min: 0n, max: 86_399_999n });
    default:
      return integers(64);
  }
}

function literalOf(type: DataType): fc.Arbitrary<Scalar> {
  const value = cellOf(type).filter((each) => typeof each !== "number" || Number.isFinite(each));
  return fc.option(value, { freq: 8 }).map((each) => {
    const isWide = type.kind === "decimal" && typeof each === "bigint";
    return {
      ...{ kind: "literal", type },
      value: isWide ? decimalValue(each, type.precision) : each,
    } as Scalar;
  });
}

function leafOf(type: DataType): fc.Arbitrary<Scalar> {
  const index = types.findIndex((each) => isSameType(each, type));
  const column: Scalar = { kind: "column", index, type, nullable: true };
  return fc.oneof({ weight: 3, arbitrary: fc.constant(column) }, literalOf(type));
}

function call(name: string, args: readonly Scalar[]): Scalar {
  return functionByKey(name).bind(args);
}

function text(value: string): Scalar {
  return { kind: "literal", value, type: string };
}

function int(value: bigint): Scalar {
  return { kind: "literal", value, type: { kind: "int" } };
}

const calls = (names: readonly string[], ...args: readonly fc.Arbitrary<Scalar>[]) =>
  fc.tuple(fc.constantFrom(...names), ...args).map(([name, ...each]) => call(name, each));

/** An expression of the type, by depth. */
function expressionOf(type: DataType, depth: number): fc.Arbitrary<Scalar> {
  if (depth === 0) return leafOf(type);
  const below = (of: DataType) => expressionOf(of, depth - 1);
  const any = (of: readonly DataType[]) => fc.constantFrom(...of).chain(below);
  const ways: fc.Arbitrary<Scalar>[] = [leafOf(type), choices(type, below)];
  if (type.kind === "boolean") ways.push(...tests(below));
  if (numeric.some((each) => isSameType(each, type))) {
    const names = ["plus", "minus", "times", "divide", "modulo"];
    const computed = fc.oneof(
      calls(names, any(numeric), any(numeric)),
      calls(["negate"], any(numeric)),
      any(numeric),
    );
    ways.push(
      computed.map((each) => cast(each, type)),
      computed.map((each) => cast(each, type)),
    );
    ways.push(...fieldsOf(below).map((each) => each.map((one) => cast(one, type))));
  }
  if (type.kind === "varchar") ways.push(...textsOf(below));
  if (type.kind === "timestamp" || type.kind === "timestampLtz") {
    ways.push(calls(["timePlus", "timeMinus"], below(type), below({ kind: "intervalDay" })));
    ways.push(any(types.filter(({ kind }) => kind === "date")).map((each) => cast(each, type)));
  }
  if (type.kind === "date" || type.kind === "time") {
    ways.push(below({ kind: "timestamp" }).map((each) => cast(each, type)));
  }
  return fc.oneof(...ways);
}

type Below = (type: DataType) => fc.Arbitrary<Scalar>;

function cast(input: Scalar, type: DataType): Scalar {
  return { kind: "cast", input, type, nullable: true, isTry: false };
}

function choices(type: DataType, below: Below): fc.Arbitrary<Scalar> {
  const boolean = below({ kind: "boolean" });
  const one = below(type);
  const branch = fc.record({ when: boolean, result: one });
  return fc.oneof(
    fc
      .record({ branches: fc.array(branch, { minLength: 1, maxLength: 3 }), otherwise: one })
      .map((each): Scalar => ({ kind: "case", ...each, type, nullable: true })),
    calls(["coalesce"], one, one, one),
    calls(["nullif"], one, leafOf(type)).map((each) => coerce(each, type)),
    calls(["if"], boolean, one, one),
    calls(["ifnull"], one, one),
  );
}

function tests(below: Below): fc.Arbitrary<Scalar>[] {
  const boolean = below({ kind: "boolean" });
  const any = fc.constantFrom(...types);
  const comparable = fc.constantFrom(...types.filter(({ kind }) => kind !== "bytes"));
  const compared = fc.constantFrom("eq", "ne", "lt", "le", "gt", "ge", "isDistinctFrom");
  const several = fc.constantFrom("isNotDistinctFrom", "eq");
  const pair = comparable.chain((type) => fc.tuple(below(type), below(type)));
  const listed = fc.constantFrom(
    ...types.filter(({ kind }) => kind === "int" || kind === "varchar"),
  );
  const patterns = ["a%", "%e", "%pp%", "apple", "%", "", "a_ple", "%a%b", "%/%"];
  return [
    calls(["and", "or"], boolean, boolean, boolean),
    calls(["not"], boolean),
    calls(["isTrue", "isNotTrue", "isFalse", "isNotFalse"], boolean),
    any.chain((type) => calls(["isNull", "isNotNull"], below(type))),
    fc.tuple(fc.oneof(compared, several), pair).map(([name, args]) => call(name, args)),
    fc.tuple(compared, pair).map(([name, args]) => call(name, args)),
    listed.chain((type) =>
      fc
        .tuple(below(type), fc.array(literalOf(type), { minLength: 1, maxLength: 4 }))
        .map(([value, items]) => call("in", [value, ...items])),
    ),
    fc
      .tuple(below(string), fc.constantFrom(...patterns))
      .map(([value, pattern]) => call("like", [value, text(pattern)])),
    fc
      .tuple(
        fc.constantFrom("startswith", "endswith"),
        below(string),
        fc.constantFrom("a", "", "le"),
      )
      .map(([name, value, part]) => call(name, [value, text(part)])),
  ];
}

/** Of the last ones the kernel covers none. */
const expressions = [
  "(&|^)a([^/]*)",
  "([a-l]+)(p*)",
  "^a(.*)(e|x)$",
  "(p|pp)(l?)",
  "\\s*(\\w+)/([^a-m/]|y)",
  "()(a|)",
  ".*(/.*)(/)",
  "(a*?)(b)",
  "(a)(b){2}",
  "(?i)(A)(.)",
];

function textsOf(below: Below): fc.Arbitrary<Scalar>[] {
  const patterns = ["yyyy-MM-dd", "HH:mm", "yyyy-MM-dd HH:mm:ss.SSS", "mm", "yyyyMM", "E"];
  const moment = fc.constantFrom(...types.slice(11, 14)).chain(below);
  return [
    calls(["lower", "upper"], below(string)),
    calls(["concat", "concatenate"], below(string), below(string)),
    fc
      .tuple(below(string), fc.constantFrom("/", "//", "ä", "a"), fc.bigInt({ min: 0n, max: 3n }))
      .map(([value, part, index]) => call("split_index", [value, text(part), int(index)])),
    fc
      .tuple(below(string), fc.constantFrom(...expressions), fc.bigInt({ min: 0n, max: 2n }))
      .map(([value, pattern, group]) => call("regexp_extract", [value, text(pattern), int(group)])),
    fc
      .tuple(moment, fc.constantFrom(...patterns))
      .map(([value, pattern]) => call("date_format", [value, text(pattern)])),
  ];
}

function fieldsOf(below: Below): fc.Arbitrary<Scalar>[] {
  const moment = fc.constantFrom(...types.slice(11, 14)).chain(below);
  const names = ["year", "month", "quarter", "dayofmonth", "dayofweek", "hour", "minute", "second"];
  return [
    calls([...names, "week"], moment),
    calls(["char_length"], below(string)),
    fc
      .tuple(fc.bigInt({ min: 0n, max: 18n }), moment)
      .map(([unit, value]) => call("extract", [int(unit), value])),
  ];
}

const row = fc.tuple(...types.map((type) => fc.option(cellOf(type), { freq: 5 })));

const oneCase = fc.constantFrom(...types.slice(0, 15)).chain((type) =>
  fc.record({
    output: fc.tuple(
      expressionOf(type, 2),
      fc.constantFrom(...types.slice(0, 15)).chain((each) => expressionOf(each, 2)),
    ),
    where: fc.option(expressionOf({ kind: "boolean" }, 2)),
    // Few rows again and again fill the loops that take several at a time.
    rows: fc
      .tuple(fc.array(row, { minLength: 1, maxLength: 24 }), fc.constantFrom(1, 1, 9))
      .map(([some, times]) =>
        Array.from({ length: times }, () => some)
          .flat()
          .slice(0, 50),
      ),
    skipped: fc.option(fc.integer({ min: 2, max: 5 })),
    timeZone: fc.constantFrom("UTC", "UTC", "Asia/Tokyo"),
  }),
);

const tableColumns = types.map((type, index) => ({
  name: columnName(index),
  kind: valueKindOf(type),
}));

test("expressions mean the same in the kernel as in SQLite", () => {
  const database = openSqlite(1024 * 1024 * 1024);
  registerFunctions(database, hostFunctions);
  const { memory } = database.host;
  const table = new RowTable(
    memory,
    tableColumns.map(({ kind }) => kind),
  );
  let number = 0;
  let covered = 0;
  let failed = 0;
  const check = (each: typeof oneCase extends fc.Arbitrary<infer T> ? T : never) => {
    const { output, where, rows, skipped, timeZone } = each;
    fillTable(table, rows as CellValue[][]);
    if (skipped !== null) {
      const kept = [...rows.keys()].filter((index) => index % skipped !== 0);
      const selection = memory.allocate(4 * kept.length);
      for (const [index, one] of kept.entries()) memory.writeUint32(selection + 4 * index, one);
      table.setRows({ rowCount: kept.length, selection });
    }
    const [byKernel, bySqlite] = (["always", "never"] as const).map((vector) => {
      const reader = new PlacedReader(database, {
        name: `t${number++}`,
        input: tableColumns,
        output: [
          ...output.map((scalar) => ({ kind: valueKindOf(scalar.type), scalar })),
          { kind: "text", from: 10 },
        ],
        ...{ where, timeZone, vector },
      });
      const errors: [number, string][] = [];
      // Twice: what the first batch leaves behind is nothing to the second.
      const read = () =>
        reader.read(table, (index, error) => errors.push([index, reasonOf(error)]));
      const first = readTable(read()).map((cells) => cells.map(bits));
      const second = readTable(read()).map((cells) => cells.map(bits));
      failed += errors.length;
      return { rows: [...first, ...second], errors };
    });
    if (
      output.every((scalar) => compileVector(scalar, { code: new VectorCode(), timeZone }) !== null)
    )
      covered++;
    expect(byKernel).toEqual(bySqlite as NonNullable<typeof bySqlite>);
  };
  const runs = Number(process.env["VECTOR_RUNS"] ?? 400);
  fc.assert(fc.property(oneCase, check), { numRuns: runs, seed: 391459001 });
  expect(covered).toBeGreaterThan(runs / 5);
  expect(failed).toBeGreaterThan(runs / 50);
});

const character = fc.constantFrom("a", "b", "=", "[ab]", "[^a]", "[a-c=]", "\\w", "\\.", ".");
const atom = fc
  .tuple(character, fc.constantFrom("", "", "", "*", "+", "?"))
  .map((each) => each.join(""));
const { branches } = fc.letrec<{ branches: string; piece: string }>((tie) => ({
  piece: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    atom,
    fc.constantFrom("^", "$", "ab", "a="),
    tie("branches").map((each) => `(${each})`),
    tie("branches").map((each) => `(?:${each})`),
  ),
  branches: fc
    .array(fc.array(tie("piece"), { maxLength: 4 }), { minLength: 1, maxLength: 2 })
    .map((each) => each.map((pieces) => pieces.join("")).join("|")),
}));

test("regular expressions match in the kernel as in JavaScript's engine", () => {
  const database = openSqlite();
  registerFunctions(database, hostFunctions);
  const table = new RowTable(database.host.memory, ["text"]);
  const near = fc.string({ unit: fc.constantFrom("a", "b", "c", "=", ".", "\n"), maxLength: 12 });
  let number = 0;
  let covered = 0;
  const runs = 500;
  fc.assert(
    fc.property(branches, fc.nat(2), fc.array(near, { minLength: 1 }), (pattern, group, values) => {
      const program = patternProgram(pattern, group);
      if (program === null) return;
      covered++;
      fillTable(
        table,
        values.map((each) => [each]),
      );
      const value: Scalar = { kind: "column", index: 0, type: string, nullable: true };
      const scalar = call("regexp_extract", [value, text(pattern), int(BigInt(group))]);
      const reader = new PlacedReader(database, {
        ...{ name: `p${number++}`, input: [{ name: "c0", kind: "text" }], where: null },
        output: [{ kind: "text", scalar }],
        ...{ timeZone: "UTC", vector: "always" },
      });
      const found = readTable(reader.read(table, () => {}));
      const expression = new RegExp(pattern, "u");
      expect(found).toEqual(values.map((each) => [expression.exec(each)?.[group] ?? null]));
    }),
    { numRuns: runs },
  );
  expect(covered).toBeGreaterThan(runs / 4);
});

test("functions of texts mean the same for texts of every length around sixteen", () => {
  const database = openSqlite();
  registerFunctions(database, hostFunctions);
  const table = new RowTable(database.host.memory, ["text"]);
  const pattern = "Ab/Zz//@[`{/yX-";
  const values = Array.from({ length: 50 }, (_, length) => pattern.repeat(4).slice(0, length));
  fillTable(
    table,
    [...values, ...values.map((each) => `${each}é`), "channel_id=5", "a&channel_id=7&b"].map(
      (each) => [each],
    ),
  );
  const value: Scalar = { kind: "column", index: 0, type: string, nullable: true };
  const scalars = [
    call("lower", [value]),
    call("upper", [value]),
    ...[0n, 1n, 2n, 3n, 7n].map((part) => call("split_index", [value, text("/"), int(part)])),
    call("split_index", [value, text("//"), int(1n)]),
    call("regexp_extract", [value, text("(&|^)channel_id=([^&]*)"), int(2n)]),
    call("eq", [call("lower", [value]), text(pattern.toLowerCase())]),
  ];
  const read = (name: string, vector: "always" | "never") => {
    const reader = new PlacedReader(database, {
      ...{ name, input: [{ name: "c0", kind: "text" }], where: null, timeZone: "UTC", vector },
      output: scalars.map((scalar) => ({ kind: valueKindOf(scalar.type), scalar })),
    });
    expect(reader.usesKernel).toBe(vector === "always");
    return readTable(reader.read(table, () => {}));
  };
  expect(read("kernel", "always")).toEqual(read("plain", "never"));
});

/** −0 and 0 differ. */
function bits(value: CellValue): CellValue | string {
  if (typeof value !== "number") return value;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigInt64(0);
}

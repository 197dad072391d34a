import { describe, expect, test } from "bun:test";
import { isStreamError } from "../../../../src/base/stream-error.ts";
import { functionCatalog, hostFunctions } from "../../../../src/sql/functions/catalog.ts";
import { lowerScalar } from "../../../../src/sql/functions/lower.ts";
import type { Scalar } from "../../../../src/sql/plan/scalar.ts";
import { registerFunctions } from "../../../../src/sql/sqlite/functions.ts";
import { TestCatalog } from "../../../support/sql-catalog.ts";
import { openSqlite } from "../../../support/sqlite.ts";

const native = openSqlite();
registerFunctions(native, hostFunctions);
const plain = openSqlite();
registerFunctions(plain, hostFunctions, { isNative: false });

function lowered(sql: string, timeZone: string): string {
  const { root } = new TestCatalog("", { timeZone }).plan(`SELECT ${sql}`);
  const [scalar] = root.kind === "calc" ? root.projections : [];
  if (scalar === undefined) throw new Error(`No scalar in ${root.kind}`);
  return lowerScalar(scalar, String, timeZone);
}

/** Both forms of the functions give the value. */
function value(sql: string, timeZone = "UTC"): unknown {
  const text = lowered(sql, timeZone);
  const result = native.query(`SELECT ${text}`)[0]?.[0];
  expect(plain.query(`SELECT ${text}`)).toEqual([[result ?? null]]);
  return result;
}

/** Why the row is wrong. */
function reason(sql: string): unknown {
  try {
    native.query(`SELECT ${lowered(sql, "UTC")}`);
  } catch (error) {
    if (isStreamError(error, "sql_evaluation_failed")) return error.details["reason"];
    throw error;
  }
  throw new Error(`${sql} did not fail`);
}

const hide = "CAST(CONCAT('1', '') AS BIGINT)";
const big = "CAST(CONCAT('9223372036854775807', '') AS BIGINT)";

describe("a row that goes wrong is an error with its reason", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [`${big} + 1`, /out of range/],
    [`-${big} - 2`, /out of range/],
    [`${big} * 2`, /out of range/],
    [`CAST(${hide} * 2147483647 AS INT) + 1`, /out of range/],
    [`CAST(${hide} AS TINYINT) + CAST(127 AS TINYINT)`, /out of range/],
    [`1 / (${hide} - 1)`, /[Dd]ivision by zero/],
    [`MOD(1, ${hide} - 1)`, /[Dd]ivision by zero/],
    [`1.5E0 / (${hide} - 1)`, /[Dd]ivision by zero/],
    [`1.5 / (${hide} - 1)`, /[Dd]ivision by zero/],
    [`SQRT(-${hide})`, /NaN/],
    [`LN(${hide} - 1)`, /out of range/],
    [`EXP(1000 * ${hide})`, /out of range/],
    [`1E308 * 10 * ${hide}`, /out of range/],
    ["CAST(CONCAT('x', '') AS INT)", /Cannot cast 'x' to INT/],
    ["CAST(CONCAT('2026-02-30', '') AS DATE)", /Cannot cast '2026-02-30' to DATE/],
    [`CAST(${hide} * 3000000000 AS INT)`, /out of range for INT/],
    [`CAST(${hide} * 1000 AS DECIMAL(3, 0))`, /out of range for DECIMAL\(3, 0\)/],
    [`CAST(1E20 * ${hide} AS BIGINT)`, /out of range for BIGINT/],
    ["REGEXP(CONCAT('a', ''), 'a++')", /possessive/],
    ["REGEXP('a', CONCAT('(', ''))", /not well formed/],
    ["TIMESTAMPADD(YEAR, 9000, TIMESTAMP '2026-01-01 00:00:00')", /years 1 to 9999/],
  ];
  for (const [sql, pattern] of cases) {
    test(sql, () => {
      expect(reason(sql)).toMatch(pattern);
    });
  }
});

describe("NULL", () => {
  test("TRY_CAST gives it where CAST fails, and only there", () => {
    expect(value("TRY_CAST(CONCAT('x', '') AS INT)")).toBeNull();
    expect(value("TRY_CAST(CONCAT('5', '') AS INT)")).toBe(5n);
    expect(value(`TRY_CAST(${big} AS INT)`)).toBeNull();
    expect(value("TRY_CAST(CONCAT('1.5', '') AS DECIMAL(1, 0))")).toBe(2n);
  });

  test("logic has three values", () => {
    expect(value("CAST(NULL AS BOOLEAN) OR TRUE")).toBe(1n);
    expect(value("CAST(NULL AS BOOLEAN) AND FALSE")).toBe(0n);
    expect(value("NOT CAST(NULL AS BOOLEAN)")).toBeNull();
    expect(value("1 NOT IN (2, CAST(NULL AS INT))")).toBeNull();
    expect(value("CAST(NULL AS INT) IS NOT DISTINCT FROM NULL")).toBe(1n);
  });
});

describe("times of a zone", () => {
  test("a day of a TIMESTAMP_LTZ is the zone's day, across a change of the clock", () => {
    const day = "FLOOR(TO_TIMESTAMP_LTZ(1774749600000, 3) TO DAY)";
    // 2026-03-29 02:00 UTC: in Berlin the day began at 23:00 UTC and has 23 hours.
    expect(value(day, "Europe/Berlin")).toBe(BigInt(Date.UTC(2026, 2, 28, 23)));
    expect(value(`CEIL(TO_TIMESTAMP_LTZ(1774749600000, 3) TO DAY)`, "Europe/Berlin")).toBe(
      BigInt(Date.UTC(2026, 2, 29, 22)),
    );
    expect(value("HOUR(TO_TIMESTAMP_LTZ(0, 3))", "America/New_York")).toBe(19n);
  });

  test("a TIMESTAMP has no zone", () => {
    expect(value("HOUR(TIMESTAMP '2026-01-01 05:00:00')", "America/New_York")).toBe(5n);
  });
});

describe("rows", () => {
  test("fields come exact, whatever their type", () => {
    const row = `ROW(${big}, 1.50, TRUE, 'ü"', DATE '2026-01-01')`;
    expect(value(`(${row}).EXPR$0`)).toBe(2n ** 63n - 1n);
    expect(value(`(${row}).EXPR$1`)).toBe(150n);
    expect(value(`(${row}).EXPR$2`)).toBe(1n);
    expect(value(`(${row}).EXPR$3`)).toBe('ü"');
    expect(value(`CAST((${row}).EXPR$4 AS STRING)`)).toBe("2026-01-01");
    expect(value(row)).toBe(
      `{"EXPR$0":9223372036854775807,"EXPR$1":1.50,"EXPR$2":true,"EXPR$3":"ü\\"","EXPR$4":"2026-01-01"}`,
    );
  });
});

describe("the catalog", () => {
  test("has at least 150 functions, each under names of its own", () => {
    const names = functionCatalog.flatMap(({ sqlNames }) => sqlNames);
    expect(new Set(names).size).toBe(names.length);
    const keys = functionCatalog.map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.length).toBeGreaterThanOrEqual(150);
  });

  test("registers each of its SQLite functions once", () => {
    const names = hostFunctions.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test("is right where text is no ASCII", () => {
    expect(value("SUBSTRING('a😀bc' FROM 2 FOR 2)")).toBe("😀b");
    expect(value("POSITION('b' IN 'a😀b')")).toBe(3n);
    expect(value("REVERSE('a😀')")).toBe("😀a");
    expect(value("LPAD('😀', 3, 'äb')")).toBe("äb😀");
    expect(value("OVERLAY('a😀b' PLACING 'X' FROM 2)")).toBe("aXb");
  });

  test("LIKE takes letters of GLOB as they are", () => {
    expect(value("CONCAT('a*b', '') LIKE 'a*_'")).toBe(1n);
    expect(value("CONCAT('axb', '') LIKE 'a*_'")).toBe(0n);
    expect(value("CONCAT('a[b]', '') LIKE '%[b]'")).toBe(1n);
    expect(value("CONCAT('a%b', '') LIKE 'a!%b' ESCAPE '!'")).toBe(1n);
  });
});

describe("what is long", () => {
  test("conditions of thousands of terms are no deeper than SQLite takes", () => {
    const no: Scalar = { kind: "literal", value: 0n, type: { kind: "boolean" } };
    const scalar: Scalar = {
      kind: "call",
      name: "or",
      args: Array.from({ length: 5000 }, () => no),
      type: no.type,
      nullable: false,
    };
    expect(native.query(`SELECT ${lowerScalar(scalar, String, "UTC")}`)).toEqual([[0n]]);
  });

  test("more arguments than SQLite passes are refused by name", () => {
    const many = Array.from({ length: 200 }, () => "'a'").join(", ");
    expect(new TestCatalog().complaint(`SELECT CONCAT(${many})`)).toContain(
      "CONCAT has 200 arguments",
    );
    expect(value(`'b' IN (${many})`)).toBe(0n);
  });

  test("a LIKE pattern longer than GLOB takes still matches", () => {
    const pattern = `${"%a".repeat(3000)}%`;
    expect(value(`'b' LIKE '${pattern}'`)).toBe(0n);
  });
});

/**
 * Scalar expressions against Flink 2.3: each line of the fixture is an expression with the type and
 * the text that Flink gave it, in the time zone Europe/Berlin (`TYPEOF(x)`, `CAST(x AS STRING)`).
 * Both ways to compute ours must agree: native functions, and their plain meaning.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostFunctions } from "../../src/sql/functions/catalog.ts";
import { lowerScalar } from "../../src/sql/functions/lower.ts";
import type { Scalar } from "../../src/sql/plan/scalar.ts";
import { registerFunctions } from "../../src/sql/sqlite/functions.ts";
import { showType } from "../../src/sql/types/show-type.ts";
import { TestCatalog } from "../support/sql-catalog.ts";
import { openSqlite } from "../support/sqlite.ts";

interface Golden {
  readonly sql: string;
  readonly type: string;
  readonly value: string | null;
}

const goldens: readonly Golden[] = readFileSync(
  join(import.meta.dirname, "fixtures/sql-functions.ndjson"),
  "utf8",
)
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line));

/** Where Flink is wrong and we are not: docs/SQL.md says so. */
const better: Readonly<Record<string, string>> = {
  // Before 1970 Flink cuts towards 1970 instead of downwards.
  "HOUR(TIMESTAMP '1969-12-31 23:59:59')": "23",
};

const timeZone = "Europe/Berlin";
const catalog = new TestCatalog("", { timeZone });
const native = openSqlite();
registerFunctions(native, hostFunctions);
const plain = openSqlite();
registerFunctions(plain, hostFunctions, { isNative: false });

function scalarOf(sql: string): Scalar {
  const { root } = catalog.plan(`SELECT ${sql}`);
  const [scalar] = root.kind === "calc" ? root.projections : [];
  if (scalar === undefined) throw new Error(`No scalar in ${root.kind}`);
  return scalar;
}

/** We know one TIME and one TIMESTAMP, and STRINGs whose length we do not always follow. */
function comparable(type: string): string {
  return type
    .replace(" NOT NULL", "")
    .replace(/^(VAR)?CHAR\(\d+\)$/, "STRING")
    .replace(/^(TIME|TIMESTAMP)\(\d\)$/, "$1");
}

function withMilliseconds(type: string, value: string | null): string | null {
  return type.startsWith("TIMESTAMP(0)") ? `${value}.000` : value;
}

/** Java promises COSH and its like to 2.5 units in the last place only; so does every engine. */
function expectNearby(result: unknown, value: string | null): void {
  const wanted = Number(value);
  expect(Math.abs(Number(result) - wanted)).toBeLessThanOrEqual(Math.abs(wanted) * 2.5 * 2 ** -52);
}

describe("expressions as Flink 2.3 computes them", () => {
  for (const { sql, type, value } of goldens) {
    test(sql, () => {
      const typed = comparable(showType(scalarOf(sql).type));
      expect(typed).toBe(comparable(type));
      const text = lowerScalar(scalarOf(`CAST(${sql} AS STRING)`), String, timeZone);
      const [[result = null] = []] = native.query(`SELECT ${text}`);
      expect(plain.query(`SELECT ${text}`)).toEqual([[result]]);
      if (typed === "DOUBLE") expectNearby(result, value);
      else expect(result).toBe(better[sql] ?? withMilliseconds(type, value));
    });
  }
});

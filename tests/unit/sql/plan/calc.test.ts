import { describe, expect, test } from "bun:test";
import { hostFunctions } from "../../../../src/sql/functions/catalog.ts";
import { lowerScalar } from "../../../../src/sql/functions/lower.ts";
import { filterNode, isIdentity, makeCalc } from "../../../../src/sql/plan/calc.ts";
import type { PlanNode } from "../../../../src/sql/plan/plan.ts";
import type { SqlValue } from "../../../../src/sql/plan/scalar.ts";
import { registerFunctions } from "../../../../src/sql/sqlite/functions.ts";
import { TestCatalog } from "../../../support/sql-catalog.ts";
import { openSqlite } from "../../../support/sqlite.ts";

const catalog = new TestCatalog(`
  CREATE STREAM bids (auction BIGINT, price BIGINT, channel STRING, url STRING,
    ts TIMESTAMP(3), WATERMARK FOR ts AS ts);
  CREATE VIEW dear AS SELECT auction, price * 2 AS twice, channel FROM bids WHERE price > 10;
`);

function calcOf(sql: string) {
  const { root } = catalog.plan(sql);
  if (root.kind !== "calc") throw new Error(`${root.kind} is no Calc`);
  return root;
}

const database = openSqlite();
registerFunctions(database, hostFunctions);

/** Runs a Calc right over a source as its SQL would run: the source's columns are c0, c1, … */
function run(sql: string, rows: readonly Readonly<Record<string, SqlValue>>[]): SqlValue[][] {
  const calc = calcOf(sql);
  const source = calc.input;
  if (source.kind !== "source") throw new Error(`${source.kind} is no source`);
  const names = source.columns.map((_, index) => `c${index}`);
  database.run(`CREATE TABLE input (${names.join(", ")})`);
  for (const row of rows) {
    const cells = source.origins.map((origin) =>
      origin.from === "value" ? (row[origin.path.join(".")] ?? null) : null,
    );
    database.run(`INSERT INTO input VALUES (${cells.map(() => "?").join(", ")})`, ...cells);
  }
  const text = (index: number) => `c${index}`;
  const items = calc.projections.map((each) => lowerScalar(each, text, "UTC"));
  const where = calc.filter === null ? "" : ` WHERE ${lowerScalar(calc.filter, text, "UTC")}`;
  const result = database.query(`SELECT ${items.join(", ")} FROM input${where}`);
  database.run("DROP TABLE input");
  return result;
}

describe("Calcs", () => {
  test("merge with the one below, filters and all", () => {
    const calc = calcOf("SELECT twice + 1 AS x FROM dear WHERE channel = 'a'");
    expect(calc.input.kind).toBe("source");
    expect(calc.filter).toMatchObject({ name: "and" });
    expect(calc.filter?.kind === "call" && calc.filter.args).toHaveLength(2);
  });

  test("do not merge where an expression would be computed more than once", () => {
    const calc = calcOf("SELECT twice + twice AS x FROM dear");
    expect(calc.input.kind).toBe("calc");
  });

  test("over updating rows keep the key while its columns are there", () => {
    const base = catalog.plan("SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction").root;
    const column = (index: number) => {
      const { type, nullable } = base.columns[index] ?? { type: { kind: "null" }, nullable: true };
      return { kind: "column", index, type, nullable } as const;
    };
    const columns = (indexes: readonly number[]) =>
      indexes.flatMap((index) => base.columns[index] ?? []);
    const pick = (input: PlanNode, indexes: readonly number[]) =>
      makeCalc({
        input,
        filter: null,
        projections: indexes.map(column),
        columns: columns(indexes),
      });
    expect(pick(base, [1, 0]).key).toEqual([1]);
    expect(pick(base, [1]).key).toBeNull();
    expect(
      isIdentity(filterNode(base, { kind: "literal", value: 1n, type: { kind: "boolean" } })),
    ).toBe(false);
    expect(isIdentity(pick(base, [0, 1]))).toBe(true);
  });

  test("give what they say: arithmetic, conditions and text of Nexmark's queries", () => {
    const url = "https://www.nexmark.com/a/b/c/item.htm?query=1&channel_id=77";
    const rows = [
      { auction: 246n, price: 1000n, channel: "Apple", url },
      { auction: 247n, price: 5n, channel: "channel-9", url },
      { auction: 123n, price: 7n, channel: "channel-1", url: "https://x/y" },
      { auction: null, price: null, channel: null, url: null },
    ];
    expect(run("SELECT auction, price FROM bids WHERE MOD(auction, 123) = 0", rows)).toEqual([
      [246n, 1000n],
      [123n, 7n],
    ]);
    expect(
      run("SELECT CAST(0.908 * price AS STRING) AS p FROM bids WHERE price > 6", rows),
    ).toEqual([["908.000"], ["6.356"]]);
    const channelId = "REGEXP_EXTRACT(url, '(&|^)channel_id=([^&]*)', 2)";
    expect(
      run(
        `SELECT channel, CASE WHEN LOWER(channel) = 'apple' THEN '0' ELSE ${channelId} END AS id
         FROM bids WHERE ${channelId} IS NOT NULL OR LOWER(channel) IN ('apple', 'google')`,
        rows,
      ),
    ).toEqual([
      ["Apple", "0"],
      ["channel-9", "77"],
    ]);
    expect(
      run("SELECT SPLIT_INDEX(url, '/', 3), SPLIT_INDEX(url, '/', 5) FROM bids", rows),
    ).toEqual([
      ["a", "c"],
      ["a", "c"],
      ["y", null],
      [null, null],
    ]);
  });
});

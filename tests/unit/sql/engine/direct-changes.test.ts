import { describe, expect, test } from "bun:test";
import { type DirectChanges, directChangesOf } from "../../../../src/sql/engine/direct-changes.ts";
import { parseCase } from "../../../support/sql-case.ts";
import { planCase, runCase, straight } from "../../../support/sql-case-run.ts";
import { TestCatalog } from "../../../support/sql-catalog.ts";

const catalog = new TestCatalog("CREATE STREAM t (k STRING, v BIGINT)");

function found(sql: string): DirectChanges | null {
  return directChangesOf(catalog.plan(sql).root);
}

const counts = "SELECT k, COUNT(*) AS n FROM t GROUP BY k";

describe("directChangesOf", () => {
  test("finds groups of rows that are only added, behind filters and projections", () => {
    expect(found(counts)).not.toBeNull();
    expect(found(`SELECT k, n * 2 AS m FROM (${counts}) WHERE n > 1`)).not.toBeNull();
  });

  test("finds none where rows of the input are taken back, or changes are held back", () => {
    expect(found(`SELECT n, COUNT(*) AS c FROM (${counts}) GROUP BY n`)).toBeNull();
    expect(found(`${counts} EMIT PERIODIC INTERVAL '5' SECOND`)).toBeNull();
    expect(found("SELECT k FROM t")).toBeNull();
  });
});

describe("DirectChanges", () => {
  test("rows are written where all came, else what they were is asked for", () => {
    const direct = found(counts);
    if (direct === null) throw new Error("it is direct");
    direct.giveRows(3);
    expect([direct.allCame, direct.met(3), direct.allCame]).toEqual([false, "whole", true]);
    direct.giveRows(3);
    expect([direct.met(2), direct.allCame]).toEqual(["part", false]);
    direct.giveGone();
    expect(direct.met(3)).toBe("gone");
    // Where none came at all, the sink has met nothing.
    direct.giveRows(1);
    expect(direct.allCame).toBe(false);
    direct.giveRows(0);
    expect(direct.allCame).toBe(true);
  });
});

test("a key is a record per commit, and is taken back when its row is filtered out or fails", () => {
  const sqlCase = parseCase(
    "direct",
    `CREATE STREAM t (k STRING, v BIGINT) WITH ('topic' = 't', 'format' = 'json');
CREATE MATERIALIZED VIEW m AS
SELECT k, n, 10 / (3 - n) AS rest FROM (SELECT k, COUNT(*) AS n FROM t GROUP BY k) WHERE n <> 2;
/* publishes
@ 00:00:01 t/0
{"k":"a"}
{"k":"b"}
@ 00:00:02 t/0
{"k":"a"}
{"k":"c"}
@ 00:00:03 t/0
{"k":"a"}
{"k":"b"}
{"k":"b"}
@ 00:00:04 t/0
{"k":"a"}
{"k":"b"}
*/`,
  );
  const { rows, errors } = runCase(planCase(sqlCase), sqlCase, straight);
  const line = ({ key, value }: (typeof rows)[number]) =>
    [JSON.parse(key ?? "").k, value === null ? null : JSON.parse(value).n].join();
  const changes = rows.map(line);
  expect(changes.slice(0, 2).sort()).toEqual(["a,1", "b,1"]);
  expect(changes.slice(2, 4).sort()).toEqual(["a,", "c,1"]);
  // The third publish fails for both: of a, which has no row, nothing is taken back.
  expect(changes.slice(4).sort()).toEqual(["a,4", "b,", "b,4"]);
  expect(errors).toHaveLength(2);
});

import { afterEach, describe, expect, test } from "bun:test";
import { scanBoundsOf } from "../../../src/pipeline/scan-bounds.ts";
import { TestCatalog } from "../../support/sql-catalog.ts";
import { SqlStack } from "../../support/sql-stack.ts";

const stream = `CREATE STREAM b (a BIGINT, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',
  off BIGINT METADATA FROM 'offset', part INT METADATA FROM 'partition',
  t TIMESTAMP(3), WATERMARK FOR t AS t) WITH ('partitions' = '2')`;

function boundsOf(text: string, timeZone = "UTC") {
  const plan = new TestCatalog(stream, { isBounded: true, timeZone }).plan(text);
  return scanBoundsOf(plan).get("b");
}

const none = {
  ...{ partition: null, offsetFrom: 0, offsetTo: Number.POSITIVE_INFINITY },
  timestampFrom: Number.NEGATIVE_INFINITY,
  timestampTo: Number.POSITIVE_INFINITY,
};

let sql: SqlStack | undefined;
afterEach(async () => {
  await sql?.close();
  sql = undefined;
});

describe("scanBoundsOf", () => {
  test("finds what WHERE says of partition, offset and timestamp", () => {
    expect(boundsOf("SELECT a FROM b WHERE off >= 10 AND 20 > off AND part = 1 AND a > 1")).toEqual(
      { ...none, partition: 1, offsetFrom: 10, offsetTo: 20 },
    );
    expect(boundsOf("SELECT COUNT(*) AS n FROM b WHERE off BETWEEN 3 AND 5")).toEqual({
      ...none,
      ...{ offsetFrom: 3, offsetTo: 6 },
    });
    expect(boundsOf("SELECT a FROM b WHERE ts > TIMESTAMP '1970-01-01 00:00:05'")).toEqual({
      ...none,
      timestampFrom: 5_000,
    });
    expect(boundsOf("SELECT a FROM b WHERE ts >= TO_TIMESTAMP_LTZ(7, 3)")?.timestampFrom).toBe(7);
  });

  test("finds nothing where rows that are left out may be of use", () => {
    expect(boundsOf("SELECT a FROM b WHERE off >= 10 OR a = 1")).toEqual(none);
    expect(boundsOf("SELECT a FROM b WHERE NOT (off >= 10)")).toEqual(none);
    expect(boundsOf("SELECT a FROM b WHERE off >= a")).toEqual(none);
    expect(boundsOf("SELECT a FROM b")).toBeUndefined();
    const union = "SELECT a FROM b WHERE off >= 10 UNION ALL SELECT a FROM b WHERE off >= 20";
    expect(boundsOf(union)).toBeUndefined();
    const local = "SELECT a FROM b WHERE ts > TIMESTAMP '1970-01-01 00:00:05'";
    expect(boundsOf(local, "Europe/Berlin")).toEqual(none);
    // Windows close by the watermark, which all rows move.
    expect(
      boundsOf(`SELECT window_start, COUNT(*) AS n FROM TUMBLE(TABLE b, DESCRIPTOR(t),
        INTERVAL '1' SECOND) WHERE off >= 10 GROUP BY window_start, window_end`),
    ).toBeUndefined();
  });

  test("is what a SELECT reads, and no more", async () => {
    sql = await SqlStack.open();
    await sql.run(stream);
    const t = "2026-01-01 00:00:00.000";
    for (let a = 0; a < 10; a++) await sql.append("b", [{ a, t }], a % 2);
    // Whoever reads it fails.
    await sql.append("b", [{ a: "none", t }], 1);
    const rows = (where: string) => sql?.run(`SELECT a FROM b WHERE ${where}`);
    expect(await rows("part = 0 AND off >= 2 AND off < 4")).toEqual([[{ a: 4 }, { a: 6 }]]);
    expect(await rows("part = 0 AND off > 4")).toEqual([[]]);
    expect(await rows("off = 1 AND part = 0")).toEqual([[{ a: 2 }]]);
    expect(await rows("part = 0 AND part = 1")).toEqual([[]]);
    expect(await rows("ts >= TIMESTAMP '2100-01-01 00:00:00'")).toEqual([[]]);
    await expect(rows("part = 1")).rejects.toThrow("offset 5");
  });
});

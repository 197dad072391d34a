import { describe, expect, test } from "bun:test";
import { TestCatalog } from "../../../support/sql-catalog.ts";

const catalog = new TestCatalog();

function made(sql: string) {
  const fresh = new TestCatalog(sql);
  const [name = ""] = fresh.names();
  const entry = fresh.lookup(name);
  if (entry === undefined || entry.kind === "view") throw new Error(`No stream in ${sql}`);
  return entry;
}

describe("CREATE STREAM", () => {
  test("says where each column comes from, in the order that was written", () => {
    const entry = made(`CREATE TABLE t (
      twice AS a * 2, a INT NOT NULL, o BIGINT METADATA FROM 'offset' VIRTUAL, p AS PROCTIME(),
      ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE,
      PRIMARY KEY (a) NOT ENFORCED
    ) WITH ('topic' = 'x', 'idle-timeout' = '1 min', 'scan.startup.mode' = 'timestamp',
      'scan.startup.timestamp-millis' = '5')`);
    expect(entry.columns.map(({ name, from }) => [name, from.kind])).toEqual([
      ["twice", "computed"],
      ["a", "value"],
      ["o", "metadata"],
      ["p", "proctime"],
      ["ts", "value"],
    ]);
    expect(entry.columns[1]?.nullable).toBe(false);
    expect(entry).toMatchObject({
      topic: "x",
      primaryKey: ["a"],
      watermark: { column: "ts", delayMs: 60_000 },
      idleTimeoutMs: 60_000,
      startup: { mode: "timestamp", timestampMs: 5 },
    });
  });

  test("has a topic of its own name and a default for the rest", () => {
    expect(made("CREATE STREAM s (a INT)")).toMatchObject({
      topic: "s",
      format: "json",
      watermark: null,
      idleTimeoutMs: 5000,
      startup: { mode: "earliest" },
    });
  });

  const complaints: readonly (readonly [string, string])[] = [
    ["CREATE STREAM s (a INT, a INT)", 'column "a" is there twice'],
    [
      "CREATE STREAM s (a INT) WITH ('topci' = 'x')",
      "there is no option 'topci'. Did you mean topic?",
    ],
    [
      "CREATE STREAM s (a INT) WITH ('format' = 'avro')",
      "'format' takes 'json' or 'raw', not 'avro'",
    ],
    [
      "CREATE STREAM s (a INT) WITH ('topic' = 'x', 'topic' = 'y')",
      "option 'topic' is given twice",
    ],
    [
      "CREATE STREAM s (a INT) WITH ('idle-timeout' = 'soon')",
      "'idle-timeout' takes a length of time",
    ],
    [
      "CREATE STREAM s (a INT) WITH ('scan.startup.mode' = 'timestamp')",
      "needs 'scan.startup.timestamp-millis'",
    ],
    ["CREATE STREAM s (a INT, b INT) WITH ('format' = 'raw')", "the format 'raw' has one column"],
    ["CREATE STREAM s (a ARRAY<INT>)", "ARRAY types are not supported yet"],
    ["CREATE STREAM s (a DECIMAL(40, 2))", "DECIMAL(p, s) has 1 to 38 digits"],
    ["CREATE STREAM s (o INT METADATA FROM 'ofset')", "there is no metadata 'ofset'"],
    [
      "CREATE STREAM s (o STRING METADATA FROM 'offset')",
      "metadata 'offset' does not come as STRING",
    ],
    ["CREATE STREAM s (a INT, b AS c + 1)", 'there is no column "c"'],
    ["CREATE STREAM s (a INT, b AS SUM(a))", "SUM is not allowed in a computed column"],
    ["CREATE STREAM s (a INT, WATERMARK FOR b AS b)", 'there is no column "b"'],
    ["CREATE STREAM s (a INT, WATERMARK FOR a AS a)", "an event time is a TIMESTAMP(3)"],
    [
      "CREATE STREAM s (t TIMESTAMP(3), WATERMARK FOR t AS t + INTERVAL '1' SECOND)",
      "a watermark is the column, or the column - INTERVAL",
    ],
    [
      "CREATE STREAM s (t TIMESTAMP(3), u TIMESTAMP(3), WATERMARK FOR t AS u)",
      "a watermark is the column",
    ],
    ["CREATE STREAM s (a INT, PRIMARY KEY (b) NOT ENFORCED)", 'there is no column "b"'],
  ];
  for (const [sql, complaint] of complaints) {
    test(sql, () => {
      expect(catalog.complaint(sql)).toContain(complaint);
    });
  }
});

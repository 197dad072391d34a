import { expect, test } from "bun:test";
import { parseStatement } from "../../../../src/sql/syntax/parse-statement.ts";

test("CREATE STREAM takes columns of each kind", () => {
  const text = `CREATE STREAM IF NOT EXISTS s (
    a INT NOT NULL COMMENT 'x',
    p INT METADATA FROM 'partition' VIRTUAL,
    o BIGINT METADATA,
    c AS a + 1,
    WATERMARK FOR r.ts AS r.ts - INTERVAL '4' SECOND,
    PRIMARY KEY (a, o) NOT ENFORCED
  ) WITH ('topic' = 's')`;
  expect(parseStatement(text)).toMatchObject({
    kind: "createTable",
    noun: "stream",
    ifNotExists: true,
    columns: [
      { kind: "physical", type: { name: "INT", isNullable: false }, comment: "x" },
      { kind: "metadata", from: { value: "partition" }, isVirtual: true },
      { kind: "metadata", from: null, isVirtual: false },
      { kind: "computed", expression: { kind: "binary" } },
    ],
    watermark: { column: { parts: [{ text: "r" }, { text: "ts" }] } },
    primaryKey: { columns: [{ text: "a" }, { text: "o" }] },
    options: [{ key: { value: "topic" }, value: { value: "s" } }],
  });
});

test("columns and options may be left out", () => {
  const fields = { columns: [], options: [], primaryKey: null, watermark: null };
  expect(parseStatement("CREATE TABLE t")).toMatchObject({ noun: "table", ...fields });
});

test("a key at its column is the table's key", () => {
  expect(parseStatement("CREATE TABLE t (a INT, b INT PRIMARY KEY NOT ENFORCED)")).toMatchObject({
    primaryKey: { columns: [{ text: "b" }] },
  });
});

test("columns may be called watermark, primary, metadata and if", () => {
  const text =
    "CREATE TABLE if (watermark INT, primary INT, metadata INT METADATA, comment STRING)";
  expect(parseStatement(text)).toMatchObject({ ifNotExists: false, columns: [{}, {}, {}, {}] });
});

test("CREATE MATERIALIZED VIEW takes options, a key and EMIT", () => {
  const text =
    "CREATE MATERIALIZED VIEW v (a, b, PRIMARY KEY (a) NOT ENFORCED) WITH ('x' = 'y') AS " +
    "SELECT 1, 2 EMIT CHANGES";
  expect(parseStatement(text)).toMatchObject({
    kind: "createMaterializedView",
    columns: [{ text: "a" }, { text: "b" }],
    primaryKey: { columns: [{ text: "a" }] },
    options: [{ key: { value: "x" } }],
    query: { emit: { mode: "changes" } },
  });
});

test.each([
  [
    "CREATE TABLE t (a INT PRIMARY KEY NOT ENFORCED, PRIMARY KEY (a) NOT ENFORCED)",
    "one PRIMARY KEY",
  ],
  ["CREATE TABLE t (WATERMARK FOR a AS a, WATERMARK FOR b AS b)", "one WATERMARK"],
  ["CREATE TABLE t (a INT DEFAULT 1)", "DEFAULT is not supported"],
  ["CREATE TABLE t (a INT) LIKE u", "LIKE is not supported"],
  ["CREATE TABLE t (a INT) PARTITIONED BY (a)", "PARTITIONED BY is not supported"],
])("%s is refused", (text, message) => {
  expect(() => parseStatement(text)).toThrow(message);
});

import { expect, test } from "bun:test";
import { formatExpression, formatStatement } from "../../../../src/sql/syntax/format-statement.ts";
import { parseExpression, parseStatement } from "../../../../src/sql/syntax/parse-statement.ts";

test.each([
  ["((a+b)*(c))", "(a + b) * c"],
  ["a-(b-c)", "a - (b - c)"],
  ["(a-b)-c", "a - b - c"],
  ["- -a", "- -a"],
  ["not (a and b)", "NOT (a AND b)"],
  ["(not a) = b", "(NOT a) = b"],
  ["a != all_of", "a <> all_of"],
  ['"a".b', "`a`.b"],
  ["interval '10 seconds'", "INTERVAL '10' SECOND"],
  ["substring(s from 1)", "substring(s, 1)"],
  ["extract(day from ts)", "extract(DAY FROM ts)"],
  ["(a).b", "(a).b"],
  ["(select 1)", "(SELECT 1)"],
])("formatExpression writes %s as %s", (text, written) => {
  expect(formatExpression(parseExpression(text))).toBe(written);
});

test.each([
  [
    "select a x from t, (b join c using (d)) where e order by 1 desc limit 2 emit changes",
    "SELECT a AS x FROM t CROSS JOIN (b INNER JOIN c USING (d)) WHERE e ORDER BY 1 DESC LIMIT 2 EMIT CHANGES",
  ],
  [
    "select * from tumble(bids, ts, interval '1' hour) w",
    "SELECT * FROM TABLE(tumble(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' HOUR)) AS w",
  ],
  ["create temporary view v as values 1", "CREATE TEMPORARY VIEW v AS VALUES (1)"],
  ["drop stream if exists s", "DROP STREAM IF EXISTS s"],
  ["set 'it''s' = 'b'", "SET 'it''s' = 'b'"],
  ["desc t", "DESCRIBE t"],
])("formatStatement writes %s as it is meant", (text, written) => {
  expect(formatStatement(parseStatement(text))).toBe(written);
});

test("a table is written one column a line", () => {
  const text = "create table t (a int, watermark for ts as ts) with ('k' = 'v')";
  expect(formatStatement(parseStatement(text))).toBe(
    "CREATE TABLE t (\n  a INT,\n  WATERMARK FOR ts AS ts\n) WITH (\n  'k' = 'v'\n)",
  );
});

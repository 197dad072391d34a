import { expect, test } from "bun:test";
import { parseExpression } from "../../../../src/sql/syntax/parse-statement.ts";
import { SqlError } from "../../../../src/sql/syntax/sql-error.ts";

test.each<[string, object]>([
  ["DATE '1970-01-01'", { type: "date", value: 0 }],
  ["DATE '1969-12-31'", { type: "date", value: -1 }],
  ["DATE '0001-01-01'", { type: "date", value: -719_162 }],
  ["DATE '9999-12-31'", { type: "date", value: 2_932_896 }],
  ["DATE '2024-2-29'", { type: "date", value: 19_782 }],
  ["TIME '23:59:59.5'", { type: "time", value: 86_399_500, fractionDigits: 1 }],
  ["TIMESTAMP '1970-01-02 00:00:01.002'", { value: 86_401_002, fractionDigits: 3 }],
  ["TIMESTAMP '1969-12-31 23:59:59.999'", { value: -1, fractionDigits: 3 }],
  ["TIMESTAMP '1970-01-02'", { value: 86_400_000, fractionDigits: 0 }],
])("%s", (text, fields) => {
  expect(parseExpression(text)).toMatchObject({ kind: "datetime", ...fields });
});

test.each<[string, string, number, string, string | null]>([
  ["INTERVAL '10' SECOND", "10", 10_000, "SECOND", null],
  ["INTERVAL '10 seconds'", "10", 10_000, "SECOND", null],
  ["INTERVAL '0.25' SECONDS", "0.25", 250, "SECOND", null],
  ["INTERVAL -'3' DAY", "3", -259_200_000, "DAY", null],
  ["INTERVAL -'-3' DAY", "3", 259_200_000, "DAY", null],
  ["INTERVAL '1' QUARTER", "1", 3, "QUARTER", null],
  ["INTERVAL '2' YEARS", "2", 24, "YEAR", null],
  ["INTERVAL '1-2' YEAR TO MONTH", "1-2", 14, "YEAR", "MONTH"],
  ["INTERVAL '1 10:00:00.5' DAY TO SECOND(3)", "1 10:00:00.5", 122_400_500, "DAY", "SECOND"],
  ["INTERVAL '20:30.001' MINUTE TO SECOND", "20:30.001", 1_230_001, "MINUTE", "SECOND"],
])("%s", (text, written, value, from, to) => {
  const isNegative = value < 0;
  const fields = { kind: "interval", text: written, value, from, to, isNegative };
  expect(parseExpression(text)).toMatchObject(fields);
});

test.each([
  "DATE '2023-02-29'",
  "DATE '2023-13-01'",
  "DATE '0000-01-01'",
  "DATE '10000-01-01'",
  "TIME '24:00:00'",
  "TIME '10:00'",
  "TIMESTAMP '2023-01-01 10:00:60'",
  "TIMESTAMP '2023-01-01 10:00:00.1234567890'",
  "INTERVAL '1' DAY TO SECOND",
  "INTERVAL '1.5' DAY",
  "INTERVAL '1-12' YEAR TO MONTH",
  "INTERVAL '0.0001' SECOND",
  "INTERVAL '99999999999999999' DAY",
  "INTERVAL 10 SECOND",
  "INTERVAL '10'",
  "INTERVAL '' SECOND",
])("%s is refused", (text) => {
  expect(() => parseExpression(text)).toThrow(SqlError);
});

test("date, time, timestamp and interval are names too", () => {
  for (const text of ["date", "time + 1", "timestamp", "interval", "a.date"]) {
    expect(JSON.stringify(parseExpression(text))).toContain('"kind":"name"');
  }
});

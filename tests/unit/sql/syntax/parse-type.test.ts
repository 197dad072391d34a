import { expect, test } from "bun:test";
import { typeText } from "../../../../src/sql/syntax/format-parts.ts";
import { parseExpression } from "../../../../src/sql/syntax/parse-statement.ts";

function typeOf(text: string) {
  const tree = parseExpression(`CAST(a AS ${text})`);
  if (tree.kind !== "cast") throw new Error("not a cast");
  return tree.type;
}

test.each([
  ["INTEGER", "INT"],
  ["NUMERIC(10)", "DECIMAL(10)"],
  ["DEC(38, 18)", "DECIMAL(38, 18)"],
  ["DOUBLE PRECISION", "DOUBLE"],
  ["REAL", "FLOAT"],
  ["CHARACTER VARYING(3)", "VARCHAR(3)"],
  ["BINARY VARYING(3)", "VARBINARY(3)"],
  ["TIMESTAMP(3) WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(3)"],
  ["TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP"],
  ["INTERVAL DAY(2) TO SECOND(3)", "INTERVAL DAY TO SECOND"],
  ["INT ARRAY NOT NULL", "ARRAY<INT> NOT NULL"],
  ["INT NOT NULL ARRAY", "ARRAY<INT NOT NULL>"],
  ["INT NULL", "INT"],
  ["ROW(a INT, `b c` ROW<d STRING>)", "ROW<a INT, `b c` ROW<d STRING>>"],
  ["MAP<STRING, MULTISET<INT>>", "MAP<STRING, MULTISET<INT>>"],
])("%s is %s", (text, written) => {
  expect(typeText(typeOf(text))).toBe(written);
});

test.each([
  ["STRNG", "Did you mean STRING?"],
  ["timestamptz", "Did you mean TIMESTAMP_LTZ(3)?"],
  ["VARIANT", "the type VARIANT is not supported"],
  ["TIMESTAMP WITH TIME ZONE", "write TIMESTAMP_LTZ(3)"],
  ["INTERVAL DAY TO YEAR", "DAY TO YEAR is no interval"],
  ["ROW<>", "a ROW without fields"],
  ["VARCHAR(99999999999)", "at most 2147483647 is taken"],
  ["INT(3)", "expected )"],
])("%s is refused", (text, message) => {
  expect(() => typeOf(text)).toThrow(message);
});

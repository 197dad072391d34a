import { expect, test } from "bun:test";
import { isStreamError } from "../../../../src/base/stream-error.ts";
import { placeOf, SqlError } from "../../../../src/sql/syntax/sql-error.ts";

const text = "SELECT a\nFROM bidz";
const error = new SqlError({
  code: "sql_invalid",
  text,
  at: { start: 14, end: 18 },
  problem: "there is no table bidz",
  suggestion: "bids",
});

test("SqlError is a StreamError that says where and what", () => {
  expect(isStreamError(error, "sql_invalid")).toBeTrue();
  expect(error.kind).toBe("invalid");
  expect(error.retriable).toBeFalse();
  expect(error.message).toBe(
    "Cannot run SQL at line 2, column 6: there is no table bidz. Did you mean bids?",
  );
  expect(error.details).toEqual({ line: 2, column: 6, start: 14, end: 18, suggestion: "bids" });
});

test("within moves the place into a longer text", () => {
  const script = `SELECT 1;\n\n${text}`;
  const moved = error.within(script, 11);
  expect(moved).toMatchObject({ line: 4, column: 6, at: { start: 25, end: 29 } });
  expect(script.slice(moved.at.start, moved.at.end)).toBe("bidz");
});

test("placeOf counts a surrogate pair as one column", () => {
  expect(placeOf("a\n\u{1F600}b", 4)).toEqual({ line: 2, column: 2 });
});

import { expect, test } from "bun:test";
import { quoteName } from "../../../../src/sql/sqlite/quote.ts";

test("a name's own quotes are doubled", () => {
  expect(quoteName('a "b"')).toBe('"a ""b"""');
});

import { expect, test } from "bun:test";
import { formatReal } from "../../../../src/sql/sqlite/real-text.ts";

test("a FLOAT has the fewest digits that tell it from its neighbours", () => {
  const floats = [0.1, 1 / 3, 16_777_216, 3.4028235e38, 1.401298464324817e-45, 123456.79];
  const texts = ["0.1", "0.33333334", "16777216", "3.4028235e+38", "1e-45", "123456.79"];
  expect(floats.map((each) => formatReal(Math.fround(each), true))).toEqual(texts);
});

test("a DOUBLE has JavaScript's text", () => {
  expect([1 / 3, 1e21, 5e-324].map((each) => formatReal(each, false))).toEqual([
    "0.3333333333333333",
    "1e+21",
    "5e-324",
  ]);
});

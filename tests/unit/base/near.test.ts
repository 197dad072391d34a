import { expect, test } from "bun:test";
import { nearest, slipsBetween } from "../../../src/base/near.ts";

test.each([
  ["FORM", "FROM", 1],
  ["SELCT", "SELECT", 1],
  ["", "ABC", 3],
  ["KITTEN", "SITTING", 3],
  ["SAME", "SAME", 0],
])("slipsBetween %s and %s", (left, right, slips) => {
  expect(slipsBetween(left, right)).toBe(slips);
  expect(slipsBetween(right, left)).toBe(slips);
});

test("nearest takes one slip in a short word and two in a longer one", () => {
  expect(nearest("biders", ["price", "bidder", "bidders"])).toBe("bidders");
  expect(nearest("frm", ["FROM"])).toBe("FROM");
  expect(nearest("frxx", ["FROM"])).toBeNull();
  expect(nearest("auctoins", ["auction"])).toBe("auction");
});

test("nearest finds nothing for words of two letters and for endless ones", () => {
  expect(nearest("ts", ["AS"])).toBeNull();
  expect(nearest("x".repeat(100), ["x".repeat(100)])).toBeNull();
});

test("of equally near names nearest takes the first", () => {
  expect(nearest("prie", ["price", "pride"])).toBe("price");
});

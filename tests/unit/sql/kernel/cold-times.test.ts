import { expect, test } from "bun:test";
import { partLimits } from "../../../../src/sql/kernel/cold-times.ts";

test("partLimits has a part looked for among no more rows than fit into it, and one at least", () => {
  const rowsOf = (bytesMax: number) => partLimits({ rowsMax: 4096, bytesMax }).rowsMax;
  expect(rowsOf(0)).toBe(1);
  expect(rowsOf(8192)).toBe(257);
  expect(rowsOf(2 ** 30)).toBe(4096);
});

import { describe, expect, test } from "bun:test";
import { figureTable, verdict } from "../../../../bench/support/figures.ts";

describe("figures", () => {
  test("a goal is met at its limit", () => {
    expect(verdict(5, { atLeast: 5 })).toBe("goal met");
    expect(verdict(5, { atMost: 5 })).toBe("goal met");
  });

  test("a missed goal tells by what part of the goal", () => {
    expect(verdict(0.9, { atLeast: 1.2 })).toBe("missed by 25 %");
    expect(verdict(6, { atMost: 5 })).toBe("missed by 20 %");
  });

  test("a figure without a goal has no verdict", () => {
    const table = figureTable([{ what: "reading", value: 12.34, unit: "MB/s" }]);
    expect(table).toContain("reading");
    expect(table).toContain("12.3  MB/s");
    expect(table).not.toMatch(/met|missed/);
  });
});

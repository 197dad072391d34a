import { describe, expect, test } from "bun:test";
import { planFromText, planToText } from "../../../../src/sql/plan/plan-text.ts";

describe("plan text", () => {
  test("keeps 64-bit integers, bytes, numbers and texts apart", () => {
    const literals = [9_007_199_254_740_993n, -1n, 1.5, "1", new Uint8Array([0, 255]), null, true];
    const plan = { root: { literals }, text: "SELECT 1", timeZone: "UTC" };
    expect(planFromText(planToText(plan)) as unknown).toEqual(plan);
  });
});

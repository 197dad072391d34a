import { describe, expect, test } from "bun:test";
import { mayPassInR2 } from "../../../src/store/r2-failures.ts";

describe("mayPassInR2", () => {
  for (const [message, expected] of [
    ["put: Reduce your rate of simultaneous writes to the same object. (10058)", true],
    ["get: We encountered an internal error. Please try again. (10001)", true],
    ["Network connection lost.", true],
    ["put: Your metadata headers exceed the maximum allowed metadata size. (10012)", false],
    ["head: The specified bucket does not exist. (10006)", false],
    ["put: (10012) bytes were refused", true],
  ] as const) {
    test(`${expected ? "tries again" : "gives up"} after "${message}"`, () => {
      expect(mayPassInR2(new Error(message))).toBe(expected);
    });
  }
});

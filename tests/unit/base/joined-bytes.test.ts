import { expect, test } from "bun:test";
import { joinedBytes } from "../../../src/base/joined-bytes.ts";

test("joinedBytes puts parts end to end, views and empty ones too", () => {
  const bytes = Uint8Array.of(9, 1, 2, 3, 9);
  const parts = [bytes.subarray(1, 3), new Uint8Array(0), bytes.subarray(3, 4)];
  expect([...joinedBytes(parts)]).toEqual([1, 2, 3]);
  expect(joinedBytes([])).toHaveLength(0);
});

test("joinedBytes copies, a single part too", () => {
  const part = Uint8Array.of(1, 2);
  const whole = joinedBytes([part]);
  part.fill(9);
  expect([...whole]).toEqual([1, 2]);
});

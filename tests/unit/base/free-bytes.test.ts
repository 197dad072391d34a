import { expect, test } from "bun:test";
import { freeBytes } from "../../../src/base/free-bytes.ts";

test("freeBytes detaches a large buffer that is one view's alone", () => {
  const bytes = new Uint8Array(100_000);
  freeBytes(bytes);
  expect(bytes.length).toBe(0);
});

test("freeBytes leaves what others may have a view of", () => {
  const whole = new Uint8Array(200_000).fill(7);
  freeBytes(whole.subarray(1));
  freeBytes(whole.subarray(0, 100_000));
  expect(whole.every((byte) => byte === 7)).toBe(true);
  expect(whole.length).toBe(200_000);
});

test("freeBytes leaves small ones, and memory that is shared", () => {
  const small = new Uint8Array(1_000);
  const shared = new Uint8Array(new SharedArrayBuffer(100_000));
  freeBytes(small);
  freeBytes(shared);
  expect(small.length).toBe(1_000);
  expect(shared.length).toBe(100_000);
});

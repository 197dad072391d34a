import { expect, test } from "bun:test";
import { PlacePace, sliceBytes } from "../../../src/pipeline/place-pace.ts";

const mebibyte = 1024 * 1024;

function bytesAfter(pace: PlacePace, slices: number, tookMs: number, isHeavy = false): number {
  for (let count = 0; count < slices; count++) pace.note(tookMs, isHeavy);
  return pace.bytes;
}

test("slices grow while they are done soon and give little, up to a bound", () => {
  const pace = new PlacePace(256 * mebibyte);
  expect(pace.bytes).toBe(sliceBytes);
  expect(bytesAfter(pace, 1, 5)).toBe(2 * sliceBytes);
  expect(bytesAfter(pace, 10, 5)).toBe(28 * mebibyte);
  expect(bytesAfter(pace, 10, 60)).toBe(28 * mebibyte);
});

test("they shrink where they take long, and never below the first", () => {
  const pace = new PlacePace(256 * mebibyte);
  bytesAfter(pace, 10, 5);
  expect(bytesAfter(pace, 1, 200)).toBe(14 * mebibyte);
  expect(bytesAfter(pace, 10, 200)).toBe(sliceBytes);
});

test("there are no places while much comes of them", () => {
  const pace = new PlacePace(256 * mebibyte);
  bytesAfter(pace, 10, 5);
  expect(bytesAfter(pace, 2, 5, true)).toBe(0);
  expect(bytesAfter(pace, 1, 5)).toBe(sliceBytes);
});

test("a task with little memory gets what it got at first", () => {
  expect(bytesAfter(new PlacePace(8 * mebibyte), 10, 5)).toBe(sliceBytes);
  expect(bytesAfter(new PlacePace(64 * mebibyte), 10, 5)).toBe(8 * mebibyte);
});

import { expect, test } from "bun:test";
import { isSameSecret } from "../../../src/base/same-secret.ts";

test("isSameSecret takes the secret alone", () => {
  for (const secret of ["s", "secret", "gehëim", "\u{1f511}"]) {
    expect(isSameSecret(secret, secret)).toBe(true);
    for (const other of [
      "",
      secret.slice(1),
      `${secret}x`,
      `x${secret}`,
      `${secret.slice(0, -1)}~`,
    ]) {
      expect(isSameSecret(other, secret)).toBe(false);
    }
  }
  // What is beyond the end of one of them counts as 0, and the lengths tell.
  expect(isSameSecret("a", "a\0")).toBe(false);
  expect(isSameSecret("a\0", "a")).toBe(false);
});

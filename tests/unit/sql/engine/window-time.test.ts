import { describe, expect, test } from "bun:test";
import { lastMomentOf } from "../../../../src/sql/engine/window-time.ts";

const berlin = (wall: string) =>
  new Date(lastMomentOf("Europe/Berlin", Date.parse(`${wall}Z`))).toISOString().slice(0, 16);

describe("lastMomentOf", () => {
  test("is the instant itself without a zone", () => {
    expect(lastMomentOf(null, 12_345)).toBe(12_345);
  });

  test("follows the clock on the wall before and after it changes", () => {
    expect(berlin("2026-10-25T00:00")).toBe("2026-10-24T22:00");
    expect(berlin("2026-10-26T00:00")).toBe("2026-10-25T23:00");
    expect(berlin("2026-03-29T00:00")).toBe("2026-03-28T23:00");
    expect(berlin("2026-03-30T00:00")).toBe("2026-03-29T22:00");
  });

  test("is the later one of a time that is shown twice", () => {
    expect(berlin("2026-10-25T02:30")).toBe("2026-10-25T01:30");
  });

  test("moves a time that the clock jumps over on by the jump", () => {
    expect(berlin("2026-03-29T02:30")).toBe("2026-03-29T01:30");
  });
});

import { describe, expect, test } from "bun:test";
import {
  formatTime,
  formatTimestamp,
  isTimestampInRange,
  parseDate,
  parseTime,
  parseTimestamp,
  timestampMax,
  timestampMin,
} from "../../../../src/sql/types/time-text.ts";

describe("texts of times", () => {
  test("a timestamp is read with a blank or a T, with fewer or more digits", () => {
    const wallMs = Date.UTC(2026, 0, 1, 0, 0, 10, 120);
    for (const text of [
      "2026-01-01 00:00:10.12",
      "2026-01-01T00:00:10.120999",
      " 2026-1-1 0:0:10.12 ",
    ]) {
      expect(parseTimestamp(text)).toEqual({ wallMs, offsetMs: null });
    }
    expect(parseTimestamp("2026-01-01")).toEqual({ wallMs: Date.UTC(2026, 0, 1), offsetMs: null });
  });

  test("an offset is kept apart", () => {
    expect(parseTimestamp("2026-01-01T00:00:00+02:30")?.offsetMs).toBe(9_000_000);
    expect(parseTimestamp("2026-01-01T00:00:00Z")?.offsetMs).toBe(0);
  });

  test("what is no time is null", () => {
    for (const text of ["", "2026", "2026-02-30", "2026-01-01 24:00:00", "2026-01-01 00:60", "x"]) {
      expect(parseTimestamp(text)).toBeNull();
    }
    expect(parseDate("0000-01-01")).toBeNull();
    expect(parseTime("12:30:61")).toBeNull();
  });

  test("what is written is read back, at both ends of the years too", () => {
    for (const value of [timestampMin, -1, 0, 1_767_225_610_001, timestampMax]) {
      expect(parseTimestamp(formatTimestamp(value))?.wallMs).toBe(value);
    }
    expect(formatTimestamp(timestampMax)).toBe("9999-12-31 23:59:59.999");
    expect(formatTimestamp(-1)).toBe("1969-12-31 23:59:59.999");
    expect(isTimestampInRange(timestampMax + 1)).toBe(false);
  });

  test("a time shows its fraction only where it has one", () => {
    expect(formatTime(36_000_000)).toBe("10:00:00");
    expect(formatTime(36_000_005)).toBe("10:00:00.005");
  });
});

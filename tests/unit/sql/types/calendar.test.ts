import { describe, expect, test } from "bun:test";
import {
  addMonths,
  civilOf,
  dayOfYear,
  daysOf,
  isCivilDate,
  isoDayOfWeek,
  isoWeek,
} from "../../../../src/sql/types/calendar.ts";

describe("calendar", () => {
  test("days and dates agree with Date over 400 years and back", () => {
    for (let days = -146_097; days < 146_097; days += 13) {
      const date = new Date(days * 86_400_000);
      const civil = {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
      };
      expect(civilOf(days)).toEqual(civil);
      expect(daysOf(civil)).toBe(days);
      expect(isoDayOfWeek(days)).toBe(date.getUTCDay() === 0 ? 7 : date.getUTCDay());
    }
  });

  test("a date that a month does not have is none", () => {
    expect(isCivilDate({ year: 2024, month: 2, day: 29 })).toBe(true);
    expect(isCivilDate({ year: 1900, month: 2, day: 29 })).toBe(false);
    expect(isCivilDate({ year: 2026, month: 13, day: 1 })).toBe(false);
  });

  test("months are added to the last day that there is", () => {
    const days = daysOf({ year: 2024, month: 1, day: 31 });
    expect(civilOf(addMonths(days, 1))).toEqual({ year: 2024, month: 2, day: 29 });
    expect(civilOf(addMonths(days, -2))).toEqual({ year: 2023, month: 11, day: 30 });
  });

  test("the first days of a year may belong to the last week of the one before", () => {
    const newYear = daysOf({ year: 2027, month: 1, day: 1 });
    expect(isoWeek(newYear)).toEqual({ year: 2026, week: 53 });
    expect(dayOfYear(newYear)).toBe(1);
  });
});

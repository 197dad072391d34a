/** The proleptic Gregorian calendar: what `civilOf` found of a day number since 1970-01-01. */

export let year: i64 = 0;
export let month: u32 = 0;
export let day: u32 = 0;

export const DAY_MS: i64 = 86400000;

export function floorDivide(value: i64, by: i64): i64 {
  const quotient = value / by;
  return value - quotient * by < 0 ? quotient - 1 : quotient;
}

/** Eras of 400 years whose years begin on the first of March. */
export function civilOf(days: i64): void {
  const shifted = days + 719468;
  const era = floorDivide(shifted, 146097);
  const dayOfEra = <u32>(shifted - era * 146097);
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const monthFromMarch = (5 * dayOfYear + 2) / 153;
  day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1;
  month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  year = <i64>yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
}

/** Day number of the first day of a month. */
export function firstOf(atYear: i64, atMonth: u32): i64 {
  const marchYear = atMonth <= 2 ? atYear - 1 : atYear;
  const era = floorDivide(marchYear, 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = (153 * ((atMonth + 9) % 12) + 2) / 5;
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}

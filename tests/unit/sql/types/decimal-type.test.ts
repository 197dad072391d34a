import { describe, expect, test } from "bun:test";
import {
  additionType,
  averageType,
  decimalType,
  divisionType,
  moduloType,
  multiplicationType,
  roundType,
  sumType,
} from "../../../../src/sql/types/decimal-type.ts";

describe("types of exact results", () => {
  test("take the digits that the result needs", () => {
    expect(additionType(decimalType(3, 2), decimalType(4, 3))).toEqual(decimalType(5, 3));
    expect(multiplicationType(decimalType(4, 3), decimalType(19, 0))).toEqual(decimalType(24, 3));
    expect(divisionType(decimalType(2, 1), decimalType(10, 0))).toEqual(decimalType(13, 12));
    expect(moduloType(decimalType(10, 2), decimalType(5, 3))).toEqual(decimalType(5, 3));
  });

  test("of more than 38 digits give up the fraction, down to six", () => {
    const wide = decimalType(38, 10);
    expect(multiplicationType(wide, wide)).toEqual(decimalType(38, 6));
    expect(additionType(wide, decimalType(38, 0))).toEqual(decimalType(38, 6));
  });

  test("of aggregates and of ROUND", () => {
    expect(sumType(decimalType(10, 2))).toEqual(decimalType(38, 2));
    expect(averageType(decimalType(10, 2))).toEqual(decimalType(38, 6));
    expect(roundType(decimalType(4, 3), 2)).toEqual(decimalType(4, 2));
    expect(roundType(decimalType(4, 3), -1)).toEqual(decimalType(2, 0));
    expect(roundType(decimalType(4, 3), 5)).toEqual(decimalType(4, 3));
  });
});

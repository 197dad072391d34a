import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatDouble, formatFloat, parseDouble } from "../../../../src/sql/types/number-text.ts";

describe("texts of floating numbers", () => {
  test("doubles look as Java writes them", () => {
    const cases: readonly (readonly [number, string])[] = [
      [0, "0.0"],
      [-0, "-0.0"],
      [1, "1.0"],
      [123_456.789, "123456.789"],
      [9_999_999, "9999999.0"],
      [1e7, "1.0E7"],
      [1.5e300, "1.5E300"],
      [0.001, "0.001"],
      [0.000_99, "9.9E-4"],
      [-1.25e-7, "-1.25E-7"],
    ];
    for (const [value, text] of cases) expect(formatDouble(value)).toBe(text);
  });

  test("floats have no more digits than they need", () => {
    expect(formatFloat(Math.fround(0.1))).toBe("0.1");
    expect(formatFloat(16_777_216)).toBe("1.6777216E7");
    expect(formatFloat(Math.fround(3.4e38))).toBe("3.4E38");
  });

  test("every number reads back as itself", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(parseDouble(formatDouble(value))).toBe(value);
        const float = Math.fround(value);
        if (Number.isFinite(float))
          expect(Math.fround(parseDouble(formatFloat(float)) ?? 0)).toBe(float);
      }),
    );
  });

  test("what is no finite number is null", () => {
    for (const text of ["", "NaN", "Infinity", "1e999", "0x10", "1 2"]) {
      expect(parseDouble(text)).toBeNull();
    }
    expect(parseDouble(" 1.5d ")).toBe(1.5);
  });
});

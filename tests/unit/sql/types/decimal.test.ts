import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  decodeWide,
  divideHalfUp,
  encodeWide,
  fitsPrecision,
  formatDecimal,
  parseDecimal,
  rescale,
  rescaleDown,
} from "../../../../src/sql/types/decimal.ts";

const wide = fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n });

describe("decimals", () => {
  test("numbers are read in each of their forms, other texts are not", () => {
    expect(parseDecimal("-12.50")).toEqual({ unscaled: -1250n, scale: 2 });
    expect(parseDecimal(".5")).toEqual({ unscaled: 5n, scale: 1 });
    expect(parseDecimal("1.5e2")).toEqual({ unscaled: 150n, scale: 0 });
    expect(parseDecimal("1e-3")).toEqual({ unscaled: 1n, scale: 3 });
    for (const text of ["", ".", "1.2.3", "0x1", "1e", "1e9999", "NaN", " 1"]) {
      expect(parseDecimal(text)).toBeNull();
    }
  });

  test("digits that are lost round half away from zero, or are cut", () => {
    expect([125n, 135n, -125n, -124n].map((each) => rescale(each, 2, 1))).toEqual([
      13n,
      14n,
      -13n,
      -12n,
    ]);
    expect(rescaleDown(-129n, 2, 1)).toBe(-12n);
    expect(rescale(5n, 0, 3)).toBe(5000n);
    expect(divideHalfUp(-7n, 2n)).toBe(-4n);
    expect(divideHalfUp(7n, -3n)).toBe(-2n);
  });

  test("precision counts digits", () => {
    expect(fitsPrecision(-999n, 3)).toBe(true);
    expect(fitsPrecision(1000n, 3)).toBe(false);
  });

  test("what is written is read back", () => {
    fc.assert(
      fc.property(wide, fc.integer({ min: 0, max: 38 }), (unscaled, scale) => {
        expect(parseDecimal(formatDecimal(unscaled, scale))).toEqual({ unscaled, scale });
      }),
    );
  });

  test("the bytes of wide numbers have the numbers' order", () => {
    fc.assert(
      fc.property(wide, wide, (left, right) => {
        expect(decodeWide(encodeWide(left))).toBe(left);
        const order = Buffer.compare(encodeWide(left), encodeWide(right));
        expect(order).toBe(left < right ? -1 : left > right ? 1 : 0);
      }),
    );
  });
});

import { describe, expect, test } from "bun:test";
import { compilePattern } from "../../../../src/sql/functions/regular-expression.ts";
import { RowError } from "../../../../src/sql/functions/row-error.ts";

describe("Java's regular expressions", () => {
  test("mean the same where JavaScript writes them otherwise", () => {
    expect(compilePattern("(?i)abc").test("xABC")).toBe(true);
    expect(compilePattern("\\Qa.b\\E+").test("a.bb")).toBe(true);
    expect(compilePattern("\\Qa.b\\E").test("axb")).toBe(false);
    expect(compilePattern("\\p{Alpha}+").exec("12ab")?.[0]).toBe("ab");
    expect(compilePattern("[\\p{Digit}-]+").exec("a1-2b")?.[0]).toBe("1-2");
    expect(compilePattern("\\Aa.z\\z").test("abz")).toBe(true);
    expect(compilePattern("a{").test("a{")).toBe(true);
    expect(compilePattern("[]a]").test("]")).toBe(true);
    expect(compilePattern("\\-\\'").test("-'")).toBe(true);
  });

  test("are refused where only Java has them", () => {
    for (const pattern of ["a*+", "(?>a)", "[a&&b]", "[a[b]]", "a\\Z", "(?x)a", "("]) {
      expect(() => compilePattern(pattern)).toThrow(RowError);
    }
  });
});

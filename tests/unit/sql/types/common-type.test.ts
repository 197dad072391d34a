import { describe, expect, test } from "bun:test";
import { commonType, isAssignable } from "../../../../src/sql/types/common-type.ts";
import type { DataType } from "../../../../src/sql/types/data-type.ts";
import { decimalType } from "../../../../src/sql/types/decimal-type.ts";
import { showType, stringType } from "../../../../src/sql/types/show-type.ts";

const of = (
  kind: "int" | "bigint" | "double" | "float" | "date" | "timestamp" | "boolean",
): DataType => ({
  kind,
});

function common(left: DataType, right: DataType): string | null {
  const there = commonType(left, right);
  const back = commonType(right, left);
  expect(back === null ? null : showType(back)).toBe(there === null ? null : showType(there));
  return there === null ? null : showType(there);
}

describe("common types", () => {
  test("of numbers", () => {
    expect(common(of("int"), of("bigint"))).toBe("BIGINT");
    expect(common(of("int"), of("float"))).toBe("FLOAT");
    expect(common(decimalType(4, 3), of("float"))).toBe("DOUBLE");
    expect(common(decimalType(4, 3), of("int"))).toBe("DECIMAL(13, 3)");
    expect(common(decimalType(38, 10), decimalType(38, 20))).toBe("DECIMAL(38, 10)");
  });

  test("of texts and times", () => {
    expect(common({ kind: "char", length: 3 }, { kind: "char", length: 5 })).toBe("VARCHAR(5)");
    expect(common({ kind: "char", length: 3 }, stringType)).toBe("STRING");
    expect(common(of("date"), of("timestamp"))).toBe("TIMESTAMP(3)");
  });

  test("there is none of a text and a number", () => {
    expect(common(stringType, of("int"))).toBeNull();
    expect(common(of("boolean"), of("int"))).toBeNull();
  });

  test("a wider value does not go into a narrower place by itself", () => {
    expect(isAssignable(of("int"), of("bigint"))).toBe(true);
    expect(isAssignable(of("bigint"), of("int"))).toBe(false);
    expect(isAssignable(of("double"), of("float"))).toBe(false);
    expect(isAssignable(decimalType(38, 3), decimalType(10, 2))).toBe(true);
    expect(isAssignable(stringType, { kind: "varchar", length: 3 })).toBe(true);
  });
});

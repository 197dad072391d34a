import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import {
  type DecodedColumn,
  describeDecodeError,
  faultCodes,
  faultOf,
} from "../../../../src/sql/kernel/decode-error.ts";
import { jsonTypes } from "../../../../src/sql/kernel/json-layout.ts";

const encoder = new TextEncoder();
const raw = encoder.encode('{"a":{"b":"x"},"c":[1,2,3]}');

function said(
  fault: keyof typeof faultCodes,
  position: number,
  column: DecodedColumn | null,
): string {
  return describeDecodeError({ fault, position }, column, raw);
}

describe("describeDecodeError", () => {
  test("names the value, the type, what was expected, where, and what stands there", () => {
    const price = { path: ["a", "b"], type: { kind: "decimal", precision: 10, scale: 2 } } as const;
    expect(said("badText", 10, price)).toBe(
      'Cannot decode "a.b" as DECIMAL(10, 2): expected a number, at byte 10: ' +
        'found "\\"x\\"},\\"c\\":[1,2,3]}"',
    );
    expect(said("wrongType", 19, { path: ["c"], type: { kind: "timestampLtz" } })).toBe(
      'Cannot decode "c" as TIMESTAMP_LTZ: expected a string like 2026-01-31 23:59:59.999 or ' +
        'epoch milliseconds, at byte 19: found "[1,2,3]}"',
    );
  });

  test("a value on the way that is no object is what is blamed, not a column within it", () => {
    const text = '{"x":{"n":"}{\\""},"r":{"m":{"a":1},"n":[1,2]}}';
    const value = encoder.encode(text);
    const int = { kind: "int" } as const;
    const told = (path: readonly string[], position: number) =>
      describeDecodeError({ fault: "wrongType", position }, { path, type: int }, value);
    const at = text.indexOf("[1,2]");
    expect(told(["r", "n", "a", "b"], at)).toBe(
      `Cannot decode "r.n": expected an object, at byte ${at}: found "[1,2]}}"`,
    );
    expect(told(["r", "n"], at)).toBe(
      `Cannot decode "r.n" as INT: expected a number, at byte ${at}: found "[1,2]}}"`,
    );
  });

  test("a value that is no JSON is told by where it stops to be", () => {
    expect(said("syntax", 20, null)).toBe(
      'Cannot decode the value: it is no JSON: found "1,2,3]}", at byte 20',
    );
    expect(said("tooDeep", 3, null)).toContain("more than 1000 deep");
  });

  test("shows little of a long value", () => {
    const long = encoder.encode(`"${"ü".repeat(5000)}"`);
    const column = { path: ["v"], type: { kind: "int" } } as const;
    const message = describeDecodeError({ fault: "wrongType", position: 0 }, column, long);
    expect(message.length).toBeLessThan(150);
    expect(message).toEndWith('üü"…');
  });
});

test("faults and types have the numbers that the kernel gives them", () => {
  const layout = readFileSync("wasm/sql/parts/json-layout.ts", "utf8");
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  for (const [name, code] of [...Object.entries(faultCodes), ...Object.entries(jsonTypes)]) {
    expect(layout).toContain(`export const ${snake(name)}: u32 = ${code};`);
  }
  expect(faultOf(faultCodes.missing)).toBe("missing");
  expect(() => faultOf(200)).toThrow("200");
});

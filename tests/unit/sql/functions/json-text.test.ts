import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatJson, isJsonText, parseJson } from "../../../../src/sql/functions/json-text.ts";

describe("JSON texts", () => {
  test("numbers stay as they were written", () => {
    const text = '{"a":9007199254740993,"b":[1.50,-0,1e400]}';
    expect(formatJson(parseJson(text))).toBe(text);
  });

  test("of equal keys the last one counts", () => {
    expect(formatJson(parseJson('{"a":1,"b":2,"a":3}'))).toBe('{"b":2,"a":3}');
  });

  test("agree with JSON.parse on what is JSON", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.parse(formatJson(parseJson(text)))).toEqual(JSON.parse(text));
      }),
    );
    const wrong = ["", "{", '{"a"}', "[1,]", "01", "1.", '"\n"', '"\\x"', "nul", "1 2", "\ufeff1"];
    for (const text of wrong) expect(isJsonText(text)).toBe(false);
  });

  test("that nest without end are none", () => {
    expect(isJsonText("[".repeat(100_000))).toBe(false);
    expect(isJsonText("[".repeat(500) + "]".repeat(500))).toBe(true);
  });
});

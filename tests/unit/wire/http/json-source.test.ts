import { describe, expect, test } from "bun:test";
import { isJson, JsonScanner, jsonDepthMax } from "../../../../src/wire/http/json-source.ts";

const utf8 = new TextEncoder();
const text = new TextDecoder();

describe("JsonScanner", () => {
  test("finds the source of a value to the byte, spaces around it left out", () => {
    for (const source of ["1.50e+007", '{ "a" : [ 1 ,2 ] }', '"\\u0041 é"', "-0", "true", "null"]) {
      const scanner = new JsonScanner(utf8.encode(` \t\r\n${source} \n`));
      scanner.skipValue();
      scanner.finish();
      expect(text.decode(scanner.source())).toBe(source);
    }
  });

  test("gives the text of a string, escapes undone", () => {
    const cases = [
      ['"plain é 😀"', "plain é 😀"],
      ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'],
      ['"\\u00e9\\ud83d\\ude00"', "é😀"],
      ['""', ""],
    ] as const;
    for (const [source, expected] of cases) {
      const scanner = new JsonScanner(utf8.encode(source));
      scanner.skipValue();
      expect(scanner.text()).toBe(expected);
      expect(text.decode(scanner.textBytes())).toBe(expected);
    }
  });

  test("refuses a lone surrogate as text: it has no UTF-8", () => {
    const scanner = new JsonScanner(utf8.encode('"a\\ud83d"'));
    scanner.skipValue();
    expect(() => scanner.textBytes()).toThrow("lone surrogates");
  });

  test("names the byte and what was expected there", () => {
    const scanner = new JsonScanner(utf8.encode('{"a" 1}'));
    expect(() => scanner.skipValue()).toThrow("at byte 5: expected ':' after a property name");
  });
});

describe("isJson", () => {
  const no = [
    "", " ", "01", "+1", "1.", ".5", "1e", "0x1", "--1", "NaN", "tru", "nulll", "'a'", '"a', '"\\x"',
    '"\\u12g4"', '"\t"', "[1,]", "[,1]", "[1 2]", '{"a":1,}', "{a:1}", '{"a"}', "[", "{", "]", "1 2",
    "\ufeff1", '{"a":1]', "[1}", "/**/1",
  ]; // biome-ignore format: a list
  test.each(no)("is false for %p, as for JSON.parse", (source) => {
    expect(() => JSON.parse(source)).toThrow();
    expect(isJson(utf8.encode(source))).toBe(false);
  });

  test("is false for bytes that are not UTF-8", () => {
    expect(isJson(new Uint8Array([0x22, 0xff, 0x22]))).toBe(false);
    expect(isJson(new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]))).toBe(false);
  });

  test("is false past the depth allowed, and never overflows the stack", () => {
    const nested = (depth: number) => utf8.encode("[".repeat(depth) + "]".repeat(depth));
    expect(isJson(nested(jsonDepthMax))).toBe(true);
    expect(isJson(nested(jsonDepthMax + 1))).toBe(false);
    expect(isJson(utf8.encode("[".repeat(1_000_000)))).toBe(false);
  });
});

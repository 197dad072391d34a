import { expect, test } from "bun:test";
import { tokenize } from "../../../../src/sql/syntax/lexer.ts";

const shape = (text: string) => tokenize(text).map(({ kind, text: word }) => `${kind}:${word}`);

test("tokenize tells words, names, strings, numbers and symbols", () => {
  expect(shape("SELECT `a``b`, \"c\"\"d\", 'it''s', X'0A', 1.5e-3 <> .5")).toEqual([
    "word:SELECT",
    "quoted:a`b",
    "symbol:,",
    'quoted:c"d',
    "symbol:,",
    "string:it's",
    "symbol:,",
    "binary:0a",
    "symbol:,",
    "number:1.5e-3",
    "symbol:<>",
    "number:.5",
    "end:",
  ]);
});

test("tokenize skips spaces, comments and hints, and keeps places", () => {
  const text = "a -- b\n/* c ; ' */ /*+ OPTIONS('x'='y') */ d";
  expect(shape(text)).toEqual(["word:a", "word:d", "end:"]);
  expect(tokenize(text)[1]).toMatchObject({ start: text.length - 1, end: text.length });
});

test("tokenize takes a comment that ends with the text", () => {
  expect(shape("a --")).toEqual(["word:a", "end:"]);
});

test("tokenize takes the longest symbol", () => {
  expect(shape("a=>b<=c->>d")).toEqual([
    "word:a",
    "symbol:=>",
    "word:b",
    "symbol:<=",
    "word:c",
    "symbol:->>",
    "word:d",
    "end:",
  ]);
});

test.each([
  ["'abc", 0, "this string has no closing '"],
  ["a `b", 2, "this name has no closing `"],
  ["a ``", 2, "a name cannot be empty"],
  ["/* a", 0, "this comment has no closing */"],
  ["12ab c", 0, "12ab is neither a number nor a name"],
  ["X'0'", 0, "a binary string takes pairs of hexadecimal digits: X'0AFF'"],
  ["a \u0000 b", 2, "the character U+0000 has no meaning here"],
  ["\ud800", 0, "the character U+D800 has no meaning here"],
])("tokenize ends %j with what is wrong", (text, start, problem) => {
  const bad = tokenize(text).at(-2);
  expect(bad).toMatchObject({ kind: "bad", start, text: problem });
});

test("words of other scripts are names", () => {
  expect(shape("größe 名前 a$1")).toEqual(["word:größe", "word:名前", "word:a$1", "end:"]);
});

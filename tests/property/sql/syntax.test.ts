/**
 * Text and tree are two forms of one statement: what the formatter writes, the parser reads as it
 * was. And whatever comes in, cut, spliced or made up, is a tree or an SqlError, never another one.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import type { Expression, Query } from "../../../src/sql/syntax/ast.ts";
import { type CatalogNames, complete } from "../../../src/sql/syntax/complete.ts";
import { renderDiagnostic } from "../../../src/sql/syntax/diagnostic.ts";
import { formatExpression, formatQuery } from "../../../src/sql/syntax/format-statement.ts";
import { parseScript, splitScript } from "../../../src/sql/syntax/parse-script.ts";
import { parseExpression, parseStatement } from "../../../src/sql/syntax/parse-statement.ts";
import { SqlError } from "../../../src/sql/syntax/sql-error.ts";
import { nexmarkSchema } from "../../support/nexmark-schema.ts";
import { expression, query } from "../../support/sql-arbitraries.ts";
import { withoutSpans } from "../../support/sql-trees.ts";

const corpus = ["nexmark.sql", "dialect.sql"]
  .map((name) => new URL(`../../golden/fixtures/sql-syntax/${name}`, import.meta.url))
  .map((url) => readFileSync(url, "utf8"));
const statements = [nexmarkSchema, ...corpus].flatMap((text) =>
  splitScript(text).map((piece) => piece.text),
);

test("an expression written and read again is the same", () => {
  fc.assert(
    fc.property(expression, (tree) => {
      const text = formatExpression(tree as unknown as Expression);
      expect(withoutSpans(parseExpression(text))).toEqual(tree);
    }),
    { numRuns: 1000 },
  );
});

test("a query written and read again is the same", () => {
  fc.assert(
    fc.property(query, (tree) => {
      const text = formatQuery(tree as unknown as Query);
      expect(withoutSpans(parseStatement(text))).toEqual({ kind: "query", query: tree });
    }),
    { numRuns: 300 },
  );
});

test("each node's span lies in its parent's", () => {
  for (const text of statements) checkSpans(parseStatement(text), 0, text.length);
});

function checkSpans(tree: unknown, start: number, end: number): void {
  if (typeof tree !== "object" || tree === null) return;
  const isNode = !Array.isArray(tree);
  const at = isNode ? (tree as { at?: { start: number; end: number } }).at : undefined;
  if (at !== undefined) {
    expect(at.start).toBeGreaterThanOrEqual(start);
    expect(at.end).toBeLessThanOrEqual(end);
    expect(at.end).toBeGreaterThanOrEqual(at.start);
  }
  for (const value of Object.values(tree)) checkSpans(value, at?.start ?? start, at?.end ?? end);
}

test("a statement cut after any character is read or refused with a place in it", () => {
  for (const text of statements) {
    for (let length = 0; length < text.length; length++) readOrRefuse(text.slice(0, length));
  }
});

const tokens = statements.join(" ").match(/'[^']*'|[\w`]+|\S/g) ?? [];

test("words of the corpus in any order are read or refused", () => {
  const sentence = fc
    .array(fc.constantFrom(...tokens), { maxLength: 40 })
    .map((words) => words.join(" "));
  const start = fc.constantFrom(
    "",
    "SELECT ",
    "SELECT * FROM ",
    "CREATE TABLE t (",
    "INSERT INTO ",
  );
  fc.assert(
    fc.property(start, sentence, (first, rest) => readOrRefuse(first + rest)),
    { numRuns: 1500 },
  );
});

test("statements with a piece of another in them are read or refused", () => {
  const piece = fc.tuple(fc.constantFrom(...statements), fc.nat(400), fc.nat(60));
  fc.assert(
    fc.property(
      fc.constantFrom(...statements),
      fc.nat(400),
      piece,
      (text, at, [other, from, length]) => {
        const cut = at % (text.length + 1);
        readOrRefuse(text.slice(0, cut) + other.slice(from, from + length) + text.slice(cut));
      },
    ),
    { numRuns: 1500 },
  );
});

test("any text is read or refused", () => {
  const unit = fc.constantFrom("grapheme" as const, "binary" as const, "grapheme-ascii" as const);
  const text = unit.chain((each) => fc.string({ unit: each, maxLength: 60 }));
  fc.assert(fc.property(text, readOrRefuse), { numRuns: 1500 });
});

test("completion finds something or nothing at any place of a statement", () => {
  const names: CatalogNames = {
    tables: () => ["bids"],
    columns: () => ["price"],
    functions: () => ["SUM"],
    queries: () => [],
  };
  let found = 0;
  for (const text of statements) {
    for (let position = 0; position <= text.length; position += 5) {
      const { start, candidates } = complete(text, position, names);
      expect(start).toBeLessThanOrEqual(position);
      if (candidates.length > 0) found++;
    }
  }
  expect(found).toBeGreaterThan(500);
});

function readOrRefuse(text: string): void {
  try {
    parseScript(text);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const { start, end } = error.at;
    expect(start).toBeLessThanOrEqual(end);
    expect(end).toBeLessThanOrEqual(Math.max(text.length, 1));
    expect(renderDiagnostic(text, error)).toContain("^");
  }
}

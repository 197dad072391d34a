/**
 * Statements that must parse (Nexmark's queries, and the dialect clause by clause), and what is said
 * of those that do not. `errors.txt` is to be read by people: a message changed there is a message
 * that users see changed.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { renderDiagnostic } from "../../src/sql/syntax/diagnostic.ts";
import { formatStatement } from "../../src/sql/syntax/format-statement.ts";
import { parseScript } from "../../src/sql/syntax/parse-script.ts";
import { parseStatement } from "../../src/sql/syntax/parse-statement.ts";
import { SqlError } from "../../src/sql/syntax/sql-error.ts";
import { nexmarkSchema } from "../support/nexmark-schema.ts";
import { withoutSpans } from "../support/sql-trees.ts";

function fixture(name: string): string {
  const text = readFileSync(new URL(`fixtures/sql-syntax/${name}`, import.meta.url), "utf8");
  return name === "nexmark.sql" ? `${nexmarkSchema}\n${text}` : text;
}

describe.each(["nexmark.sql", "dialect.sql"])("%s", (name) => {
  const statements = parseScript(fixture(name));

  test("parses, statement by statement", () => {
    expect(statements.length).toBe(name === "nexmark.sql" ? 29 : 94);
  });

  test("each statement's text as it is written again gives the same tree", () => {
    for (const { statement } of statements) {
      const again = parseStatement(formatStatement(statement));
      expect(withoutSpans(again)).toEqual(withoutSpans(statement));
    }
  });
});

/** Blocks of a statement, a line of three dashes, and the message. */
const blocks = fixture("errors.txt")
  .split(/^={5,}\n/m)
  .filter((block) => block.includes("\n---\n"));

describe("errors.txt", () => {
  test("has the messages that it is meant to have", () => {
    expect(blocks.length).toBeGreaterThanOrEqual(40);
  });

  for (const block of blocks) {
    const gap = block.indexOf("\n---\n");
    const text = block.slice(0, gap);
    test(text.replaceAll(/\s+/g, " ").slice(0, 80), () => {
      expect(messageFor(text)).toBe(block.slice(gap + 5).trimEnd());
    });
  }
});

function messageFor(text: string): string {
  try {
    parseScript(text);
  } catch (error) {
    if (error instanceof SqlError) return renderDiagnostic(text, error);
    throw error;
  }
  return "parses";
}

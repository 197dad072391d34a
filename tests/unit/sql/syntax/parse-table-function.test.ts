import { expect, test } from "bun:test";
import { parseStatement } from "../../../../src/sql/syntax/parse-statement.ts";
import { withoutSpans } from "../../../support/sql-trees.ts";

const tree = (text: string) => withoutSpans(parseStatement(`SELECT * FROM ${text}`));

const plain = "TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) AS w";

test.each([
  "TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND) w",
  "TUMBLE(bids, ts, INTERVAL '10 seconds') AS w",
  "TABLE(TUMBLE(bids, DESCRIPTOR(ts), INTERVAL '10' SECONDS)) AS w",
])("%s is the plain form", (text) => {
  expect(tree(text)).toEqual(tree(plain));
});

test("a subquery is a table with or without TABLE", () => {
  const size = "INTERVAL '1' HOUR";
  expect(tree(`HOP((SELECT 1), ts, ${size}, ${size})`)).toEqual(
    tree(`HOP(TABLE (SELECT 1), DESCRIPTOR(ts), ${size}, ${size})`),
  );
});

test("named arguments keep their names", () => {
  const named = "DATA => TABLE bids, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '10' SECOND";
  const text = JSON.stringify(tree(`TUMBLE(${named})`));
  for (const name of ["DATA", "TIMECOL", "SIZE"]) expect(text).toContain(`"text":"${name}"`);
  expect(tree(`TUMBLE(${named})`)).toEqual(tree(`TABLE(TUMBLE(${named}))`));
});

test("SESSION takes one key, or several in parentheses", () => {
  const gap = "INTERVAL '5' MINUTE";
  expect(tree(`SESSION(bids PARTITION BY k, ts, ${gap})`)).toEqual(
    tree(`SESSION(TABLE bids PARTITION BY (k), DESCRIPTOR(ts), ${gap})`),
  );
  expect(JSON.stringify(tree(`SESSION(TABLE b PARTITION BY (k, l), ts, ${gap})`))).toContain('"l"');
});

test("other table functions keep names as expressions", () => {
  expect(JSON.stringify(tree("split(a, b)"))).not.toContain("descriptor");
});

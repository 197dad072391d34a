import { expect, test } from "bun:test";
import { type CatalogNames, complete } from "../../../../src/sql/syntax/complete.ts";

const columns: Record<string, string[]> = { bids: ["price", "order"], auctions: ["id", "seller"] };
const names: CatalogNames = {
  tables: () => ["bids", "auctions", "my table"],
  columns: (tables) => tables.flatMap((table) => columns[table] ?? []),
  functions: () => ["COUNT", "SUM"],
  queries: () => ["q1"],
};

/** `|` is the cursor. */
function candidates(text: string): readonly string[] {
  return complete(text.replace("|", ""), text.indexOf("|"), names).candidates;
}

test.each([
  ["SEL|", ["SELECT"]],
  ["sel|", ["select"]],
  ["SELECT 1; PAU|", ["PAUSE"]],
  ["SELECT pr| FROM bids", ["price"]],
  ["SELECT SU| FROM bids", ["SUM"]],
  ["SELECT * FROM |", ["bids", "auctions", "`my table`", "CUMULATE", "HOP", "SESSION", "TUMBLE"]],
  ["SELECT * FROM bids WH|", ["WHERE"]],
  ["SELECT * FROM bids GROUP |", ["BY"]],
  ["SELECT * FROM bids EMIT |", ["FINAL", "CHANGES", "PERIODIC"]],
  ["SELECT * FROM bids b JOIN auctions AS a ON a.| = 1", ["id", "seller"]],
  ["SELECT * FROM TUMBLE(TABLE bids, DESCRIPTOR(|", ["price", "`order`"]],
  ["CREATE |", ["STREAM", "TABLE", "VIEW", "MATERIALIZED VIEW"]],
  ["CREATE TABLE t (a BI|", ["BIGINT", "BINARY"]],
  ["PAUSE QUERY |", ["q1"]],
])("complete at %s", (text, expected) => {
  expect(candidates(text)).toEqual(expected);
});

test.each(["SELECT 'a|", "SELECT `a|", "SELECT 1 -- a|", "/* a|", "SELECT FROM a |"])(
  "complete has nothing at %s",
  (text) => {
    expect(candidates(text)).toEqual([]);
  },
);

test("complete tells where the word begins that a candidate replaces", () => {
  expect(complete("SELECT pr FROM bids", 9, names).start).toBe(7);
});

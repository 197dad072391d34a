import { describe, expect, test } from "bun:test";
import { TestCatalog } from "../../../support/sql-catalog.ts";

const catalog = new TestCatalog(`
  CREATE STREAM bids (auction BIGINT, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts);
  CREATE TABLE totals (auction BIGINT, n BIGINT, PRIMARY KEY (auction) NOT ENFORCED);
  CREATE TABLE prices (price DECIMAL(10, 2), note VARCHAR(5), at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',
    o BIGINT METADATA FROM 'offset' VIRTUAL, twice AS price * 2, must INT NOT NULL);
  CREATE VIEW v AS SELECT * FROM bids;
`);

describe("INSERT", () => {
  test("brings columns to the target's types and order, and leaves out what is not written", () => {
    const { root } = catalog.plan("INSERT INTO prices (must, price) SELECT price, price FROM bids");
    expect(root.columns.map(({ name }) => name)).toEqual(["price", "note", "at", "must"]);
    expect(root.columns[0]?.type).toEqual({ kind: "decimal", precision: 10, scale: 2 });
    expect(root.kind === "calc" && root.projections.map(({ kind }) => kind)).toEqual([
      "cast",
      "literal",
      "literal",
      "column",
    ]);
  });

  test("takes updating rows where there is a key", () => {
    const sql = "INSERT INTO totals SELECT auction, COUNT(*) FROM bids GROUP BY auction";
    expect(catalog.plan(sql).root).toMatchObject({ changes: "update", key: [0] });
  });

  test("refuses updating rows that would share a key, or have none", () => {
    expect(
      catalog.complaint("INSERT INTO totals SELECT COUNT(*), price FROM bids GROUP BY price"),
    ).toContain('told apart by "n", which is not in the PRIMARY KEY of "totals"');
    expect(
      catalog.complaint(
        "INSERT INTO totals SELECT MAX(auction), COUNT(*) FROM bids GROUP BY price",
      ),
    ).toContain("nothing tells them apart");
  });

  const complaints: readonly (readonly [string, string])[] = [
    [
      "INSERT INTO total SELECT auction, 1 FROM bids",
      'there is no stream or table "total". Did you mean totals?',
    ],
    ["INSERT INTO v SELECT * FROM bids", '"v" is a view: its query alone writes to it'],
    ["INSERT INTO totals SELECT auction FROM bids", '"totals" wants 2 columns, the query has 1'],
    ["INSERT INTO totals (n) SELECT 1, 2 FROM bids", '"totals" wants 1 column, the query has 2'],
    [
      "INSERT INTO totals SELECT auction, CAST(price AS STRING) FROM bids",
      'column 2 is a STRING, which does not go into "n" BIGINT: CAST it',
    ],
    ["INSERT INTO prices (price) VALUES (1)", 'column "must" is NOT NULL: it needs a value'],
    ["INSERT INTO prices (o, must) VALUES (1, 2)", 'there is no column "o" to write'],
    ["INSERT INTO prices (must, must) VALUES (1, 2)", 'column "must" is there twice'],
    [
      "INSERT INTO bids SELECT auction, 1, CAST(NULL AS TIMESTAMP(3)) FROM (SELECT auction, COUNT(*) FROM bids GROUP BY auction)",
      '"bids" needs a PRIMARY KEY',
    ],
    ["INSERT INTO totals VALUES (1, 2), (3)", "this row of VALUES has not 2 values"],
  ];
  for (const [sql, complaint] of complaints) {
    test(sql, () => {
      expect(catalog.complaint(sql)).toContain(complaint);
    });
  }
});

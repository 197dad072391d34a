/** What is wrong or not supported: said by name, at its place. */
import { describe, expect, test } from "bun:test";
import { TestCatalog } from "../../../support/sql-catalog.ts";

const script = `
  CREATE STREAM bids (auction BIGINT, price DECIMAL(10, 2), channel STRING,
    item ROW<name STRING, weight DOUBLE>, ts TIMESTAMP(3), plain TIMESTAMP(3),
    WATERMARK FOR ts AS ts - INTERVAL '5' SECOND);
  CREATE STREAM asks (auction BIGINT, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts);
  CREATE VIEW counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction;
`;
const catalog = new TestCatalog(script);
const windowed = "FROM TUMBLE(bids, ts, INTERVAL '1 minute')";

const complaints: readonly (readonly [sql: string, complaint: string])[] = [
  // Names
  ["SELECT auctoin FROM bids", 'column 8: there is no column "auctoin". Did you mean auction?'],
  [
    "SELECT b.auctoin FROM bids b",
    'column 10: table "b" has no column "auctoin". Did you mean auction?',
  ],
  ["SELECT item.nam FROM bids", 'column 13: the row has no field "nam". Did you mean name?'],
  ["SELECT channel.x FROM bids", 'STRING has no field "x"'],
  ["SELECT * FROM bid", 'column 15: there is no stream, table or view "bid". Did you mean bids?'],
  ["SELECT LOWR(channel) FROM bids", "column 8: there is no function LOWR. Did you mean LOWER?"],
  [
    "SELECT auction FROM bids, asks WHERE auction = 1",
    'column 38: column "auction" is ambiguous: it is in bids, asks',
  ],
  ["SELECT x.* FROM bids", 'there is no table "x"'],
  // Types
  ["SELECT channel + 1 FROM bids", "column 16: + cannot be applied to STRING and INT"],
  [
    "SELECT * FROM bids WHERE auction = 'a'",
    "column 34: = cannot compare BIGINT with CHAR(1): CAST one of them",
  ],
  ["SELECT * FROM bids WHERE auction", "column 26: WHERE takes a BOOLEAN, not BIGINT"],
  ["SELECT * FROM bids WHERE ts > 'soon'", "cannot cast 'soon' to TIMESTAMP(3)"],
  ["SELECT ts - plain FROM bids", "times cannot be subtracted: use TIMESTAMPDIFF"],
  [
    "SELECT CASE WHEN TRUE THEN 1 ELSE 'a' END FROM bids",
    "the branches of CASE have no common type: INT, CHAR(1)",
  ],
  ["SELECT UPPER(auction) FROM bids", "column 14: UPPER takes a STRING as argument 1, not BIGINT"],
  ["SELECT SPLIT_INDEX(channel, '/') FROM bids", "SPLIT_INDEX takes 3 arguments, not 2"],
  [
    "SELECT CAST(auction AS TIMESTAMP(3)) FROM bids",
    "cannot cast BIGINT to TIMESTAMP(3): use TO_TIMESTAMP_LTZ",
  ],
  ["SELECT CAST('x' AS INT) FROM bids", "cannot cast 'x' to INT"],
  ["SELECT 99999999999999999999999999999999999999999 FROM bids", "more than 38 digits"],
  [
    "SELECT CAST(ts AS TIMESTAMP(6)) FROM bids",
    "TIMESTAMP(6) is not supported: times are kept in milliseconds",
  ],
  // Groups
  [
    "SELECT channel, COUNT(*) FROM bids GROUP BY auction",
    'column 8: column "channel" must be in GROUP BY',
  ],
  ["SELECT COUNT(*) FROM bids WHERE COUNT(*) > 1", "column 33: COUNT is not allowed in WHERE"],
  ["SELECT SUM(MAX(price)) FROM bids", "column 12: MAX is not allowed in an aggregate"],
  ["SELECT SUM(channel) FROM bids", "SUM takes a number, not STRING"],
  ["SELECT auction FROM bids GROUP BY 1", "GROUP BY takes expressions over columns"],
  ["SELECT UPPER(DISTINCT channel) FROM bids", "UPPER is no aggregate"],
  ["SELECT LISTAGG(channel) FROM bids", "LISTAGG is not supported yet"],
  ["SELECT auction FROM bids GROUP BY ROLLUP (auction)", "ROLLUP is not supported yet"],
  [
    "SELECT auction, SUM(price) OVER (ORDER BY ts) FROM bids",
    "OVER windows are not supported yet: SUM … OVER",
  ],
  // Windows
  [
    "SELECT * FROM TUMBLE(bids, plain, INTERVAL '1' MINUTE)",
    'column "plain" is no time attribute: declare WATERMARK',
  ],
  [
    "SELECT * FROM TUMBLE(bids, auction, INTERVAL '1' MINUTE)",
    "it is a BIGINT: a time column is a TIMESTAMP(3)",
  ],
  [
    "SELECT * FROM HOP(bids, ts, INTERVAL '4' MINUTE, INTERVAL '10' MINUTE)",
    "the SIZE must be a multiple of the SLIDE",
  ],
  ["SELECT * FROM TUMBLE(bids, ts, INTERVAL '1' MONTH)", "windows have a fixed length"],
  ["SELECT * FROM TUMBLE(bids, ts, INTERVAL '0' MINUTE)", "the SIZE must be longer than nothing"],
  [
    "SELECT * FROM TUMBLE(TABLE bids PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '1' MINUTE)",
    "PARTITION BY is for SESSION",
  ],
  [
    "SELECT auction FROM bids GROUP BY auction, TUMBLE(ts, INTERVAL '1' MINUTE)",
    "group windows are not supported: write FROM TUMBLE",
  ],
  [
    "SELECT HOP_END(ts, INTERVAL '1' MINUTE, INTERVAL '2' MINUTE) FROM bids",
    "write FROM HOP(TABLE t, DESCRIPTOR(ts), slide, size) with GROUP BY window_start, window_end, and select window_end",
  ],
  ["SELECT CARDINALITY(auction) FROM bids", "CARDINALITY is not supported yet"],
  ["SELECT FORM bids", 'there is no column "FORM" without a FROM'],
  [
    `SELECT ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY ts) AS n ${windowed}`,
    "ROW_NUMBER() needs a bound in the query around it",
  ],
  [
    "SELECT * FROM (SELECT auction, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY ts) AS n FROM bids) WHERE n <= 1",
    "Top-N outside windows is not supported yet",
  ],
  [
    "SELECT * FROM TUMBLE(counts, n, INTERVAL '1' MINUTE)",
    "windows over an updating table are not supported yet",
  ],
  [
    `SELECT * FROM TUMBLE(TABLE (SELECT * FROM (SELECT *, ROW_NUMBER() OVER
      (PARTITION BY window_start, window_end ORDER BY price) AS n ${windowed}) WHERE n <= 1),
      DESCRIPTOR(ts), INTERVAL '1' HOUR)`,
    'its rows come when their window closes, behind the times of "ts": use window_time',
  ],
  [
    `SELECT a.price FROM asks a JOIN (SELECT b.price, b.ts ${windowed} b
      WHERE b.price IN (SELECT price FROM TUMBLE(bids, ts, INTERVAL '1 minute') c
        WHERE b.window_start = c.window_start AND b.window_end = c.window_end)) b
      ON a.ts BETWEEN b.ts AND b.ts + INTERVAL '1' MINUTE`,
    "joins without a bound are not supported yet",
  ],
  // Joins
  [
    "SELECT b.auction FROM bids b JOIN asks a ON b.auction = a.auction",
    "joins without a bound are not supported yet",
  ],
  [
    "SELECT b.auction FROM bids b JOIN asks a ON b.auction = a.auction AND b.ts > a.ts",
    "joins without a bound",
  ],
  [
    "SELECT b.auction FROM bids b JOIN counts c ON b.auction = c.auction",
    "a join over updating rows is not supported yet",
  ],
  ["SELECT * FROM bids NATURAL JOIN asks", "NATURAL JOIN is not supported"],
  // The rest of what there is not
  [
    "SELECT * FROM bids WHERE auction IN (SELECT auction FROM asks)",
    "column 26: IN and EXISTS are supported over the same windows on both sides",
  ],
  [
    `SELECT * ${windowed} b WHERE EXISTS (SELECT 1 FROM TUMBLE(asks, ts, INTERVAL '2 minutes') a
      WHERE a.window_start = b.window_start AND a.window_end = b.window_end)`,
    "IN and EXISTS are supported over the same windows on both sides",
  ],
  [
    "SELECT * FROM bids b WHERE b.price > 1 OR NOT EXISTS (SELECT 1 FROM asks)",
    "a query that goes on takes no subquery in WHERE, whose result would change: it takes IN",
  ],
  [
    "SELECT * FROM bids WHERE price > (SELECT MAX(price) FROM asks)",
    "column 34: a query that goes on takes no subquery in WHERE",
  ],
  [
    "SELECT auction IN (SELECT auction FROM asks) FROM bids",
    "column 8: a query that goes on takes no subquery in SELECT",
  ],
  [
    "SELECT * FROM bids b WHERE (auction, price) IN (SELECT auction FROM asks)",
    "IN compares 2 values with 1 column",
  ],
  [
    "SELECT * FROM bids b WHERE channel IN (SELECT auction FROM asks)",
    "column 28: = cannot compare STRING with BIGINT",
  ],
  [
    "SELECT * FROM bids b WHERE EXISTS (SELECT b.nothing FROM asks a)",
    'table "b" has no column "nothing"',
  ],
  [
    "SELECT * FROM bids b WHERE EXISTS (SELECT 1 FROM counts WHERE auction = b.auction)",
    "a join over updating rows is not supported yet",
  ],
  [
    "SELECT * FROM bids WHERE auction IN (SELECT auction FROM asks LIMIT 3)",
    "ORDER BY and LIMIT of a subquery in WHERE are not supported yet",
  ],
  ["SELECT * FROM bids UNION SELECT * FROM bids", "UNION is not supported yet: UNION ALL is"],
  [
    "SELECT auction FROM bids UNION ALL SELECT channel FROM bids",
    "column 1 of UNION ALL has no common type: BIGINT, STRING",
  ],
  [
    "SELECT auction FROM bids UNION ALL SELECT auction, price FROM asks",
    "UNION ALL of unequal width",
  ],
  ["SELECT * FROM bids ORDER BY ts", "ORDER BY and LIMIT need a query that ends"],
  ["SELECT NOW() FROM bids", "NOW depends on when a query runs"],
  ["SELECT RAND() FROM bids", "RAND would give another result in every run"],
  ["SELECT COUNT(*) FROM bids EMIT FINAL", "a GROUP BY without a window is never final"],
  [
    "SELECT auction FROM bids EMIT PERIODIC INTERVAL '5' SECOND",
    "EMIT PERIODIC needs an aggregate as the last step",
  ],
  [
    "SELECT auction FROM bids ALLOWED LATENESS INTERVAL '5' SECOND",
    "ALLOWED LATENESS needs a window aggregate",
  ],
  ["SELECT PROCTIME() FROM counts", "PROCTIME() is known only of rows that come from a stream"],
  ["SELECT ARRAY[1] FROM bids", "ARRAY and MAP values are not supported yet"],
];

describe("complaints", () => {
  for (const [sql, complaint] of complaints) {
    test(sql.replaceAll(/\s+/g, " "), () => {
      expect(catalog.complaint(sql)).toContain(complaint);
    });
  }

  test("about a mistake in the second line say so", () => {
    expect(catalog.complaint("SELECT auction,\n  pric\nFROM bids")).toContain(
      'at line 2, column 3: there is no column "pric". Did you mean price?',
    );
  });

  test("about views that name each other in a circle come before memory ends", () => {
    const circle = new TestCatalog(
      "CREATE VIEW a AS SELECT * FROM b; CREATE VIEW b AS SELECT * FROM a;",
    );
    expect(circle.complaint("SELECT * FROM a")).toContain("views are nested more than 32 deep");
  });
});

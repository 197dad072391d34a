import { describe, expect, test } from "bun:test";
import { checkCreateView, planMaterializedView } from "../../../../src/sql/check/create-view.ts";
import { parseStatement } from "../../../../src/sql/syntax/parse-statement.ts";
import { TestCatalog } from "../../../support/sql-catalog.ts";

const catalog = new TestCatalog(`
  CREATE STREAM bids (auction BIGINT, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts);
`);

function plan(text: string) {
  const statement = parseStatement(text);
  if (statement.kind === "createMaterializedView") {
    return planMaterializedView(statement, text, catalog.options);
  }
  throw new Error(`${statement.kind} is no materialized view`);
}

function complaint(text: string): string {
  try {
    const statement = parseStatement(text);
    if (statement.kind === "createView") checkCreateView(statement, text, catalog.options);
    else plan(text);
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
  throw new Error(`No complaint about ${text}`);
}

describe("CREATE MATERIALIZED VIEW", () => {
  test("is a table by its group key", () => {
    const { entry } = plan(
      "CREATE MATERIALIZED VIEW m (a, n) AS SELECT auction, COUNT(*) FROM bids GROUP BY auction",
    );
    expect(entry).toMatchObject({
      topic: "m",
      changes: "update",
      primaryKey: ["a"],
      watermark: null,
    });
  });

  test("whose rows no column tells apart is refused: two of them would be one", () => {
    expect(() =>
      plan("CREATE MATERIALIZED VIEW m AS SELECT COUNT(*) AS n FROM bids GROUP BY auction"),
    ).toThrow("nothing tells them apart: select the columns of GROUP BY too");
  });

  test("over a whole table is one row, whose key has no columns", () => {
    const { entry } = plan("CREATE MATERIALIZED VIEW m AS SELECT COUNT(*) AS n FROM bids");
    expect(entry).toMatchObject({ changes: "update", primaryKey: [] });
  });

  test("keeps a key that GROUP BY names twice", () => {
    const { entry } = plan(
      "CREATE MATERIALIZED VIEW m AS SELECT auction AS a, COUNT(*) AS n FROM bids GROUP BY auction, auction",
    );
    expect(entry.primaryKey).toEqual(["a"]);
  });

  test("of final windows only adds, and its window_time is an event time", () => {
    const { entry } = plan(
      `CREATE MATERIALIZED VIEW m AS SELECT auction, COUNT(*) AS n, window_time
       FROM TUMBLE(bids, ts, INTERVAL '1 minute') GROUP BY auction, window_start, window_end, window_time`,
    );
    expect(entry).toMatchObject({
      changes: "append",
      primaryKey: [],
      watermark: { column: "window_time", delayMs: 0 },
    });
  });

  test("is read again with its key and its changes", () => {
    const { entry } = plan(
      "CREATE MATERIALIZED VIEW m AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction",
    );
    const reader = new TestCatalog();
    reader.put(entry);
    const { root } = reader.plan("SELECT n, auction FROM m WHERE n > 1");
    expect([root.changes, root.key]).toEqual(["update", [1]]);
  });

  const complaints: readonly (readonly [string, string])[] = [
    ["CREATE VIEW v AS SELECT auction, auction FROM bids", 'column "auction" is there twice'],
    ["CREATE VIEW v (a) AS SELECT auction, price FROM bids", "it names 1 column, the query has 2"],
    ["CREATE VIEW v AS SELECT auctio FROM bids", "Did you mean auction?"],
    ["CREATE MATERIALIZED VIEW m AS SELECT NULL AS x FROM bids", 'column "x" is NULL'],
    [
      "CREATE MATERIALIZED VIEW m (a, n, PRIMARY KEY (n) NOT ENFORCED) AS SELECT auction, COUNT(*) FROM bids GROUP BY auction",
      'rows are told apart by "a" too: add it to the PRIMARY KEY',
    ],
  ];
  for (const [sql, wanted] of complaints) {
    test(sql, () => {
      expect(complaint(sql)).toContain(wanted);
    });
  }
});

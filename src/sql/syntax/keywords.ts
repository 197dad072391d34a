/** Which words cannot be names, and which are SQL that this engine does not have. */

/**
 * Words that end or begin a clause or an operator, so that as bare names they would be misread; in
 * quotes they are names. Far fewer than in Flink: columns called `timestamp`, `key`, `value`,
 * `offset`, `date` or `user` need no quotes.
 */
export const reservedWords: ReadonlySet<string> = new Set(
  `ALL AND AS BETWEEN BY CASE CAST CREATE CROSS DISTINCT DROP ELSE END ESCAPE EXCEPT EXISTS FALSE
  FETCH FOR FROM FULL GROUP HAVING IN INNER INSERT INTERSECT INTO IS JOIN LATERAL LEFT LIKE LIMIT
  NATURAL NOT NULL ON OR ORDER OUTER OVER RIGHT SELECT SIMILAR TABLE THEN TRUE TRY_CAST UNION
  UNKNOWN USING VALUES WHEN WHERE WITH`.split(/\s+/),
);

/** Reserved words that people give to columns, and are surprised. */
export const temptingWords: ReadonlySet<string> = new Set(
  `ALL CREATE CROSS DROP FETCH FULL GROUP INNER INSERT LEFT LIMIT ORDER OUTER RIGHT TABLE UNION
  VALUES`.split(/\s+/),
);

/** Clauses that may follow an expression or a table; mistyped, they look like an alias. */
export const clauseWords: readonly string[] =
  `AS FROM WHERE GROUP HAVING ORDER LIMIT OFFSET FETCH UNION INTERSECT EXCEPT WINDOW EMIT ALLOWED
  JOIN LEFT RIGHT FULL INNER CROSS NATURAL ON USING AND OR NOT IN IS LIKE BETWEEN SIMILAR
  PARTITION`.split(/\s+/);

/** SQL that is known and not supported, by the word that the parser stumbles over: what it is. */
export const unsupportedWords: ReadonlyMap<string, string> = new Map([
  ["MATCH_RECOGNIZE", "MATCH_RECOGNIZE is not supported"],
  ["PIVOT", "PIVOT is not supported; write an aggregate with FILTER (WHERE …) per column"],
  ["UNPIVOT", "UNPIVOT is not supported; write a SELECT per column and join them by UNION ALL"],
  ["TABLESAMPLE", "TABLESAMPLE is not supported"],
  ["QUALIFY", "QUALIFY is not supported; select ROW_NUMBER() in a subquery and filter outside"],
  ["ILIKE", "ILIKE is not supported; write LOWER(x) LIKE …"],
  ["RLIKE", "RLIKE is not supported as an operator; write REGEXP(x, pattern)"],
  ["REGEXP", "REGEXP is not supported as an operator; write REGEXP(x, pattern)"],
  ["ASOF", "ASOF joins are not supported"],
  ["APPLY", "APPLY is not supported"],
  ["COLLATE", "COLLATE is not supported: strings compare by their code points"],
  ["OVERLAPS", "OVERLAPS is not supported; compare starts and ends"],
  ["CONTAINS", "CONTAINS is not supported as an operator; compare starts and ends"],
  ["MEMBER", "MEMBER OF is not supported"],
  ["SUBMULTISET", "SUBMULTISET OF is not supported"],
  ["RETURNING", "RETURNING is not supported here"],
  ["PARTITIONED", "PARTITIONED BY is not supported; the topic's partitions are an option of WITH"],
  ["DISTRIBUTED", "DISTRIBUTED BY is not supported; records are placed by their PRIMARY KEY"],
  ["RECURSIVE", "WITH RECURSIVE is not supported"],
  ["AT", "AT TIME ZONE is not supported; SET 'table.local-time-zone' = '…' or CONVERT_TZ"],
  ["OVERWRITE", "INSERT OVERWRITE is not supported: a log is only appended to"],
  ["GROUPS", "GROUPS frames are not supported; write ROWS or RANGE"],
  ["EXCLUDE", "EXCLUDE is not supported in a window frame"],
  ["UNNEST", "UNNEST is not supported"],
]);

/** Symbols of other dialects, and what to write. */
export const foreignSymbols: ReadonlyMap<string, string> = new Map([
  ["::", ":: is not supported; write CAST(x AS type)"],
  ["=>", "=> gives an argument by its name; to compare, write >="],
  ["==", "== is not an operator; write ="],
  ["<=>", "<=> is not an operator; write IS NOT DISTINCT FROM"],
  ["&&", "&& is not an operator; write AND"],
  ["!", "! is not an operator; write NOT"],
  ["->", "-> is not supported; write JSON_QUERY(x, '$.field')"],
  ["->>", "->> is not supported; write JSON_VALUE(x, '$.field')"],
  ["?", "parameters (?) are not supported; write the value"],
  [":=", ":= is not an operator; write ="],
  ["^", "^ is not an operator; write POWER(x, y)"],
  ["&", "& is not an operator"],
  ["|", "| is not an operator; strings are joined by ||"],
  ["~", "~ is not an operator; write REGEXP(x, pattern)"],
]);

/** Words that are no alias although they could be names: a clause or an operator begins there. */
export const clauseStarts: ReadonlySet<string> = new Set(
  "OFFSET WINDOW EMIT ALLOWED PARTITION FILTER WITHIN IGNORE RESPECT".split(" "),
);

/** Statements that are known SQL, by their first word: why they cannot run. */
export const unsupportedStatements: ReadonlyMap<string, string> = new Map([
  ["ALTER", "ALTER is not supported; DROP and CREATE again: the topic stays"],
  ["UPDATE", "UPDATE is not supported: a log is only appended to"],
  ["DELETE", "DELETE is not supported: a log is only appended to"],
  ["MERGE", "MERGE is not supported: a log is only appended to"],
  ["UPSERT", "UPSERT is not supported; INSERT INTO a table with a PRIMARY KEY"],
  ["TRUNCATE", "TRUNCATE is not supported; retention is a setting of the topic"],
  ["USE", "USE is not supported: there is one catalog and one database"],
  ["ANALYZE", "ANALYZE is not supported"],
  ["CALL", "CALL is not supported"],
  ["LOAD", "LOAD is not supported: there are no modules"],
  ["UNLOAD", "UNLOAD is not supported: there are no modules"],
  ["ADD", "ADD JAR is not supported"],
  ["REMOVE", "REMOVE JAR is not supported"],
  ["BEGIN", "BEGIN is not supported: statements are not grouped; write one INSERT per query"],
  ["COMMIT", "COMMIT is not supported: each query commits by itself"],
  ["ROLLBACK", "ROLLBACK is not supported: each query commits by itself"],
  ["EXECUTE", "EXECUTE is not supported; write the statements one by one"],
  ["COMPILE", "COMPILE PLAN is not supported"],
  ["GRANT", "GRANT is not supported; access is a setting of the server"],
  ["REVOKE", "REVOKE is not supported; access is a setting of the server"],
  ["STOP", "STOP is not supported; write PAUSE QUERY id or DROP QUERY id"],
  ["TERMINATE", "TERMINATE is not supported; write DROP QUERY id"],
  ["PRINT", "PRINT is not supported; write SELECT * FROM name LIMIT 10"],
  ["COPY", "COPY is not supported; write INSERT INTO … SELECT"],
]);

/** What other systems create, by the word after CREATE. */
export const unsupportedCreations: ReadonlyMap<string, string> = new Map([
  ["CATALOG", "CREATE CATALOG is not supported: there is one catalog"],
  ["DATABASE", "CREATE DATABASE is not supported: there is one database"],
  ["SCHEMA", "CREATE SCHEMA is not supported: there is one database"],
  ["FUNCTION", "CREATE FUNCTION is not supported: there are no user functions yet"],
  ["MODEL", "CREATE MODEL is not supported"],
  ["CONNECTION", "CREATE CONNECTION is not supported"],
  ["INDEX", "CREATE INDEX is not supported: a materialized view is found by its key"],
  ["SOURCE", "CREATE SOURCE is not supported; write CREATE STREAM … WITH ('topic' = …)"],
  ["SINK", "CREATE SINK is not supported; write CREATE STREAM and INSERT INTO it"],
  ["OR", "CREATE OR REPLACE is not supported; DROP it first"],
  ["SYSTEM", "CREATE SYSTEM FUNCTION is not supported: there are no user functions yet"],
  ["TYPE", "CREATE TYPE is not supported; write ROW<…> where it is used"],
]);

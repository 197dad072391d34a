/** Flink 2.3's built-in functions by the groups of its documentation: docs/SQL.md ticks them. */
function words(text: string): readonly string[] {
  return text.trim().split(/\s*;\s*/);
}

export const flinkFunctions: Readonly<Record<string, readonly string[]>> = {
  Comparison: words(`
    = ; <> ; > ; >= ; < ; <= ; IS NULL ; IS NOT NULL ; IS DISTINCT FROM ; IS NOT DISTINCT FROM ;
    BETWEEN ; NOT BETWEEN ; LIKE ; NOT LIKE ; SIMILAR TO ; NOT SIMILAR TO ; IN ; NOT IN ; EXISTS ;
    IN (subquery) ; NOT IN (subquery)`),
  Logic: words(`
    OR ; AND ; NOT ; IS FALSE ; IS NOT FALSE ; IS TRUE ; IS NOT TRUE ; IS UNKNOWN ;
    IS NOT UNKNOWN`),
  Arithmetic: words(`
    + ; - ; * ; / ; % ; POWER ; ABS ; SQRT ; LN ; LOG10 ; LOG2 ; LOG ; EXP ; CEIL ; CEILING ;
    FLOOR ; SIN ; SINH ; COS ; TAN ; TANH ; COT ; ASIN ; ACOS ; ATAN ; ATAN2 ; COSH ; DEGREES ;
    RADIANS ; SIGN ; ROUND ; PI ; E ; RAND ; RAND_INTEGER ; UUID ; BIN ; HEX ; TRUNCATE ;
    UNHEX ; PERCENTILE ; MOD`),
  Text: words(`
    || ; CHAR_LENGTH ; CHARACTER_LENGTH ; UPPER ; LOWER ; POSITION ; TRIM ; LTRIM ; RTRIM ; BTRIM ;
    REPEAT ; REGEXP_REPLACE ; OVERLAY ; SUBSTRING ; REPLACE ; TRANSLATE ; REGEXP_COUNT ;
    REGEXP_EXTRACT ; REGEXP_EXTRACT_ALL ; REGEXP_INSTR ; REGEXP_SUBSTR ; INITCAP ; CONCAT ;
    CONCAT_WS ; LPAD ; RPAD ; FROM_BASE64 ; TO_BASE64 ; ASCII ; CHR ; DECODE ; ENCODE ; INSTR ;
    LEFT ; RIGHT ; LOCATE ; URL_DECODE ; URL_ENCODE ; PARSE_URL ; PRINTF ; REGEXP ; REVERSE ;
    SPLIT ; SPLIT_INDEX ; STR_TO_MAP ; SUBSTR ; STARTSWITH ; ENDSWITH ; ELT`),
  Time: words(`
    DATE '…' ; TIME '…' ; TIMESTAMP '…' ; INTERVAL '…' ; LOCALTIME ; LOCALTIMESTAMP ; CURRENT_TIME ;
    CURRENT_DATE ; CURRENT_TIMESTAMP ; NOW ; CURRENT_ROW_TIMESTAMP ; EXTRACT ; YEAR ; QUARTER ;
    MONTH ; WEEK ; DAYOFYEAR ; DAYOFMONTH ; DAYOFWEEK ; HOUR ; MINUTE ; SECOND ; OVERLAPS ;
    DATE_FORMAT ; TIMESTAMPADD ; TIMESTAMPDIFF ; CONVERT_TZ ; FROM_UNIXTIME ; UNIX_TIMESTAMP ;
    TO_DATE ; TO_TIMESTAMP_LTZ ; TO_TIMESTAMP ; CURRENT_WATERMARK ; PROCTIME`),
  Conditions: words(`
    CASE ; NULLIF ; COALESCE ; IF ; IFNULL ; IS_ALPHA ; IS_DECIMAL ; IS_DIGIT ; GREATEST ; LEAST`),
  Conversion: words("CAST ; TRY_CAST ; TYPEOF"),
  Collections: words(`
    CARDINALITY ; ELEMENT ; ARRAY_APPEND ; ARRAY_CONCAT ; ARRAY_CONTAINS ; ARRAY_DISTINCT ;
    ARRAY_EXCEPT ; ARRAY_INTERSECT ; ARRAY_JOIN ; ARRAY_MAX ; ARRAY_MIN ; ARRAY_POSITION ;
    ARRAY_PREPEND ; ARRAY_REMOVE ; ARRAY_REVERSE ; ARRAY_SLICE ; ARRAY_SORT ; ARRAY_UNION ;
    MAP_ENTRIES ; MAP_FROM_ARRAYS ; MAP_KEYS ; MAP_UNION ; MAP_VALUES`),
  JSON: words(`
    IS JSON ; JSON_EXISTS ; JSON_STRING ; JSON_VALUE ; JSON_QUERY ; JSON_OBJECT ; JSON_OBJECTAGG ;
    JSON_ARRAY ; JSON_ARRAYAGG ; JSON_QUOTE ; JSON_UNQUOTE ; PARSE_JSON ; TRY_PARSE_JSON`),
  Values: words("ROW ; ARRAY ; MAP"),
  Grouping: words("GROUP_ID ; GROUPING ; GROUPING_ID"),
  Hashes: words("MD5 ; SHA1 ; SHA224 ; SHA256 ; SHA384 ; SHA512 ; SHA2"),
  Aggregates: words(`
    COUNT ; AVG ; SUM ; MAX ; MIN ; STDDEV_POP ; STDDEV_SAMP ; VAR_POP ; VAR_SAMP ; VARIANCE ;
    COLLECT ; RANK ; DENSE_RANK ; ROW_NUMBER ; LEAD ; LAG ; FIRST_VALUE ; LAST_VALUE ; LISTAGG ;
    CUME_DIST ; PERCENT_RANK ; NTILE ; ARRAY_AGG ; APPROX_COUNT_DISTINCT`),
};

/** The same windows on both sides, which subqueries in WHERE want. */
const sameWindows =
  "FROM TUMBLE(s, ts, INTERVAL '1 minute') r " +
  "WHERE r.window_start = l.window_start AND r.window_end = l.window_end";

/** What works of them under no name of the catalog: each with an expression that uses it. */
export const workingForms: Readonly<Record<string, string>> = {
  "=": "1 = 1",
  "<>": "1 <> 2",
  ">": "2 > 1",
  ">=": "2 >= 1",
  "<": "1 < 2",
  "<=": "1 <= 2",
  "IS NULL": "1 IS NULL",
  "IS NOT NULL": "1 IS NOT NULL",
  "IS DISTINCT FROM": "1 IS DISTINCT FROM 2",
  "IS NOT DISTINCT FROM": "1 IS NOT DISTINCT FROM 2",
  BETWEEN: "1 BETWEEN 0 AND 2",
  "NOT BETWEEN": "1 NOT BETWEEN SYMMETRIC 3 AND 2",
  LIKE: "'a' LIKE 'a%' ESCAPE '!'",
  "NOT LIKE": "'a' NOT LIKE 'a%'",
  "SIMILAR TO": "'a' SIMILAR TO '(a|b)'",
  "NOT SIMILAR TO": "'a' NOT SIMILAR TO '(a|b)'",
  IN: "1 IN (1, 2)",
  "NOT IN": "1 NOT IN (1, 2)",
  EXISTS: `EXISTS (SELECT 1 ${sameWindows})`,
  "IN (subquery)": `a IN (SELECT a ${sameWindows})`,
  "NOT IN (subquery)": `a NOT IN (SELECT a ${sameWindows})`,
  OR: "TRUE OR FALSE",
  AND: "TRUE AND FALSE",
  NOT: "NOT TRUE",
  "IS FALSE": "TRUE IS FALSE",
  "IS NOT FALSE": "TRUE IS NOT FALSE",
  "IS TRUE": "TRUE IS TRUE",
  "IS NOT TRUE": "TRUE IS NOT TRUE",
  "IS UNKNOWN": "TRUE IS UNKNOWN",
  "IS NOT UNKNOWN": "TRUE IS NOT UNKNOWN",
  "+": "1 + 1",
  "-": "1 - 1",
  "*": "1 * 1",
  "/": "1 / 1",
  "%": "1 % 1",
  "||": "'a' || 'b'",
  "DATE '…'": "DATE '2026-01-01'",
  "TIME '…'": "TIME '10:00:00'",
  "TIMESTAMP '…'": "TIMESTAMP '2026-01-01 10:00:00'",
  "INTERVAL '…'": "TIMESTAMP '2026-01-01 10:00:00' + INTERVAL '1' DAY",
  PROCTIME: "PROCTIME()",
  CASE: "CASE 1 WHEN 1 THEN 'a' ELSE 'b' END",
  CAST: "CAST('1' AS INT)",
  TRY_CAST: "TRY_CAST('x' AS INT)",
  "IS JSON": "'1' IS JSON SCALAR",
  JSON_EXISTS: "JSON_EXISTS('{}', '$.a')",
  JSON_VALUE: "JSON_VALUE('{}', '$.a' RETURNING INT)",
  JSON_QUERY: "JSON_QUERY('{}', '$.a' WITH WRAPPER)",
  JSON_OBJECT: "JSON_OBJECT('a' VALUE 1)",
  JSON_ARRAY: "JSON_ARRAY(1, 2)",
  ROW: "ROW(1, 'a')",
  ROW_NUMBER:
    "ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY window_time) AS rownum",
};

-- TRY_CAST gives NULL where CAST would fail.
CREATE STREAM t (s STRING) WITH ('topic' = 't', 'format' = 'json');
SELECT s, TRY_CAST(s AS INT) AS i, TRY_CAST(s AS BOOLEAN) AS b, TRY_CAST(s AS DATE) AS d, TRY_CAST(s AS DOUBLE) AS x,
  TRY_CAST(s AS DECIMAL(5, 2)) AS m, TRY_CAST(s AS TIMESTAMP(3)) AS ts, TRY_CAST(s AS BIGINT) AS big, TRY_CAST(s AS TINYINT) AS tiny FROM t
/* publishes
@ 00:00:01 t/0
{"s":"12"}
{"s":"true"}
{"s":"2026-02-29"}
{"s":"2024-02-29"}
{"s":"1e3"}
{"s":"1234.5"}
{"s":"123.456"}
{"s":"2026-01-01 10:00:00.5"}
{"s":"9223372036854775807"}
{"s":"9223372036854775808"}
{"s":null}
*/

-- A row in time for its last window only must not bring earlier ones out again: Top-N.
CREATE STREAM t (v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, window_end, v, n FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY v DESC) AS n
  FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
) WHERE n <= 2
/* publishes
@ 00:00:13 t/0
{"v":1,"ts":"2026-01-01 00:00:03.000"}
{"v":2,"ts":"2026-01-01 00:00:12.000"}
@ 00:00:14 t/0
{"v":4,"ts":"2026-01-01 00:00:06.000"}
{"v":8,"ts":"2026-01-01 00:00:04.000"}
@ 00:00:30 t/0
{"v":16,"ts":"2026-01-01 00:00:29.000"}
*/

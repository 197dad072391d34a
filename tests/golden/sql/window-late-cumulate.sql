-- CUMULATE: a row in time for the last steps counts there only.
CREATE STREAM t (v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, window_end, SUM(v) AS total
FROM TABLE(CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '20' SECOND))
GROUP BY window_start, window_end
/* publishes
@ 00:00:04 t/0
{"v":1,"ts":"2026-01-01 00:00:03.000"}
@ 00:00:12 t/0
{"v":2,"ts":"2026-01-01 00:00:11.000"}
@ 00:00:13 t/0
{"v":4,"ts":"2026-01-01 00:00:02.000"}
{"v":8,"ts":"2026-01-01 00:00:07.000"}
@ 00:00:22 t/0
{"v":16,"ts":"2026-01-01 00:00:21.000"}
{"v":32,"ts":"2026-01-01 00:00:01.000"}
@ 00:00:23 t/0
{"v":64,"ts":"2026-01-01 00:00:19.000"}
*/

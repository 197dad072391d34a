-- CUMULATE without GROUP BY: each row once per window that is not over.
CREATE STREAM t (v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT v, window_end FROM TABLE(CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '15' SECOND))
/* publishes
@ 00:00:04 t/0
{"v":1,"ts":"2026-01-01 00:00:03.000"}
@ 00:00:12 t/0
{"v":2,"ts":"2026-01-01 00:00:11.000"}
@ 00:00:13 t/0
{"v":4,"ts":"2026-01-01 00:00:02.000"}
{"v":8,"ts":"2025-12-31 23:59:59.000"}
*/

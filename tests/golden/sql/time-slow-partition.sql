-- A slow partition that is awaited holds the watermark back.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
-- partitions: 2
/* publishes
@ 00:00:05 t/1
{"v":1,"ts":"2026-01-01 00:00:04.000"}
@ 00:00:08 t/0
{"v":2,"ts":"2026-01-01 00:00:25.000"}
@ 00:00:09 t/1
{"v":3,"ts":"2026-01-01 00:00:05.000"}
@ 00:00:12 t/0
{"v":4,"ts":"2026-01-01 00:00:35.000"}
@ 00:00:13 t/1
{"v":5,"ts":"2026-01-01 00:00:21.000"}
*/

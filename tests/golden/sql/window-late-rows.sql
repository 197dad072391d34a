-- Rows behind the watermark go to the side with where they came from.
CREATE STREAM t (v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, window_end, COUNT(*) AS n, SUM(v) AS total
FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end
/* publishes
@ 00:00:09 t/0
{"v":1,"ts":"2026-01-01 00:00:08.000"}
@ 00:00:15 t/0
{"v":2,"ts":"2026-01-01 00:00:14.999"}
{"v":3,"ts":"2026-01-01 00:00:01.000"}
@ 00:00:16 t/0
{"v":4,"ts":"2026-01-01 00:00:15.000"}
{"v":5,"ts":"2026-01-01 00:00:09.999"}
{"v":6,"ts":"2026-01-01 00:00:10.000"}
@ 00:00:30 t/0
{"v":7,"ts":"2026-01-01 00:00:29.000"}
{"v":8,"ts":"2026-01-01 00:00:05.000"}
*/

-- Partitions that have come unequally far, and fall idle together or one by one: the watermark moves to the
-- greatest of them. The publish that ends the silence shows it where no tick did, before its rows.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
-- partitions: 3
/* publishes
@ 00:00:00 t/0
{"v":1,"ts":"2026-01-01 00:00:31.000"}
@ 00:00:01 t/1
{"v":2,"ts":"2026-01-01 00:00:02.000"}
@ 00:00:02 t/2
{"v":3,"ts":"2026-01-01 00:00:14.000"}
@ 00:00:07 tick
@ 00:00:08 t/1
{"v":4,"ts":"2026-01-01 00:00:03.000"}
{"v":5,"ts":"2026-01-01 00:00:33.000"}
@ 00:00:09 t/2
{"v":6,"ts":"2026-01-01 00:00:43.000"}
@ 00:00:20 t/0
{"v":7,"ts":"2026-01-01 00:00:39.000"}
{"v":8,"ts":"2026-01-01 00:00:44.000"}
@ 00:00:24 t/1
{"v":9,"ts":"2026-01-01 00:00:55.000"}
@ 00:00:24.500 t/2
{"v":10,"ts":"2026-01-01 00:00:56.000"}
*/

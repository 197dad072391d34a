-- After a spell in which all were idle, every partition is awaited again from the publish that ends it.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
-- partitions: 2
/* publishes
@ 00:00:01 t/0
{"v":1,"ts":"2026-01-01 00:00:01.000"}
+ t/1
{"v":1,"ts":"2026-01-01 00:00:01.000"}
@ 00:01:00 t/0
{"v":2,"ts":"2026-01-01 00:01:00.000"}
@ 00:01:02 t/0
{"v":3,"ts":"2026-01-01 00:01:12.000"}
@ 00:01:04 t/1
{"v":4,"ts":"2026-01-01 00:00:09.000"}
{"v":5,"ts":"2026-01-01 00:01:03.000"}
@ 00:01:05 t/1
{"v":6,"ts":"2026-01-01 00:01:20.000"}
*/

-- An idle partition that returns is awaited again; its old rows are late, the watermark never goes back.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
-- partitions: 2
/* publishes
@ 00:00:01 t/0
{"v":1,"ts":"2026-01-01 00:00:01.000"}
+ t/1
{"v":1,"ts":"2026-01-01 00:00:01.000"}
@ 00:00:05 t/0
{"v":2,"ts":"2026-01-01 00:00:05.000"}
@ 00:00:20 t/0
{"v":3,"ts":"2026-01-01 00:00:20.000"}
@ 00:00:24 t/0
{"v":4,"ts":"2026-01-01 00:00:24.000"}
@ 00:00:26 t/1
{"v":5,"ts":"2026-01-01 00:00:05.000"}
{"v":6,"ts":"2026-01-01 00:00:21.000"}
@ 00:00:30 t/0
{"v":7,"ts":"2026-01-01 00:00:31.000"}
@ 00:00:30.500 t/1
{"v":8,"ts":"2026-01-01 00:00:25.000"}
@ 00:00:31 t/1
{"v":9,"ts":"2026-01-01 00:00:32.000"}
*/

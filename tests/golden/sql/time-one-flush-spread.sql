-- Rows that one publish spread over partitions never make each other late.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
-- partitions: 2
/* publishes
@ 00:00:02 t/0
{"v":1,"ts":"2026-01-01 00:00:01.000"}
+ t/1
{"v":1,"ts":"2026-01-01 00:00:01.000"}
@ 00:00:30 t/0
{"v":2,"ts":"2026-01-01 00:00:29.000"}
+ t/1
{"v":3,"ts":"2026-01-01 00:00:02.000"}
{"v":4,"ts":"2026-01-01 00:00:28.000"}
*/

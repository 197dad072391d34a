-- Bulk load: partitions are filled one after the other, all within the idle timeout. Nothing closes
-- before the second has spoken, and rows that one load spread over partitions are not late.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
-- partitions: 2
/* publishes
@ 12:00:00 t/0
{"v":1,"ts":"2026-01-01 00:00:01.000"}
{"v":2,"ts":"2026-01-01 00:00:31.000"}
@ 12:00:01 t/0
{"v":3,"ts":"2026-01-01 00:00:41.000"}
@ 12:00:02 t/1
{"v":4,"ts":"2026-01-01 00:00:02.000"}
{"v":5,"ts":"2026-01-01 00:00:32.000"}
@ 12:00:03 t/1
{"v":6,"ts":"2026-01-01 00:00:42.000"}
*/

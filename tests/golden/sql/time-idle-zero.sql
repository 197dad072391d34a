-- Idle timeout 0: a partition is awaited for ever, as in Flink.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json', 'idle-timeout' = '0 s');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
-- partitions: 2
/* publishes
@ 00:00:00 t/0
{"v":1,"ts":"2026-01-01 00:00:00.000"}
@ 01:00:00 t/0
{"v":2,"ts":"2026-01-01 00:50:12.000"}
@ 02:00:00 tick
*/

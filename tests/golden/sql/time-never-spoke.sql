-- A partition that never had a row is awaited from the first publish, for the idle timeout.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
-- partitions: 3
/* publishes
@ 00:00:00 t/0
{"v":1,"ts":"2026-01-01 00:00:00.000"}
@ 00:00:04 t/0
{"v":2,"ts":"2026-01-01 00:00:12.000"}
@ 00:00:05 t/0
{"v":3,"ts":"2026-01-01 00:00:13.000"}
*/

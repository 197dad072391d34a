-- A partition without publishes for the idle timeout is no longer awaited; the gap alone, judged at
-- the next publish by publishedAt before its rows, idles it then.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
-- partitions: 2
/* publishes
@ 00:00:00 t/1
{"v":1,"ts":"2026-01-01 00:00:00.000"}
@ 00:00:01 t/0
{"v":2,"ts":"2026-01-01 00:00:15.000"}
@ 00:00:04.999 t/0
{"v":3,"ts":"2026-01-01 00:00:16.000"}
@ 00:00:05 t/0
{"v":4,"ts":"2026-01-01 00:00:17.000"}
*/

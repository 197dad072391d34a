-- A quiet stream near the clock: ticks move time on after the quiet timeout, never past the last window.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '2' MINUTE)) GROUP BY window_start, window_end
/* publishes
@ 00:00:05 t/0
{"v":1,"ts":"2026-01-01 00:00:04.000"}
@ 00:00:10 tick
@ 00:01:09 tick
@ 00:01:10 tick
@ 00:02:02 tick
@ 00:02:03 tick
@ 00:05:00 tick
@ 00:05:01 t/0
{"v":2,"ts":"2026-01-01 00:01:59.000"}
{"v":3,"ts":"2026-01-01 00:02:00.000"}
*/
